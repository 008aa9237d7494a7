"""A scheduler with every limit, simulated: who waited for what is known, because the simulation refused them itself.

Each pass goes over the ready tasks as Airflow does (scheduler_job_runner.py, `_executable_task_instances_to_queued`): by
priority, then by time; executor slots, pool, `max_active_tasks` (per DAG in 2.x, per run in 3.x), the task's own
concurrency. A task that is passed over waits one period for the first limit that refused it: that is the truth.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from windsock.findings.waiting import QUESTIONS, waiting_answers
from windsock.lake import Lake
from windsock.model import Answer, Row
from windsock.questions import ask, load_questions
from windsock.resources import folder
from windsock.week import Week

WEEK = Week.parse("2026-W47")
PERIOD_S, LOOK_S = 3.0, 0.3
LIMITS = ("pool", "max_active_tasks", "max_active_tis_per_dag", "max_active_runs", "executor")
COUNTED = (*LIMITS, "scheduler", "unattributed")


@dataclass(slots=True)
class Task:
    """One task of a DAG."""

    name: str
    upstream: list[str]
    pool: str
    slots: int
    weight: int
    run_s: float


@dataclass(slots=True)
class Dag:
    """One DAG: how often it runs, its tasks and its limits."""

    name: str
    every_s: float
    tasks: list[Task]
    max_tasks: int = 16
    max_runs: int = 16
    max_tis: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Fleet:
    """What is simulated."""

    dags: list[Dag]
    pools: dict[str, int]
    parallelism: int
    is_per_run: bool


@dataclass(slots=True)
class Seen:
    """What Airflow would tell of it, and the truth: hours by limit."""

    tries: list[Row]
    runs: list[Row]
    holds: set[tuple[str, str, str, str, int]]  # event, dag_id, task_id, pool, minute
    truth: dict[str, float]


def fleet(rng: np.random.Generator, *, is_per_run: bool) -> Fleet:
    """Eight DAGs, some tight limits, one or two of them planted where they bind."""
    dags = [_dag(rng, f"dag_{n}") for n in range(8)]
    made = Fleet(dags, {"default_pool": 128, "dwh": 64}, 512, is_per_run)
    for limit in rng.choice(LIMITS, rng.integers(1, 3), replace=False):
        _tighten(rng, made, str(limit))
    return made


def _dag(rng: np.random.Generator, name: str) -> Dag:
    """Two to four layers of tasks; each needs all of the layer before. Weights as the rule `downstream` gives them."""
    layers = [int(rng.integers(1, 7)) for _ in range(rng.integers(2, 5))]
    tasks: list[Task] = []
    before: list[str] = []
    for depth, width in enumerate(layers):
        mine = [f"t{depth}_{n}" for n in range(width)]
        pool = "dwh" if rng.random() < 0.3 else "default_pool"
        weight = 1 + sum(layers[depth + 1 :])
        tasks += [
            Task(
                one,
                list(before),
                pool,
                int(rng.choice([1, 1, 1, 2])),
                weight,
                float(rng.lognormal(np.log(120), 0.7)),
            )
            for one in mine
        ]
        before = mine
    return Dag(name, float(rng.choice([600, 900, 1800, 3600])), tasks)


def _tighten(rng: np.random.Generator, made: Fleet, limit: str) -> None:
    if limit == "pool":
        load = sum(
            task.slots * task.run_s / dag.every_s
            for dag in made.dags
            for task in dag.tasks
            if task.pool == "dwh"
        )
        made.pools["dwh"] = max(2, round(load * rng.uniform(1.2, 2.0)))
        return
    if limit == "executor":
        load = sum(task.run_s * 1.1 / dag.every_s for dag in made.dags for task in dag.tasks)
        made.parallelism = max(4, int(load * rng.uniform(1.2, 1.8)))
        return
    for place in rng.choice(len(made.dags), 3, replace=False):
        dag = made.dags[place]
        if limit == "max_active_tasks":
            dag.max_tasks = int(rng.integers(1, 4))
        elif limit == "max_active_runs":
            dag.max_runs = 1
            depths = [one.rpartition("_")[0] for one in (task.name for task in dag.tasks)]
            longest = sum(
                max(t.run_s for t, d in zip(dag.tasks, depths, strict=True) if d == one)
                for one in set(depths)
            )
            dag.every_s = longest * rng.uniform(1.1, 1.6)
        else:
            dag.max_tis = {task.name: 1 for task in dag.tasks}
            dag.every_s = max(task.run_s for task in dag.tasks) * rng.uniform(1.2, 1.6)


def simulate(rng: np.random.Generator, made: Fleet, *, hours: float = 24.0) -> Seen:
    """Run the loop over `hours` from Monday on, and until all that began has ended."""
    return _Loop(rng, made, hours * 3600).run()


@dataclass(slots=True)
class _Run:
    dag: Dag
    name: str
    due_s: float
    created_s: float
    started_s: float
    left: dict[str, Task]
    done: set[str] = field(default_factory=set)
    waiting: dict[str, float] = field(default_factory=dict)  # task → scheduled at
    ends: dict[str, float] = field(default_factory=dict)
    ended_s: float | None = None


class _Loop:
    def __init__(self, rng: np.random.Generator, made: Fleet, until_s: float) -> None:
        self.rng, self.made, self.until_s = rng, made, until_s
        self.due = {dag.name: float(rng.uniform(0, 60)) for dag in made.dags}
        self.active: list[_Run] = []
        self.running: list[tuple[float, int, _Run, Task]] = []
        self.pools = dict(made.pools)
        self.used: dict[Any, int] = {}
        self.seen = Seen([], [], set(), dict.fromkeys(COUNTED, 0.0))
        self.count = 0

    def run(self) -> Seen:
        now = 0.0
        while now < self.until_s or self.active:
            self._ends(now)
            if now < self.until_s:
                self._start_runs(now)
            self._schedule(now)
            self._queue(now + LOOK_S)
            now += PERIOD_S
        return self.seen

    def _ends(self, now: float) -> None:
        while self.running and self.running[0][0] <= now:
            end, _, run, task = heappop(self.running)
            run.ends[task.name] = end
            run.done.add(task.name)
            self.pools[task.pool] += task.slots
            for key in self._keys(run, task):
                self.used[key] -= 1
            if len(run.done) == len(run.dag.tasks):
                run.ended_s = now
                self.active.remove(run)
                self._tell_run(run)

    def _keys(self, run: _Run, task: Task) -> tuple[Any, ...]:
        scope = run.name if self.made.is_per_run else ""
        return ("all", ("dag", run.dag.name, scope), ("task", run.dag.name, task.name))

    def _start_runs(self, now: float) -> None:
        for dag in self.made.dags:
            while self.due[dag.name] <= now:
                if sum(run.dag is dag for run in self.active) >= dag.max_runs:
                    self._hold("max_active_runs", dag.name, "", "", now)
                    break
                due = self.due[dag.name]
                # a run that starts later than the next pass was refused in every pass between
                usual = min(now - due, -due % PERIOD_S)
                self.seen.truth["scheduler"] += usual / 3600
                self.seen.truth["max_active_runs"] += (now - due - usual) / 3600
                name = f"scheduled__{_at(due).isoformat()}"
                self.active.append(_Run(dag, name, due, now, now, {task.name: task for task in dag.tasks}))
                self.due[dag.name] += dag.every_s

    def _schedule(self, now: float) -> None:
        for run in self.active:
            for name in [n for n, task in run.left.items() if run.done.issuperset(task.upstream)]:
                if name not in run.waiting:
                    run.waiting[name] = now
                    self._noticed(run, run.left[name], now)

    def _noticed(self, run: _Run, task: Task, now: float) -> None:
        """Airflow 2 does not keep when a task was scheduled: there it waits for the scheduler from its upstreams' end on."""
        if not self.made.is_per_run:
            ready = max([run.started_s, *(run.ends[name] for name in task.upstream)])
            self.seen.truth["scheduler"] += (now - ready) / 3600

    def _queue(self, now: float) -> None:
        line = sorted(
            ((-run.left[name].weight, at, n, run, name) for n, run in enumerate(self.active) for name, at in run.waiting.items() if name in run.left),
            key=lambda one: one[:3],
        )  # fmt: skip
        for _, at, _, run, name in line:
            task = run.left[name]
            all_key, dag_key, task_key = self._keys(run, task)
            refused = (
                "executor" if self.used.get(all_key, 0) >= self.made.parallelism
                else "pool" if self.pools[task.pool] < task.slots
                else "max_active_tasks" if self.used.get(dag_key, 0) >= run.dag.max_tasks
                else "max_active_tis_per_dag" if self.used.get(task_key, 0) >= run.dag.max_tis.get(name, 10**9)
                else ""
            )  # fmt: skip
            if refused:
                self.seen.truth[refused] += PERIOD_S / 3600
                self._hold(refused, run.dag.name, name, task.pool, now)
                continue
            self.seen.truth["scheduler"] += LOOK_S / 3600
            self._take(run, task, at, now)

    def _hold(self, limit: str, dag_id: str, task_id: str, pool: str, now: float) -> None:
        minute = int(now // 60)
        event = {
            "executor": ("executor_full", "", "", ""),
            "pool": ("pool_full" if self.pools.get(pool) == 0 else "pool_slots_short", "", "", pool),
            "max_active_tasks": ("max_active_tasks", dag_id, task_id, ""),
            "max_active_runs": ("max_active_runs", dag_id, "", ""),
        }.get(limit, (limit, dag_id, task_id, ""))
        self.seen.holds.add((*event, minute))

    def _take(self, run: _Run, task: Task, ready: float, now: float) -> None:
        launch = float(self.rng.lognormal(np.log(2), 0.4))
        end = now + launch + task.run_s * float(self.rng.lognormal(0, 0.25))
        del run.left[task.name], run.waiting[task.name]
        self.pools[task.pool] -= task.slots
        for key in self._keys(run, task):
            self.used[key] = self.used.get(key, 0) + 1
        self.count += 1
        heappush(self.running, (end, self.count, run, task))
        self.seen.tries.append(
            {"dag_id": run.dag.name, "run_id": run.name, "task_id": task.name, "map_index": -1, "try_number": 1,
             "state": "success", "pool": task.pool, "pool_slots": task.slots, "priority_weight": task.weight,
             "scheduled_at": _at(ready), "queued_at": _at(now), "started_at": _at(now + launch), "ended_at": _at(end),
             "anchor_at": _at(now), "object_url": "db:x"}
        )  # fmt: skip

    def _tell_run(self, run: _Run) -> None:
        self.seen.runs.append(
            {"dag_id": run.dag.name, "run_id": run.name, "run_type": "scheduled", "run_after": _at(run.due_s),
             "queued_at": _at(run.created_s), "started_at": _at(run.started_s), "anchor_at": _at(run.due_s),
             "ended_at": _at(run.ended_s or 0), "state": "success"}
        )  # fmt: skip


def _at(seconds: float) -> datetime:
    return WEEK.from_at + timedelta(seconds=seconds)


def answered(seen: Seen, made: Fleet, *, told: str) -> dict[str, Answer]:
    """The waiting as windsock answers it from a lake of this. `told`: limits by `api`, by the
    scheduler's `log`, or only the sizes of the `pools`."""
    tries = seen.tries if made.is_per_run else [row | {"scheduled_at": None} for row in seen.tries]
    with tempfile.TemporaryDirectory() as root:
        _write(Path(root), "task_instances", tries)
        _write(Path(root), "dag_runs", seen.runs)
        samples = [
            {"sampled_at": _at(hour * 3600.0), "pool": pool, "total_slots": slots, "open_slots": 0, "running_slots": 0,
             "queued_slots": 0, "source": "api"}
            for pool, slots in made.pools.items() for hour in range(30)
        ]  # fmt: skip
        if told != "log":
            _write(Path(root), "pool_samples", samples)
        if told == "api":
            facts = {
                f"dag_limits.{dag.name}": f'{{"max_active_runs": {dag.max_runs}, "max_active_tasks": {dag.max_tasks}}}'
                for dag in made.dags
            }
            facts["config.core.parallelism"] = str(made.parallelism)
            _write(
                Path(root),
                "deployments",
                [{"seen_at": _at(0), "key": key, "value": value} for key, value in facts.items()],
            )
        if told == "log":
            _write(Path(root), "component_events", [
                {"event_at": _at(minute * 60.0), "component": "scheduler", "event": event, "dag_id": dag or None,
                 "task_id": task or None, "pool": pool or None, "limit_value": _limit(made, event, dag)}
                for event, dag, task, pool, minute in sorted(seen.holds)
            ])  # fmt: skip
        conn = Lake.open(root, deployment="sim", create=True).connect(WEEK)
        Lake.keep_tries(conn)
        questions = load_questions(folder("sql"))
        found = {name: ask(conn, questions[name]) for name in QUESTIONS}
        conn.close()
    return waiting_answers(found, WEEK)


def _limit(made: Fleet, event: str, dag_id: str) -> int | None:
    dag = next((one for one in made.dags if one.name == dag_id), None)
    if dag is None:
        return None
    return {"max_active_tasks": dag.max_tasks, "max_active_runs": dag.max_runs}.get(event)


def _write(root: Path, table: str, rows: Sequence[Row]) -> None:
    if rows:
        place = root / table / f"week={WEEK.monday}"
        place.mkdir(parents=True)
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(place / "x.parquet")


@dataclass(frozen=True, slots=True)
class Scores:
    """`error`: share of the waiting that is given to another limit than the true one; `dominant`: how often the limit
    with the most hours is the true one; `unattributed`: share given to nobody."""

    median_error: float
    p90_error: float
    dominant: float
    unattributed: float


def score(seeds: Sequence[int], *, told: str, is_per_run: bool) -> Scores:
    """Weeks of made-up fleets, answered and compared with the truth."""
    errors, right, nobody = [], [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        made = fleet(rng, is_per_run=is_per_run)
        seen = simulate(rng, made)
        rows = answered(seen, made, told=told)["waiting_by_limit"].rows
        found = {row["waits_for"]: row["hours"] for row in rows if row["scope"] == "all"}
        total = sum(seen.truth.values())
        misplaced = sum(
            max(0.0, found.get(name, 0.0) - seen.truth[name]) for name in COUNTED if name != "unattributed"
        )
        errors.append(misplaced / total)
        nobody.append(found.get("unattributed", 0.0) / total)
        top = max(LIMITS, key=lambda name: seen.truth[name])
        if seen.truth[top] > 1.0:
            right.append(max(LIMITS, key=lambda name: found.get(name, 0.0)) == top)
    return Scores(
        float(np.median(errors)),
        float(np.quantile(errors, 0.9)),
        float(np.mean(right)),
        float(np.median(nobody)),
    )
