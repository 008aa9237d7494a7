"""The limits that a try can wait for, as layers: from what was told, else from what is inferred."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from windsock.findings.methods.spans import Ints, Levels, Spans
from windsock.findings.methods.wait_limits import (
    Layer,
    Split,
    Users,
    Waits,
    full_batches,
    held_at,
    inferred,
    period_us,
    split,
)
from windsock.findings.rule import rows_of
from windsock.findings.waiting.material import (
    Tries,
    executor_full,
    hold_spans,
    limits_of,
    micros,
    silences,
)
from windsock.findings.waiting.workers import WORKERS
from windsock.model import Answer
from windsock.week import Week

SCHEDULER, EXECUTOR, POOL = "scheduler", "executor", "pool"
TASKS, TIS, RUNS = "max_active_tasks", "max_active_tis_per_dag", "max_active_runs"
UNLIMITED = 2_000_000_000
INFERRED, LOG = "inferred", "scheduler_log"

Told = dict[tuple[str, str], tuple[int, str]]
"""(limit, whose) → (its value, who told it)."""


@dataclass(slots=True)
class TryLayers:
    """Layers for the waits of tries, in the scheduler's order. `told` collects which values were used, and whose."""

    answers: Mapping[str, Answer]
    tries: Tries
    waits: Waits
    chosen: Ints  # places of the waiting tries
    week: Week
    workers_full: Spans = field(default_factory=Spans.none)
    told: Told = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    pace_us: int = 0

    def result(self) -> Split:
        """Known limits first; then, for what they leave, limits that show themselves."""
        known = [self._silence(), *self._executor(), *self._pools(), *self._dag_tasks(), *self._task_holds()]
        self.pace_us = period_us(self.waits, known)
        # an opening shorter than a pass of the scheduler is none: nobody could have used it
        self.layers = [
            part
            for one in known
            for part in self._behind(Layer(one.name, one.spans.joined(self.pace_us), one.group))
        ]
        for name, users in (
            (TIS, self._users(self.tries.task, np.arange(len(self.tries.tasks)))),
            (TASKS, self.dag_users()),
            (EXECUTOR, self.everybody()),
        ):
            self._infer(name, users)
        self.layers.append(Layer(SCHEDULER, full_batches(self.tries.taken_us), self._zero()))
        return split(self.waits, self.layers)

    def _silence(self) -> Layer:
        return Layer(SCHEDULER, silences(self.answers, self.week), self._zero())

    def _executor(self) -> list[Layer]:
        holds = [row for row in rows_of(self.answers, "hold_minutes") if row["event"] == "executor_full"]
        everything = self.everybody().levels()
        _, told = limits_of(self.answers, "parallelism")
        # parallelism counts per scheduler: where more tasks ran than one allows there are several
        known = {0: told[0]} if told and everything.peaks(1)[0] <= told[0] else {}
        if known and told:
            self.told[EXECUTOR, ""] = told
        spans = hold_spans(holds, {"": 0}, lambda _row: "")
        gauges = Layer(EXECUTOR, executor_full(self.answers), self._zero())
        return [
            gauges,
            *self._held(EXECUTOR, everything, spans, np.zeros(1, np.int64), self._zero(), [""], known),
        ]

    def _pools(self) -> list[Layer]:
        """One layer for each width: a wide task waits while a narrow one would fit."""
        tries, every = self.tries, np.arange(len(self.tries.pools))
        top, narrower = self._pool_sizes()
        levels = Levels.of(
            np.concatenate((tries.pool, narrower[0])),
            np.concatenate((tries.taken_us, narrower[1])),
            np.concatenate((tries.given_back_us, narrower[2])),
            np.concatenate((tries.slots, narrower[3])),
        )
        holds = [row for row in rows_of(self.answers, "hold_minutes") if row["event"] == "pool_full"]
        unknown = {name: place for place, name in enumerate(tries.pools) if top[place] == UNLIMITED}
        told = hold_spans(holds, unknown, lambda row: row["pool"])
        for place, size in held_at(levels, told, every).items():
            top[place] = size
            self.told[POOL, tries.pools[place]] = (size, LOG)
        group, slots = tries.pool[self.chosen], tries.slots[self.chosen]
        layers = [
            Layer(POOL, levels.above(top - width + 1), np.where(slots == width, group, -1))
            for width in np.unique(slots)
        ]
        return [*layers, Layer(POOL, told, np.where(top[group] == UNLIMITED, group, -1))]

    def _pool_sizes(self) -> tuple[Ints, tuple[Ints, Ints, Ints, Ints]]:
        """Each pool's largest size; and (pool, from, until, slots) by which it was narrower: a pool that was smaller for
        a while is a large one in which nobody may use the rest."""
        pools = self.tries.pools
        rows = [row for row in rows_of(self.answers, "pool_sizes") if row["pool"] in pools]
        places = np.array([pools.index(row["pool"]) for row in rows], np.int64)
        sizes = np.array([int(row["slots"]) for row in rows], np.int64)
        top = np.zeros(len(pools), np.int64)
        np.maximum.at(top, places, sizes)
        self.told |= {(POOL, pools[place]): (int(top[place]), "samples") for place in places.tolist()}
        since, until = (
            micros((row[name] - self.week.from_at).total_seconds() for row in rows)
            for name in ("from_at", "until_at")
        )
        missing = top[places] - sizes
        known = np.isin(np.arange(len(pools)), places)
        return np.where(known, top, UNLIMITED), (places, since, until, missing)

    def dag_users(self) -> Users:
        """Airflow 2 counts a DAG's tasks over all its runs, Airflow 3 within each run."""
        tries = self.tries
        of_run = tries.dag_of_run()
        group = np.where(tries.is_per_run[tries.dag], tries.run + len(tries.dag_ids), tries.dag)
        return self._users(group, np.concatenate((np.arange(len(tries.dag_ids)), of_run)))

    def _dag_tasks(self) -> list[Layer]:
        tries, users = self.tries, self.dag_users()
        own, default = limits_of(self.answers, TASKS)
        told = [own.get(dag_id, default) for dag_id in tries.dag_ids]
        self.told |= {(TASKS, dag): one for dag, one in zip(tries.dag_ids, told, strict=True) if one}
        least = np.array([one[0] if one else UNLIMITED for one in told], np.int64)
        holds = [row for row in rows_of(self.answers, "hold_minutes") if row["event"] == TASKS]
        unknown = {dag: place for place, dag in enumerate(tries.dag_ids) if told[place] is None}
        return [
            Layer(TASKS, users.levels().above(least[users.family]), users.group[self.chosen]),
            Layer(TASKS, hold_spans(holds, unknown, lambda row: row["dag_id"]), tries.dag[self.chosen]),
        ]

    def _task_holds(self) -> list[Layer]:
        """The log names the task, never its limit."""
        events = (TIS, "max_active_tis_per_dagrun")
        holds = [row for row in rows_of(self.answers, "hold_minutes") if row["event"] in events]
        places = {task: place for place, task in enumerate(self.tries.tasks)}
        spans = hold_spans(holds, places, lambda row: (row["dag_id"], row["task_id"]))
        names = [f"{dag_id}.{task_id}" for dag_id, task_id in self.tries.tasks]
        users = self._users(self.tries.task, np.arange(len(names)))
        return self._held(TIS, users.levels(), spans, users.family, self.tries.task[self.chosen], names)

    def _held(
        self,
        name: str,
        levels: Levels,
        holds: Spans,
        family: Ints,
        group: Ints,
        names: list[str],
        known: Mapping[int, int] | None = None,
    ) -> list[Layer]:
        """To the second where the value is known or shows in the minutes told; else the minutes themselves."""
        found = {**held_at(levels, holds, family), **(known or {})}
        least = np.full(len(family), UNLIMITED, np.int64)
        for place, limit in found.items():
            least[place] = limit
            self.told.setdefault((name, names[place]), (limit, LOG))
        exact = Layer(name, levels.above(least), group)
        is_left = np.array([place not in found for place in range(len(family))])[group]
        return [exact, Layer(name, holds, np.where(is_left, group, -1))]

    def _infer(self, name: str, users: Users) -> None:
        left = split(self.waits, self.layers).rest_us > self.pace_us
        group = users.group[self.chosen]
        known = {whose for limit, whose in self.told if limit == name}
        names = {
            TIS: [f"{d}.{t}" for d, t in self.tries.tasks],
            TASKS: self.tries.dag_ids,
            POOL: self.tries.pools,
        }
        of_family = names.get(name, [""])
        is_open = np.array([one not in known for one in of_family])[users.family[group]]
        chosen = left & is_open
        found = inferred(users, self.waits.of(chosen), group[chosen], pace_us=self.pace_us)
        if not found:
            return
        least = np.full(len(of_family), UNLIMITED, np.int64)
        for family, limit in found.items():
            least[family] = limit
            self.told[name, of_family[family]] = (limit, INFERRED)
        spans = users.levels().above(least[users.family]).joined(self.pace_us)
        self.layers += self._behind(Layer(name, spans, group))

    def _behind(self, layer: Layer) -> list[Layer]:
        """While all workers are busy, executor slots are held by tasks that wait for a worker: more slots would make a longer
        queue, and the workers are the limit."""
        if layer.name != EXECUTOR or not len(self.workers_full.starts):
            return [layer]
        return [
            Layer(WORKERS, layer.spans.both(self.workers_full), layer.group),
            Layer(EXECUTOR, layer.spans.without(self.workers_full), layer.group),
        ]

    def everybody(self) -> Users:
        """All tries together."""
        return self._users(np.zeros(len(self.tries.taken_us), np.int64), np.zeros(1, np.int64))

    def _users(self, group: Ints, family: Ints) -> Users:
        return Users(group, self.tries.taken_us, self.tries.given_back_us, family)

    def _zero(self) -> Ints:
        return np.zeros(len(self.waits), np.int64)
