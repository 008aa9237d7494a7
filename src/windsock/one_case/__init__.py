"""Why one DAG, task or run does not run: the week's answers about it, read from the lake, and the causes that speak for it.

What is said of one DAG reads that DAG's rows alone (nine weeks of them); what has no DAG in it (files, the scheduler) is asked
whole. Of the other DAGs only what a cause needs is looked at, in this week and the one before: which of them fail with the same
error, and, where this DAG waits, how they filled the pools and the executor meanwhile.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from windsock.config import Config
from windsock.findings.pools.bounds import BOUNDS, pool_bounds
from windsock.findings.waiting import ANSWERS as WAITING
from windsock.findings.waiting import QUESTIONS as WAITING_QUESTIONS
from windsock.findings.waiting import waiting_answers
from windsock.findings.why import (
    CASE_TRIES,
    NEAR_DAGS,
    THRESHOLDS,
    TOLD_BY,
    WHOLE,
    Case,
    Told,
    explain,
    thresholds_answer,
)
from windsock.findings.why.waiting_for import LEAST_HOURS
from windsock.lake import Lake
from windsock.model import Answer, Row
from windsock.one_case import sql as case_sql
from windsock.questions import Question, ask, ask_of_dag, ask_sql, ask_with
from windsock.week import Week

OF_ALL = ("heartbeat_gaps", "logs_missing_by_place", "queues_of_week")
"""Questions about tries of every DAG: asked where there are metrics, a try of this one has no log, or stands in a queue."""
ERRORS = "incidents_by_error"


@dataclass(frozen=True, slots=True)
class Explained:
    """What was asked, what speaks for it, and what was seen at all: `activity` of the DAG, `unseen` inputs of the week, and
    `notes` on what the pipeline file says of it."""

    case: Case
    told: tuple[Told, ...]
    activity: Row | None
    unseen: tuple[str, ...]
    notes: tuple[str, ...] = ()


def explained(
    conn: Any, case: Case, *, week: Week, questions: Mapping[str, Question], config: Config
) -> Explained:
    """Ask what the causes need, and let them speak, by the thresholds and the scope of the pipeline file."""
    scope = config.pipeline.scope
    asked, dag_id = case, config.renamed.get(case.dag_id, case.dag_id)
    task_id = config.renamed_tasks.get(f"{dag_id}/{case.task_id}", case.task_id)
    case = replace(case, dag_id=dag_id, task_id=task_id)
    notes = _notes(asked, case, scope.exclude)
    answers = {
        THRESHOLDS: thresholds_answer(config.pipeline.findings),
        BOUNDS: pool_bounds(config.pipeline.pools),
    }
    answers["inputs_seen"] = ask(conn, questions["inputs_seen"])
    known: set[str] = {row["dag_id"] for row in ask_sql(conn, case_sql.NAMES).rows}

    Lake.look_at_dag(conn, case.dag_id)
    names = {"dag_id": case.dag_id, "task_id": case.task_id, "run_id": case.run_id}
    for name in sorted({*TOLD_BY, *WAITING_QUESTIONS} - {*WAITING, *OF_ALL}):
        one = questions[name]
        of_dag = "dag_id" in one.grain and name not in WHOLE and "component_events" not in one.reads[:1]
        answers[name] = ask_of_dag(conn, one, case.dag_id) if of_dag else ask(conn, one)
    answers[CASE_TRIES] = ask_with(conn, CASE_TRIES, case_sql.TRIES, names)

    Lake.look_at_all(conn, weeks_back=0)
    answers |= _of_others(conn, case, answers, questions, scope.exclude)
    answers |= waiting_answers(answers, week)
    known |= {row["dag_id"] for row in answers["dag_states"].rows}
    near = difflib.get_close_matches(case.dag_id, sorted(known - {case.dag_id}), n=3, cutoff=0.75)
    answers[NEAR_DAGS] = Answer(NEAR_DAGS, ("dag_id",), tuple({"dag_id": one} for one in near))
    activity = next(iter(answers["dag_activity"].rows), None)
    unseen = tuple(row["input"] for row in answers["inputs_seen"].rows if not row["row_count"])
    return Explained(case, explain(case, answers), activity, unseen, notes)


def _notes(asked: Case, case: Case, exclude: Sequence[str]) -> tuple[str, ...]:
    notes, name = [], case.dag_id
    for before, now in ((asked.dag_id, name), (asked.task_id, case.task_id)):
        if now != before:
            notes.append(f"[scope] renamed: {before} is told as {now}")
    if pattern := next((one for one in exclude if fnmatchcase(name, one)), ""):
        notes.append(
            f"[scope] exclude has {pattern!r}: {name} is stored and never judged, no finding names it"
        )
    return tuple(notes)


def _of_others(
    conn: Any,
    case: Case,
    answers: Mapping[str, Answer],
    questions: Mapping[str, Question],
    exclude: Sequence[str],
) -> dict[str, Answer]:
    """What the other DAGs have to do with it."""
    tries = answers[CASE_TRIES].rows
    found = {name: ask(conn, questions[name]) for name in OF_ALL if _is_needed(name, answers, tries)}
    found[ERRORS] = _with_others(conn, case, answers[ERRORS], exclude)
    if _hours_waited(answers) >= LEAST_HOURS:
        own = answers["try_waits"]
        others = ask_with(conn, "try_waits", case_sql.OTHERS, {"dag_id": case.dag_id})
        found["try_waits"] = replace(own, rows=(*own.rows, *others.rows))
    return found


def _is_needed(name: str, answers: Mapping[str, Answer], tries: Sequence[Row]) -> bool:
    if name == "logs_missing_by_place":
        return bool(answers["lost_tries"].rows) or any(
            not row["has_log"] and row["ended_at"] for row in tries
        )
    if name == "queues_of_week":
        return any(row["state"] == "queued" and row["started_at"] is None for row in tries)
    return any(row["input"] == "metric_samples" and row["row_count"] for row in answers["inputs_seen"].rows)


def _with_others(conn: Any, case: Case, mine: Answer, exclude: Sequence[str]) -> Answer:
    """This DAG's errors of the week, with the names of all DAGs that fail with them."""
    if not mine.rows:
        return mine
    hit: dict[str, set[str]] = {}
    for row in ask_with(conn, ERRORS, case_sql.ELSEWHERE, {"dag_id": case.dag_id}).rows:
        if not any(fnmatchcase(row["dag_id"], pattern) for pattern in exclude):
            hit.setdefault(row["cause"], set()).add(row["dag_id"])
    rows = []
    for row in mine.rows:
        dag_ids = sorted({case.dag_id, *hit.get(row["cause"], ())})
        rows.append({**row, "dag_ids": dag_ids, "dags": len(dag_ids)})
    return replace(mine, rows=tuple(rows))


def _hours_waited(answers: Mapping[str, Answer]) -> float:
    """From ready to begun, summed over the DAG's tries: where it is little nobody need ask who stood in the way."""
    waited = 0.0
    for row in answers["try_waits"].rows:
        for ready, taken, started in zip(row["ready_s"], row["taken_s"], row["started_s"], strict=True):
            waited += max(0.0, taken - ready) if ready is not None else 0.0
            waited += max(0.0, started - taken) if started is not None and taken >= 0 else 0.0
    return waited / 3600
