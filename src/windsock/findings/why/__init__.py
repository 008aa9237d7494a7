"""Why does it not run? One file, one cause; the list below is all there is. `explain` asks them of one case, `totals` of the
week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from windsock.findings.why.active_runs import ActiveRuns
from windsock.findings.why.bundle import BundleFails
from windsock.findings.why.cause import THRESHOLDS, About, Case, Cause, Told, thresholds_answer
from windsock.findings.why.connection import ConnectionFails
from windsock.findings.why.duplicate_id import DuplicateId
from windsock.findings.why.failed import Failed
from windsock.findings.why.gone import Gone
from windsock.findings.why.import_error import ImportFails
from windsock.findings.why.missed_runs import MissedRuns
from windsock.findings.why.no_dags import NoDags
from windsock.findings.why.no_log import LogMissing
from windsock.findings.why.not_parsed import NotParsed
from windsock.findings.why.past_failure import PastFailure
from windsock.findings.why.paused import Paused
from windsock.findings.why.pool_too_small import PoolTooSmall
from windsock.findings.why.queue_unserved import QueueUnserved
from windsock.findings.why.scheduler_gap import SchedulerGap
from windsock.findings.why.start_date import StartDate
from windsock.findings.why.timed_out import TimedOut
from windsock.findings.why.upstream import Upstream
from windsock.findings.why.waiting_for import WaitingFor
from windsock.model import Answer, Row

__all__ = [
    "CASE_TRIES",
    "CAUSES",
    "NEAR_DAGS",
    "QUESTIONS",
    "THRESHOLDS",
    "TOLD_BY",
    "TOTALS",
    "WHOLE",
    "Case",
    "Told",
    "explain",
    "thresholds_answer",
    "totals",
]

CAUSES: tuple[type[Cause], ...] = (
    ImportFails,
    NoDags,
    DuplicateId,
    BundleFails,
    NotParsed,
    Gone,
    Paused,
    StartDate,
    PastFailure,
    ActiveRuns,
    SchedulerGap,
    MissedRuns,
    PoolTooSmall,
    QueueUnserved,
    WaitingFor,
    Upstream,
    TimedOut,
    Failed,
    ConnectionFails,
    LogMissing,
)
"""In the order in which one thing must hold before the next can: the file, the DAG, its runs, its tasks, their logs."""

CASE_TRIES, NEAR_DAGS = "case_tries", "near_dags"
"""The tries of one case, and DAGs of nearly its name: no questions of `sql/`, for they need the case's names."""
QUESTIONS = tuple(sorted({one for cause in CAUSES for one in cause.questions} - {CASE_TRIES, NEAR_DAGS}))
TOLD_BY = tuple(
    sorted(
        set(QUESTIONS)
        - {
            name
            for name in QUESTIONS
            if all(name in cause.counted_by for cause in CAUSES if name in cause.questions)
        }
    )
)
"""Those of them that one case needs; the others are for the counts of the week."""
WHOLE = frozenset({"dag_states", "logs_missing_by_place"})
"""Questions of which one DAG's rows are not enough."""
_LIKELY = ("certain", "likely", "possible")


def explain(case: Case, answers: Mapping[str, Answer]) -> tuple[Told, ...]:
    """What speaks for each cause, the likeliest first; among equals in the order of `CAUSES`."""
    found = [
        (_LIKELY.index(told.likely), _is_beside(told, case), place, told)
        for place, cause in enumerate(CAUSES)
        for told in cause.tell(case, answers)
    ]
    return tuple(one[-1] for one in sorted(found, key=lambda one: one[:3]))


_OF_TASKS: frozenset[About] = frozenset(
    {"task not running", "task failed", "log missing", "connection failing"}
)


def _is_beside(told: Told, case: Case) -> bool:
    """Whether it answers another question: who names a task asks for the task, who names none for the DAG."""
    return (told.about in _OF_TASKS) != bool(case.task_id)


TOTALS = "why_not_run"
COLUMNS = ("why", "things", "unit", "first_at", "dag_ids", "files", "codes", "missing")


def totals(answers: Mapping[str, Answer], *, exclude: Sequence[str] = ()) -> Answer:
    """`why_not_run`: one row per cause that held in the week; the last names those that could not be seen, and the inputs
    (`missing`) that would tell."""
    rows: list[Row] = []
    unseen: list[tuple[str, str]] = []
    for cause in CAUSES:
        count = cause.count(_in_scope(answers, cause.questions, exclude))
        if count.missing and not count.things:
            unseen.append((cause.name, count.missing))
        elif count.things:
            rows.append({
                "why": cause.words, "things": count.things, "unit": count.unit, "first_at": count.first_at,
                "dag_ids": list(count.dag_ids), "files": list(count.files), "codes": list(cause.codes), "missing": "",
            })  # fmt: skip
    if unseen:
        words, inputs = (list(dict.fromkeys(one)) for one in zip(*unseen, strict=True))
        rows.append({
            "why": f"Not seen: {', '.join(words)}", "things": None, "unit": "", "first_at": None, "dag_ids": [], "files": [],
            "codes": [], "missing": "; ".join(inputs),
        })  # fmt: skip
    return Answer(TOTALS, COLUMNS, tuple(rows))


def _in_scope(
    answers: Mapping[str, Answer], names: Sequence[str], exclude: Sequence[str]
) -> Mapping[str, Answer]:
    """What the pipeline file excludes is in no count."""
    kept = {name: answers[name] for name in (*names, THRESHOLDS) if name in answers}
    if not exclude:
        return kept
    return {
        name: Answer(name, one.columns, tuple(row for row in one.rows if not _is_excluded(row, exclude)))
        if "dag_id" in one.columns
        else one
        for name, one in kept.items()
    }


def _is_excluded(row: Row, exclude: Sequence[str]) -> bool:
    return any(fnmatchcase(str(row["dag_id"]), pattern) for pattern in exclude)
