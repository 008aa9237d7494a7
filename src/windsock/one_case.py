"""Why one DAG, task or run does not run: the week's answers about it, read from the lake, and the causes that speak for it.

A question is one SELECT, so it is asked of one DAG by wrapping it; what has no DAG in it (files, queues, the scheduler) is
asked whole. The waiting of one DAG needs all others: limits are shared.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings.waiting import ANSWERS as WAITING
from windsock.findings.waiting import QUESTIONS as WAITING_QUESTIONS
from windsock.findings.waiting import waiting_answers
from windsock.findings.why import CASE_TRIES, NEAR_DAGS, QUESTIONS, WHOLE, Case, Told, explain
from windsock.lake import Lake
from windsock.model import Answer, Row
from windsock.questions import Question, ask, ask_of_dag, ask_sql, ask_with
from windsock.week import Week

MOST_TRIES = 2000  # of one case, the newest: what is older explains no week

HOLDS = """'pool_full', 'pool_slots_short', 'max_active_tasks', 'max_active_runs', 'max_active_tis_per_dag',
    'max_active_tis_per_dagrun', 'executor_full'"""

# the case's tries, where they stood until they began, and what the scheduler said most while they stood
TRIES = f"""
with tries as (
    select *, without_frame(error_signature) as bare_signature
    from task_tries
    where dag_id = $dag_id
        and ($task_id = '' or task_id = $task_id)
        and ($run_id = '' or run_id = $run_id)
        and ($run_id <> '' or week = report_week())
    order by coalesce(started_at, queued_at, scheduled_at) desc nulls last, run_id, task_id, map_index, try_number desc
    limit {MOST_TRIES}
),
slots as (
    select run_id, task_id, map_index, try_number, ready_at, ready_from from slot_tries where dag_id = $dag_id
),
stood as (
    select
        tries.*,
        slots.ready_at,
        slots.ready_from,
        (select max(greatest(started_at, queued_at)) from task_tries where week >= weeks_ago(1)) as seen_until
    from tries
    left join slots using (run_id, task_id, map_index, try_number)
),
failures as (
    select run_id, list_sort(list(distinct task_id)) as failed_in_run
    from task_tries
    where dag_id = $dag_id and state = 'failed'
    group by run_id
),
holds as (
    select event, dag_id, task_id, pool, event_at
    from component_events
    where event in ({HOLDS})
)
select
    stood.*,
    (
        select mode(event order by event)
        from holds
        where holds.event_at >= date_trunc('minute', stood.ready_at)
            and holds.event_at < coalesce(stood.queued_at, stood.started_at, stood.seen_until)
            and (
                holds.event = 'executor_full'
                or holds.event = 'pool_full' and holds.pool = stood.pool
                or holds.dag_id = stood.dag_id and coalesce(holds.task_id, stood.task_id) = stood.task_id
            )
    ) as hold,
    failures.failed_in_run
from stood
left join failures on stood.run_id = failures.run_id
order by coalesce(started_at, queued_at, scheduled_at) desc nulls last, run_id, task_id, map_index, try_number desc
"""
NAMES = "select distinct dag_id from task_tries where dag_id is not null order by dag_id"


@dataclass(frozen=True, slots=True)
class Explained:
    """What was asked, what speaks for it, and what was seen at all: `activity` of the DAG, `unseen` inputs of the week."""

    case: Case
    told: tuple[Told, ...]
    activity: Row | None
    unseen: tuple[str, ...]


def explained(conn: Any, case: Case, *, week: Week, questions: Mapping[str, Question]) -> Explained:
    """Ask what the causes need, and let them speak."""
    Lake.keep_tries(conn)
    answers: dict[str, Answer] = {}
    for name in sorted({*QUESTIONS, *WAITING_QUESTIONS, "inputs_seen"} - set(WAITING)):
        one = questions[name]
        of_dag = "dag_id" in one.grain and name not in WHOLE and name not in WAITING_QUESTIONS
        answers[name] = ask_of_dag(conn, one, case.dag_id) if of_dag else ask(conn, one)
    answers |= waiting_answers(answers, week)
    names = {"dag_id": case.dag_id, "task_id": case.task_id, "run_id": case.run_id}
    answers[CASE_TRIES] = ask_with(conn, CASE_TRIES, TRIES, names)
    known = [row["dag_id"] for row in (*ask_sql(conn, NAMES).rows, *answers["dag_states"].rows)]
    near = difflib.get_close_matches(case.dag_id, sorted({*known} - {case.dag_id}), n=3, cutoff=0.75)
    answers[NEAR_DAGS] = Answer(NEAR_DAGS, ("dag_id",), tuple({"dag_id": one} for one in near))
    activity = next(iter(answers["dag_activity"].rows), None)
    unseen = tuple(row["input"] for row in answers["inputs_seen"].rows if not row["row_count"])
    return Explained(case, explain(case, answers), activity, unseen)
