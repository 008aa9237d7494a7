"""A healthy fleet for nine weeks, as rows of the lake: DAGs at their own rhythm, tries that fail now and then, pods and workers.

Nothing changes in it. What else a healthy deployment shows (facts that API and database tell, gauges, parses) is made by
`quiet_facts`, one of each trouble that comes singly by `quiet_strays`, and what people do by `quiet_ends`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from windsock.week import Week

WEEK = Week.parse("2026-W47")
START = WEEK.minus(8).from_at
DAYS, MINUTE, HOUR, DAY = 63, timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ERRORS = ("KeyError: <>", "TimeoutError: read timed out after <n> s", "ConnectionError: <>", "ValueError: <>")
CELERY, PODS = "CeleryExecutor", "KubernetesExecutor"
WORKERS = tuple(f"worker-{n}" for n in range(4))
BUNDLE = "git"
USUAL_ERROR = "record skipped: no address"
Row = dict[str, Any]
Rows = list[Row]
TRY = ("dag_id", "run_id", "task_id", "map_index", "try_number")


@dataclass(slots=True)
class Fleet:
    """Rows by table, as they are made."""

    rng: np.random.Generator
    tables: dict[str, Rows] = field(default_factory=dict)
    versions: Sequence[tuple[datetime, str]] = ()

    def add(self, table: str, **row: Any) -> dict[str, Any]:
        self.tables.setdefault(table, []).append(row)
        return row

    def event(self, at: datetime, event: str, row: Row | None = None, **more: Any) -> None:
        """What a component told, of the try in `row` where it names one."""
        of_try = {name: row[name] for name in TRY} if row else {}
        component = more.pop("component", "scheduler")
        self.add("component_events", event_at=at, component=component, event=event, **of_try, **more)

    def drop(self, is_gone: Callable[[Row], bool]) -> None:
        """Take tries or runs out of every table that tells them."""
        urls = {row["object_url"] for row in self.tables["task_logs"] if is_gone(row)}
        for table in ("task_logs", "task_instances", "dag_runs", "log_events"):
            self.tables[table] = [row for row in self.tables[table] if not is_gone(row)]
        self.tables["objects"] = [row for row in self.tables["objects"] if row["object_url"] not in urls]

    def version_at(self, at: datetime) -> str:
        """The commit that stood at a moment."""
        return [sha for since, sha in self.versions if since <= at][-1]


@dataclass(frozen=True, slots=True)
class Task:
    """`usual_s`: seconds that a try takes, the median. `waits`: what it waits for without work of its own."""

    task_id: str
    usual_s: float
    operator: str = "PythonOperator"
    waits: str = ""  # poked: in its slot; rescheduled, deferred: without one
    in_share: float = 1.0  # of the runs, that have it
    logs_errors: float = 0.0  # share of the successes that log an error nobody minds
    slots: int = 1
    days: tuple[int, int] = (0, DAYS)  # of the DAG that has it
    after: str = ""  # the task before it, where that is not the one named before
    maps: tuple[int, int] = (0, 0)  # how many indexes it has: from, and below


@dataclass(frozen=True, slots=True)
class Dag:
    """`days`: from the first to the one after the last on which it runs. `rate`: of runs in which a task fails."""

    dag_id: str
    every_h: int
    tasks: Sequence[Task]
    rate: float = 0.02
    saved: float = 0.6  # of the failed tasks, by their second try
    error: str = ERRORS[0]
    pool: str = "default_pool"
    executor: str = CELERY
    days: tuple[int, int] = (0, DAYS)
    dag_file: str = ""
    place: int = 0  # minute of the hour, and day of a weekly one
    held_s: float = 1.6  # seconds that a ready task stands before it is queued, the mean


def ordinary_dags(rng: np.random.Generator, count: int) -> list[Dag]:
    """Chains of tasks: each DAG has its own rhythm, error, failure rate and durations; every fifth runs in pods."""
    made = []
    for n in range(count):
        is_pod = n % 5 == 3
        every = int(rng.choice([1, 3, 6, 24, 24, 168]))
        low = 5.0 if is_pod else 3.5  # nobody sends a task of a minute to a pod of its own
        tasks = [Task(f"t{k}", float(np.exp(rng.uniform(low, 6.5)))) for k in range(int(rng.integers(1, 5)))]
        rate, saved = float(rng.beta(0.6, 14)), float(rng.uniform(0.2, 0.9))
        made.append(
            Dag(
                f"dag_{n:02}",
                every,
                tasks,
                rate,
                saved,
                str(rng.choice(ERRORS)),
                "warehouse" if n % 4 == 0 else "default_pool",
                PODS if is_pod else CELERY,
                place=n,
            )
        )
    return made


SHAPED = (
    # a sensor of each kind; the errors of `sift` are as old as itself
    Dag(
        "wait_and_load",
        6,
        (
            Task("wait_file", 300, "S3KeySensor", "poked"),
            Task("wait_table", 1200, "SqlSensor", "rescheduled"),
            Task("run_query", 600, "BigQueryInsertJobOperator", "deferred"),
            Task("sift", 120, logs_errors=0.2),
        ),
        place=7,
        held_s=60,
    ),
    Dag(
        "branches", 3, (Task("choose", 30), Task("rare_branch", 90, in_share=0.5), Task("join", 20)), place=11
    ),
    # tasks of three slots in a pool that others share; and a task that became two: no rename
    Dag(
        "join_tables",
        3,
        (Task("sort", 200, slots=3), Task("merge", 150, slots=3), Task("tell", 20)),
        pool="warehouse",
        place=29,
    ),
    Dag(
        "reworked",
        6,
        (
            Task("extract", 90),
            Task("load", 240, days=(0, 40)),
            Task("load_rows", 120, days=(40, DAYS)),
            Task("load_totals", 110, days=(40, DAYS), after="extract"),
            Task("check", 30),
        ),
        place=31,
    ),
    Dag("partners", 12, (Task("list", 20), Task("load", 60, maps=(5, 12)), Task("sum_up", 30)), place=37),
    Dag("hourly_check", 1, (Task("check", 40),), place=13),
    Dag("sandbox_report", 24, (Task("draw", 60),), days=(0, 20), place=17),
    Dag("new_this_week", 6, (Task("load", 200), Task("publish", 60)), rate=0.01, days=(58, DAYS), place=19),
    # one task each of one file: alike, and no rename
    Dag("trial_a", 24, (Task("try_out", 60),), days=(0, 8), dag_file="trial.py", place=23),
    Dag("trial_b", 24, (Task("try_out", 60),), days=(10, DAYS), dag_file="trial.py", place=23),
)
"""DAGs of shapes that the ordinary ones do not have."""


def grow(fleet: Fleet, dags: Sequence[Dag]) -> None:
    """Runs and tries of nine weeks."""
    fleet.versions = _releases(fleet.rng)
    for dag in dags:
        for day in range(*dag.days):
            today = min(0.9, dag.rate * float(fleet.rng.lognormal(-0.08, 0.4)))
            for hour in range(0, 24, min(dag.every_h, 24)):
                if dag.every_h == 168 and day % 7 != dag.place % 7:
                    continue
                run(
                    fleet,
                    dag,
                    "scheduled",
                    START + timedelta(days=day, hours=hour, minutes=dag.place % 50),
                    today,
                )
            if fleet.rng.random() < 0.02:
                run(
                    fleet,
                    dag,
                    "manual",
                    START + timedelta(days=day, hours=float(fleet.rng.uniform(8, 18))),
                    today,
                )


def _releases(rng: np.random.Generator) -> list[tuple[datetime, str]]:
    at, made = START - timedelta(days=1), []
    while at < WEEK.to_at:
        made.append((at, f"{rng.integers(16**10):010x}"))
        at += timedelta(hours=float(rng.uniform(24, 72)))
    return made


def run(
    fleet: Fleet,
    dag: Dag,
    kind: str,
    due: datetime,
    rate: float,
    *,
    began: datetime | None = None,
    hangs_s: float = 0,
) -> dict[str, Any]:
    """One run of a DAG, with the tries of its tasks one after another; a backfill begins later than it is due. Tries that fail
    take `hangs_s`, where it is given. Returns the run's row."""
    anchored = began or due
    rng, run_id, version = fleet.rng, f"{kind}__{due.isoformat()}", fleet.version_at(anchored)
    day = (anchored - START) // DAY
    tasks = [one for one in dag.tasks if rng.random() < one.in_share and one.days[0] <= day < one.days[1]]
    breaks = int(rng.integers(len(tasks))) if rng.random() < rate else -1
    at, is_lost = anchored + timedelta(seconds=float(rng.uniform(1, 6))), False
    first_at, anchor = at, anchored
    for place, task in enumerate(tasks):
        if is_lost:
            fleet.add("task_instances", **told(dag, run_id, task, 0, "upstream_failed"), anchor_at=anchor)
            continue
        tries = 1 if place != breaks else 2 if rng.random() < dag.saved else 3
        is_lost = tries == 3
        for number in range(1, min(tries, 2) + 1):
            fails = place == breaks and (number == 1 or is_lost)
            indexes = range(int(rng.integers(*task.maps))) if task.maps[1] else (-1,)
            at = max(
                one_try(
                    fleet, dag, run_id, task, number, at, anchor, version, fails=fails, took_s=hangs_s * fails, index=index
                )
                for index in indexes
            )  # fmt: skip
            waits = 300.0 if fails and number == 1 else float(rng.uniform(1, 4))
            at += timedelta(seconds=waits)
    return fleet.add("dag_runs", dag_id=dag.dag_id, run_id=run_id, run_type=kind, state="failed" if is_lost else "success",
              logical_date=due, run_after=anchor, queued_at=anchor, started_at=first_at, ended_at=at, bundle_version=version,
              anchor_at=anchor, source="api", told_at=at)  # fmt: skip


