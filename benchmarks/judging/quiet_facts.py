"""What API, database and metrics tell of the healthy fleet: settings, DAGs, versions, parses of all files, pools, executor, heartbeats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from benchmarks.judging.quiet_fleet import BUNDLE, DAYS, HOUR, MINUTE, PODS, START, WEEK, WORKERS, Dag, Fleet
from windsock import resources
from windsock.reviewed.settings import load_settings, names_of

VERSION, BEFORE = "3.3.2", "3.3.1"
UPGRADED_ON = 51  # day, in the week before the last: patches change no meaning
PROVIDER, PROVIDERS = "provider.apache-airflow-providers-amazon.version", ("9.14.0", "9.15.0")
API, TOTALS = "api:fleet", {"default_pool": 128, "warehouse": 12}
STAGING = "staging"  # a pool of this month that nothing uses yet
SLOTS, GAUGED_WEEKS = 64, 3  # of two schedulers; of samples by the minute
EXECUTORS = f"CeleryExecutor,{PODS}"


def tell(fleet: Fleet, dags: Sequence[Dag]) -> None:
    """All of it; the tries are there already."""
    _deployment(fleet)
    _dags(fleet, dags)
    _versions(fleet, dags)
    _parses(fleet)
    _gauges(fleet)


def _fact(fleet: Fleet, day: float, key: str, value: object) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    fleet.add("deployments", seen_at=START + timedelta(days=day), key=key, value=text, object_url=API)


def _deployment(fleet: Fleet) -> None:
    """Version and provider day by day; all settings at Airflow's defaults, and an old name that is still read, week by week."""
    names = names_of(load_settings(resources.folder("sql")), VERSION)
    told = [one for one in names if one.status == "current" and one.section and one.default]
    old = next(one for one in names if one.status == "still_read")
    for day in range(DAYS):
        is_new = day >= UPGRADED_ON
        _fact(fleet, day, "airflow.version", VERSION if is_new else BEFORE)
        _fact(fleet, day, PROVIDER, PROVIDERS[is_new])
        if day % 7 == 6:
            for one in told:
                _fact(fleet, day, one.fact, one.default)
            _fact(fleet, day, old.fact, next(one.default for one in told if one.setting == old.setting))
            _fact(fleet, day, "config.core.executor", EXECUTORS)


def _dags(fleet: Fleet, dags: Sequence[Dag]) -> None:
    """State, file, limits, owner and alerts of each DAG, once a week; one more DAG is tried out and has no alert."""
    for day in range(6, DAYS, 7):
        for place, dag in enumerate(dags):
            if not dag.days[0] <= day < dag.days[1] + 7:
                continue
            is_told, count = dag.dag_id != "branches", len(dag.tasks)
            file = {"dag_file": dag.dag_file or f"{dag.dag_id}.py", "bundle_name": BUNDLE}
            state = {"is_paused": dag.days[1] <= day, "is_gone": False, "is_broken": False}
            alerts = {"tasks": count, "dag_callback": is_told and place % 2 == 0, "mailed_tasks": 0, "failure_tasks": 0,
                      "callback_tasks": count * is_told, "told_tasks": count * is_told, "sla_tasks": 0,
                      "deadline": False}  # fmt: skip
            for kind, value in {"file": file, "state": state, "alerts": alerts, "owner": f"team_{place % 4}",
                                "limits": {"max_active_tasks": 16, "max_active_runs": 16}}.items():  # fmt: skip
                _fact(fleet, day, f"dag_{kind}.{dag.dag_id}", value)
            _tasks(fleet, dag, day)


def _tasks(fleet: Fleet, dag: Dag, day: int) -> None:
    """What the DAG is made of, as it is read that day."""
    tasks = [one for one in dag.tasks if one.days[0] <= day < one.days[1]]
    before = [one.after or (tasks[place - 1].task_id if place else "") for place, one in enumerate(tasks)]
    for task in tasks:
        after = [one.task_id for place, one in enumerate(tasks) if before[place] == task.task_id]
        fleet.add("dag_tasks", seen_at=START + timedelta(days=day), dag_id=dag.dag_id, task_id=task.task_id, operator=task.operator,
                  trigger_rule="all_success", depends_on_past=0, wait_for_downstream=0, is_mapped=0, retries=1, pool=dag.pool,
                  pool_slots=task.slots, priority_weight=1, downstream_task_ids=after, source="api", object_url=API)  # fmt: skip


