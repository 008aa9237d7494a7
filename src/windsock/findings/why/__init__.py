"""Why does it not run? One file, one cause; the list below is all there is. `explain` asks them of one case, `totals` of the
week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from windsock.findings.why.active_runs import ActiveRuns
from windsock.findings.why.cause import About, Case, Cause, Told
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
from windsock.findings.why.waiting_for import WaitingFor
from windsock.model import Answer, Row

__all__ = ["CASE_TRIES", "CAUSES", "QUESTIONS", "Case", "Told", "explain", "totals"]

CAUSES: tuple[type[Cause], ...] = (
    ImportFails,
    NoDags,
    DuplicateId,
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
    Failed,
    ConnectionFails,
    LogMissing,
)
"""In the order in which one thing must hold before the next can: the file, the DAG, its runs, its tasks, their logs."""

CASE_TRIES = "case_tries"
"""The tries of one case: no question of `sql/`, for it needs the case's names."""
QUESTIONS = tuple(sorted({one for cause in CAUSES for one in cause.questions} - {CASE_TRIES}))
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


COLUMNS = ("why", "about", "things", "unit", "first_at", "dag_ids", "files", "codes", "missing")


def totals(answers: Mapping[str, Answer], *, exclude: Sequence[str] = ()) -> Answer:
    """`why_not_run`: one row per cause, the ones that could not be seen as well (`missing` names the input)."""
    rows: list[Row] = []
    for cause in CAUSES:
        count = cause.count(_in_scope(answers, cause.questions, exclude))
        values = (cause.words, cause.about, count.things, count.unit, count.first_at, list(count.dag_ids),
                  list(count.files), list(cause.codes), count.missing)  # fmt: skip
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return Answer("why_not_run", COLUMNS, tuple(rows))


def _in_scope(
    answers: Mapping[str, Answer], names: Sequence[str], exclude: Sequence[str]
) -> Mapping[str, Answer]:
    """What the pipeline file excludes is in no count."""
    kept = {name: answers[name] for name in names if name in answers}
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