def told(dag: Dag, run_id: str, task: Task, number: int, state: str, index: int = -1) -> dict[str, Any]:
    """A try as the API tells it, without its times."""
    return {"dag_id": dag.dag_id, "run_id": run_id, "task_id": task.task_id, "map_index": index, "try_number": number, "state": state,
            "max_tries": 1, "operator": task.operator, "pool": dag.pool, "pool_slots": task.slots,
            "queue": "default" if dag.executor == CELERY else "kubernetes", "executor": dag.executor, "priority_weight": 1,
            "source": "api"}  # fmt: skip


def one_try(fleet: Fleet, dag: Dag, run_id: str, task: Task, number: int, ready: datetime, anchor: datetime, version: str, *,
            fails: bool = False, took_s: float = 0, index: int = -1) -> datetime:  # fmt: skip
    """One try as log, ledger and API tell it; returns its end."""
    rng, is_pod = fleet.rng, dag.executor == PODS
    queued = ready + timedelta(seconds=float(rng.uniform(0.1, 1.9)) * dag.held_s)
    started = queued + timedelta(seconds=float(rng.lognormal(2.5 if is_pod else 0.7, 0.4)))
    busy = 1.08 if 8 <= started.hour < 18 else 1.0
    took = took_s or task.usual_s * busy * float(rng.lognormal(0, 0.25)) * (
        float(rng.uniform(0.2, 1)) if fails else 1.0
    )
    ended, state = started + timedelta(seconds=took), "failed" if fails else "success"
    host = (
        f"{dag.dag_id}-{task.task_id}-{rng.integers(10**6):06}".replace("_", "-")
        if is_pod
        else str(rng.choice(WORKERS))
    )
    url = f"s3://b/{dag.dag_id}/{run_id}/{task.task_id}/{index}/{number}"
    size, signature = (
        int(rng.lognormal(9, 0.3)),
        f"{dag.error} @ {dag.dag_id}.py:{task.task_id}" if fails else None,
    )
    is_noted = not fails and rng.random() < task.logs_errors
    fleet.add("task_logs", dag_id=dag.dag_id, run_id=run_id, task_id=task.task_id, map_index=index, try_number=number, state=state,
              state_reason="exception" if fails else None, started_at=started, ended_at=ended, error_signature=signature,
              exception_type=dag.error.split(":")[0] if fails else None, exception_message="no" if fails else None,
              record_count=40, warning_count=0, error_count=int(fails or is_noted), log_bytes=size, bundle_name=BUNDLE,
              bundle_version=version, dag_file=dag.dag_file or f"{dag.dag_id}.py", hostname=host, dialect="airflow3_json",
              dag_file_parse_s=float(rng.lognormal(0, 0.3)), bundle_prepare_s=float(rng.lognormal(-1.5, 0.5)),
              operator=task.operator, object_url=url, object_modified_at=ended, **_away(task, started, ended, fails))  # fmt: skip
    fleet.add("objects", object_url=url, etag="1", size=size, modified_at=ended, kind="task_logs", outcome="parsed", rows=1,
              parser_version="1", read_at=WEEK.to_at)  # fmt: skip
    if fails or is_noted:
        fleet.add("log_events", dag_id=dag.dag_id, run_id=run_id, task_id=task.task_id, map_index=index, try_number=number,
                  logged_at=ended, record_no=39, level="error", logger="task",
                  message="Task failed with exception" if fails else USUAL_ERROR, error_signature=signature,
                  object_url=url)  # fmt: skip
    fleet.add("task_instances", **told(dag, run_id, task, number, state, index), hostname=host, scheduled_at=ready, queued_at=queued,
              started_at=started, ended_at=ended, anchor_at=anchor, told_at=ended)  # fmt: skip
    return ended


def _away(task: Task, started: datetime, ended: datetime, fails: bool) -> dict[str, Any]:
    """How a try gave its slot back while it waited: processes that began in its log, and the time between them."""
    nothing = {"process_starts": 1, "deferred_s": None, "rescheduled_s": None, "away": None}
    if fails or task.waits not in ("rescheduled", "deferred"):
        return nothing
    pokes = 4 if task.waits == "rescheduled" else 1
    part, spans = (ended - started) / (pokes + 1), []
    for n in range(pokes):
        left, back = started + n * part + timedelta(seconds=2), started + (n + 1) * part
        spans.append(f"{task.waits}/{left.isoformat()}/{back.isoformat()}")
    gone = pokes * (part.total_seconds() - 2)
    return {"process_starts": pokes + 1, "deferred_s": gone if task.waits == "deferred" else None,
            "rescheduled_s": gone if task.waits == "rescheduled" else None, "away": spans}  # fmt: skip