def _versions(fleet: Fleet, dags: Sequence[Dag]) -> None:
    """A commit changes a DAG in ten; `dag_00` is being worked on in the last week."""
    count = dict.fromkeys((dag.dag_id for dag in dags), 0)
    for at, sha in fleet.versions:
        for dag in dags:
            is_worked_on = dag.dag_id == "dag_00" and at >= WEEK.from_at
            if is_worked_on or fleet.rng.random() < 0.1 or not count[dag.dag_id]:
                count[dag.dag_id] += 1
                day = (at - START) / timedelta(days=1) + 0.001
                value = {"version_number": count[dag.dag_id], "bundle_name": BUNDLE, "bundle_version": sha}
                _fact(fleet, day, f"dag_version.{dag.dag_id}", value)


def _parses(fleet: Fleet) -> None:
    """A parse of each file every half hour, by the processor's table: noise, busy hours, an outlier now and then. Gauges of
    StatsD tell the same of a third of the files."""
    files = sorted({row["dag_file"] for row in fleet.tables["task_logs"]})
    for place, name in enumerate(files):
        level = float(fleet.rng.uniform(0.2, 4))
        for step in range(DAYS * 48):
            at = START + step * timedelta(minutes=30) + timedelta(seconds=float(fleet.rng.uniform(0, 20)))
            odd = float(fleet.rng.uniform(2, 5)) if fleet.rng.random() < 0.005 else 1.0
            took = level * odd * float(fleet.rng.lognormal(0, 0.06)) * (1.1 if 8 <= at.hour < 18 else 1.0)
            fleet.add("parse_samples", parsed_at=at, dag_file=name, bundle_name=BUNDLE, parse_s=took, dag_count=1, error_count=0,
                      source="stats_table", bundle_version=fleet.version_at(at))  # fmt: skip
            if place % 3 == 0 and step % 4 == 0:
                fleet.add("parse_samples", parsed_at=at, dag_file=name.removesuffix(".py"), bundle_name=None, parse_s=took,
                          dag_count=None, error_count=None, source="metric")  # fmt: skip


def _gauges(fleet: Fleet) -> None:
    """Pools and executor as the tries held them, heartbeats and the counter of missed deadlines, each minute."""
    from_at = WEEK.minus(GAUGED_WEEKS - 1).from_at
    minutes = np.arange(GAUGED_WEEKS * 7 * 24 * 60)
    held: dict[str, Any] = {name: np.zeros(len(minutes) + 1) for name in TOTALS}
    for row in fleet.tables["task_instances"]:
        if row.get("queued_at") and row["ended_at"] > from_at:
            begin, end = ((row[name] - from_at) / MINUTE for name in ("queued_at", "ended_at"))
            held[row["pool"]][max(0, int(np.ceil(begin)))] += row["pool_slots"]
            held[row["pool"]][min(len(minutes), int(np.ceil(end)))] -= row["pool_slots"]
    used = {name: np.cumsum(steps)[:-1].astype(int) for name, steps in held.items()}
    for minute in minutes:
        at = from_at + int(minute) * MINUTE
        for name, total in TOTALS.items():
            running = int(used[name][minute])
            fleet.add("pool_samples", sampled_at=at, pool=name, total_slots=total, open_slots=total - running, source="metric",
                      running_slots=running, queued_slots=0, deferred_slots=0, scheduled_slots=0)  # fmt: skip
        running = sum(int(one[minute]) for one in used.values())
        values = {"executor.open_slots": SLOTS - running, "executor.running_tasks": running, "executor.queued_tasks": 0,
                  "scheduler_heartbeat": 12, "triggerer_heartbeat": 60, "dag_processor_heartbeat": 12}  # fmt: skip
        if minute % 60 == 0:
            fleet.add("pool_samples", sampled_at=at, pool=STAGING, total_slots=4, open_slots=4, source="metric", running_slots=0,
                      queued_slots=0, deferred_slots=0, scheduled_slots=0)  # fmt: skip
            values["deadline_alerts.deadline_missed"] = 1 if minute == 60 * 24 * 3 else 0
        for name, value in values.items():
            is_counter = name.endswith(("heartbeat", "missed"))
            fleet.add("metric_samples", sampled_at=at, name=name, kind="counter" if is_counter else "gauge", value=float(value),
                      sample_count=1, min_value=float(value), max_value=float(value), raw_name=f"airflow_{name}", from_at=at,
                      until_at=at + MINUTE, labels={})  # fmt: skip


def start_components(fleet: Fleet) -> None:
    """What components say of themselves when they begin, once a week."""
    for week in range(DAYS // 7):
        at = START + timedelta(weeks=week) + 3 * HOUR
        for component in ("scheduler", "triggerer", "dag-processor"):
            fleet.add("component_events", event_at=at, component=component, event="started")
        for executor in EXECUTORS.split(","):
            fleet.add(
                "component_events",
                event_at=at,
                component="scheduler",
                event="executor_loaded",
                reason=executor,
            )
        for host in WORKERS:
            fleet.add(
                "component_events",
                event_at=at + MINUTE,
                component="worker",
                event="worker_ready",
                hostname=host,
            )
