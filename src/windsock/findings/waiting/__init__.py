"""Why did tasks wait? Hours by the limit that bound, per DAG, per pool and in total: an answer that no SQL gives alone."""

from windsock.findings.waiting.answer import ANSWERS, OWN, QUESTIONS, TYPES, waiting_answers
from windsock.findings.waiting.weeks import BASIS, TITLE, TRENDS, WEEKS, WaitingWeek, waiting_trends

__all__ = [
    "ANSWERS",
    "BASIS",
    "OWN",
    "QUESTIONS",
    "TITLE",
    "TRENDS",
    "TYPES",
    "WEEKS",
    "WaitingWeek",
    "waiting_answers",
    "waiting_trends",
]
