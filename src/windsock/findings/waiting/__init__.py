"""Why did tasks wait? Hours by the limit that bound, per DAG, per pool and in total: an answer that no SQL gives alone."""

from windsock.findings.waiting.answer import ANSWERS, OWN, QUESTIONS, TYPES, waiting_answers

__all__ = ["ANSWERS", "OWN", "QUESTIONS", "TYPES", "waiting_answers"]
