"""What is said of a setting's use: nine words, the figures as a clause, and how weeks and events are counted."""

from __future__ import annotations

from collections.abc import Mapping

from windsock.findings.rule import rows_of
from windsock.model import Answer, Row

AT_LIMIT, NEVER, HARMFUL, NO_EFFECT, IN_USE, OFF, EXCEEDED, ENDED, UNKNOWN = (
    "at the limit",
    "never reached",
    "harmful",
    "no effect",
    "in use",
    "off",
    "exceeded",
    "ended tries",
    "not known",
)
LITTLE = 0.5  # of a limit: use that stays below it never came near
MUCH = 1.25  # times a limit: use above it was not held by the value told; peaks of whole seconds are rather too high
ANOTHER = "it was changed since, or a variable or another file stands over it"
IN_CODE = "which limit holds stands in the DAG's code"
Numbers = Mapping[str, float | None]
"""The settings' values."""
Use = tuple[str, str]
Answers = Mapping[str, Answer]


def peaks(answers: Answers, grain: str) -> list[Row]:
    """The weeks' peaks of one grain, oldest first."""
    return [row for row in rows_of(answers, "peaks_by_week") if row["grain"] == grain]


def major_version(answers: Answers) -> str:
    """`3.3.2`, `2`: what is told of Airflow's version, else what the logs look like; empty where nobody tells."""
    rows = rows_of(answers, "airflow_seen")
    told = next((str(row["airflow_version"] or row["major_version"] or "") for row in rows), "")
    return told.lstrip("v")


def full_minutes(answers: Answers) -> tuple[int, int]:
    """Minutes in which no executor slot was open, and minutes seen."""
    rows = rows_of(answers, "executor_load_by_hour")
    return sum(row["full_minutes"] for row in rows), sum(row["minutes"] for row in rows)


def hits(answers: Answers, *events: str) -> int:
    """Tries that a time limit ended or queued again."""
    return sum(row["tries"] for row in rows_of(answers, "limit_hits") if row["event"] in events)


def against(peak: float, limit: float | None, told: str, *, why: str = "") -> Use:
    """Use beside its limit. What went beyond it was not held by the value told; `why` names what else may be the reason."""
    if limit is None:
        return UNKNOWN, f"{told}; {IN_CODE}"
    if peak > MUCH * limit:
        return EXCEEDED, f"{told}: {why}{', ' if why else ''}{ANOTHER}"
    return (NEVER if peak <= LITTLE * limit else IN_USE), told
