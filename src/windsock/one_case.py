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
from windsock.findings.why import CASE_TRIES, QUESTIONS, Case, Told, explain
from windsock.model import Answer, Row
from windsock.questions import Question, ask, ask_case
from windsock.week import Week

MOST_TRIES = 2000  # of one case, the newest: what is older explains no week

# the case's tries with the places where they stood, and what the scheduler held them back for
TRIES = f"""
select
    tries.*,
    without_frame(tries.error_signature) as bare_signature,
    slots.ready_at,
    slots.ready_from,
    coalesce(slots.queued_at, tries.queued_at) as queued_at_told,
    (select max(greatest(started_at, queued_at)) from task_tries) as seen_until
from task_tries as tries
left join slot_tries as slots
    on slots.dag_id = tries.dag_id and slots.run_id = tries.run_id and slots.task_id = tries.task_id
    and slots.map_index = tries.map_index and slots.try_number = tries.try_number and slots.dag_id = $dag_id
where tries.dag_id = $dag_id
    and ($task_id = '' or tries.task_id = $task_id)
    and ($run_id = '' or tries.run_id = $run_id)
    and ($run_id <> '' or tries.week = report_week())
order by coalesce(tries.started_at, tries.queued_at, tries.scheduled_at) desc nulls last, tries.run_id, tries.task_id,
    tries.map_index, tries.try_number desc
limit {MOST_TRIES}
"""
HOLDS = """
select event, task_id, pool, min(event_at) as from_at, max(event_at) as until_at
from component_events
where (dag_id = $dag_id or (dag_id is null and event in ('pool_full', 'executor_full')))
    and event in ('pool_full', 'pool_slots_short', 'pool_too_small', 'max_active_tasks', 'max_active_runs',
        'max_active_tis_per_dag', 'max_active_tis_per_dagrun', 'executor_full')
    and event_at >= week_start() and event_at < week_end()
group by event, task_id, pool, date_trunc('hour', event_at)
"""
NAMES = "select distinct dag_id from task_tries where dag_id is not null"
