"""Whether import errors and killed parses could be seen at all: no news of them is good news only where somebody looks."""

from __future__ import annotations

from collections.abc import Mapping

from windsock.findings.rule import rows_of
from windsock.model import Answer

QUESTIONS = ("parse_time_by_file", "parse_settings")
_TELLING = ("processor_log", "stats_table", "api")


def unseen(answers: Mapping[str, Answer]) -> str:
    """Why nothing can be said of them; empty when the dag-processor's logs were read, or API or database were asked."""
    is_logged = any(row["source"] in _TELLING for row in rows_of(answers, "parse_time_by_file"))
    is_asked = any(row["airflow_version"] for row in rows_of(answers, "parse_settings"))
    if is_logged or is_asked:
        return ""
    return "nothing read tells them; they come with the dag-processor's logs and with Airflow's API"
