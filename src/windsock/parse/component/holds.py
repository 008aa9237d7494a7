"""Why the scheduler did not start what was ready: which limit held it, in every version's words.

Texts: scheduler_job.py of 2.0.2 to scheduler_job_runner.py of 3.3.2 (`_executable_task_instances_to_queued`,
`_start_queued_dagruns`, `_should_update_dag_next_dagruns`), base_executor.py.
"""

from __future__ import annotations

import re
from dataclasses import replace

from windsock.parse.component.facts import Facts
from windsock.parse.component.ids import Who, from_repr
from windsock.parse.component.records import Told

_COUNT = re.compile(r"DAG (?P<dag>\S+) has (?P<value>\d{1,9})/(?P<limit>\d{1,9}) running and queued tasks")
_RUNS = re.compile(
    r"DAG (?P<dag>\S+) is at \(or above\) max_active_runs \((?P<value>\d{1,9}) of (?P<limit>\d{1,9})\)"
)
_RUN_HELD = re.compile(
    r"dag cannot be started due to (?P<kind>dag|backfill) max_active_runs constraint; "
    r"active_runs=(?P<value>\d{1,9}) max_active_runs=(?P<limit>\d{1,9}) dag_id=(?P<dag>\S+) run_id=(?P<run>\S+)"
)
_POOL_FULL = re.compile(
    r"Not scheduling since there are (?P<open>-?\d{1,9}) open slots in pool (?P<pool>.+)", re.DOTALL
)
_POOL_GONE = re.compile(r"Tasks using non-existent pool '(?P<pool>.+)' will not be scheduled", re.DOTALL)
_TOO_SMALL = re.compile(
    r"Requested pool slots \((?P<value>\d{1,9})\) are greater than total pool slots: '(?P<limit>-?\d{1,9})' "
    r"for pool: (?P<pool>.+?)\.?\Z",
    re.DOTALL,
)
_SHORT = re.compile(
    r"since it requires (?P<value>\d{1,9}) slots but there are (?P<limit>-?\d{1,9}) open slots in the pool (?P<pool>.+?)\.?\Z",
    re.DOTALL,
)
_TASKS = re.compile(
    r"from DAG (?P<dag>\S+) is >= to the DAG's (?:max_active_tasks|task concurrency) limit of (?P<limit>\d{1,9})"
)


def tell_holds(told: Told, component: str, facts: Facts) -> None:
    """One record of a scheduler or executor."""
    text = told.text
    if text.startswith("Not executing "):
        _not_executing(told, component, facts)
    elif text.startswith("Not scheduling "):
        if match := _POOL_FULL.match(text):
            facts.event(told.at, component, "pool_full", pool=match["pool"].strip())
        elif "available slots" in text and (who := from_repr(text)):
            facts.event(told.at, component, "executor_full", who)
    elif match := _COUNT.match(text):
        facts.dag_ids.add(match["dag"])
        numbers = {"value": int(match["value"]), "limit_value": int(match["limit"])}
        facts.event(told.at, component, "dag_task_count", Who(match["dag"]), **numbers)
    elif match := _RUNS.match(text) or _RUN_HELD.match(text):
        facts.dag_ids.add(match["dag"])
        told_of = match.groupdict()
        who = Who(match["dag"], told_of.get("run"))
        numbers = {"value": int(match["value"]), "limit_value": int(match["limit"])}
        facts.event(
            told.at, component, "max_active_runs", who, reason=told_of.get("kind") or "dag", **numbers
        )
    elif match := _POOL_GONE.match(text):
        facts.event(told.at, component, "pool_missing", pool=match["pool"])
    elif text.startswith("Executor parallelism limit reached"):
        facts.event(told.at, component, "executor_full")


def _not_executing(told: Told, component: str, facts: Facts) -> None:
    text = told.text
    who = from_repr(text)
    if who is None:
        return
    if match := _TASKS.search(text):
        dag = match["dag"]
        facts.dag_ids.add(dag)
        if who.joined and who.joined.startswith(f"{dag}."):
            who = replace(who, dag_id=dag, task_id=who.joined[len(dag) + 1 :], joined=None)
        facts.event(told.at, component, "max_active_tasks", who, limit_value=int(match["limit"]))
    elif "task concurrency per DAG run for" in text:
        facts.event(told.at, component, "max_active_tis_per_dagrun", who)
    elif "task concurrency for" in text:
        facts.event(told.at, component, "max_active_tis_per_dag", who)
    elif match := _TOO_SMALL.search(text) or _SHORT.search(text):
        numbers = {"value": int(match["value"]), "limit_value": int(match["limit"])}
        kind = "pool_too_small" if match.re is _TOO_SMALL else "pool_slots_short"
        facts.event(told.at, component, kind, who, pool=match["pool"], **numbers)
