"""One pool with two workloads: what two pools with the same slots in all would have made of the week's waiting.

Short tasks stand behind long ones, narrow ones pass wide ones by. Each part is replayed in its own share of the slots; the
waiting of both is added up, so that what one part gains the other pays for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from windsock.findings import wording
from windsock.findings.methods.pool_replay import Replay, Tasks, scheduler_period_s
from windsock.findings.pools.options import tasks_of
from windsock.findings.rule import rows_of
from windsock.model import Answer

MAX_TASKS = 300_000  # a replay of more takes seconds, and a dozen are made
LEAST_RATIO = 5.0  # times as long, median: nearer ones are one workload that spreads
SHARES = (0.125, 0.25, 0.5, 0.75)  # of the slots, for the part that moves out

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Split:
    """`slots` of the pool's go to the part, the others to the rest; `wait_hours` is what both wait then."""

    slots: int
    rest_slots: int
    wait_hours: float


def part_of(tasks: Tasks, chosen: Mask) -> Tasks:
    """Those of the tasks that are chosen."""
    return Tasks(
        *(
            getattr(tasks, name)[chosen]
            for name in ("ready_s", "taken_s", "given_back_s", "slots", "priority")
        )
    )


def best_split(tasks: Tasks, chosen: Mask, slots: int, *, period_s: float) -> Split | None:
    """The share of `slots` with which both parts together wait least; None where one part is empty, or does not fit."""
    if not chosen.any() or chosen.all():
        return None
    part, rest = part_of(tasks, chosen), part_of(tasks, ~chosen)
    sizes = sorted({ceil(slots * share) for share in SHARES})
    fitting = [size for size in sizes if size >= part.slots.max() and slots - size >= rest.slots.max()]
    if not fitting:
        return None
    one, other = Replay(part, period_s=period_s), Replay(rest, period_s=period_s)
    return min(
        (
            Split(size, slots - size, one.at(size).wait_hours + other.at(slots - size).wait_hours)
            for size in fitting
        ),
        key=lambda split: (split.wait_hours, split.slots),
    )


def workloads(
    tasks: Tasks, dag: NDArray[np.int64], dag_ids: Sequence[str], is_poking: Mask
) -> Iterator[tuple[str, Mask]]:
    """What may move out: sensors, DAGs of long tasks, wide tasks; with their name."""
    held_s = tasks.given_back_s - tasks.taken_s

    def called(chosen: Mask) -> str:
        return wording.names([dag_ids[place - 1] for place in sorted(set(dag[chosen].tolist()))])

    if is_poking.any() and not is_poking.all() and _ratio(held_s, is_poking) >= LEAST_RATIO:
        yield f"the sensors of {called(is_poking)}", is_poking
    long = _long(held_s, dag)
    if long is not None:
        yield f"the long tasks of {called(long)}", long
    if (wide := tasks.slots > 1).any() and not wide.all():
        yield f"the wide tasks of {called(wide)}", wide


def _long(held_s: NDArray[np.float64], dag: NDArray[np.int64]) -> Mask | None:
    """The DAGs beyond the widest gap between the medians of how long their tasks hold a slot."""
    places = np.unique(dag)
    if len(places) < 2:
        return None
    medians = np.array([max(1.0, float(np.median(held_s[dag == place]))) for place in places])
    order = np.argsort(medians)
    cut = int(np.diff(np.log(medians[order])).argmax()) + 1
    chosen = np.isin(dag, places[order[cut:]])
    return chosen if _ratio(held_s, chosen) >= LEAST_RATIO else None


def _ratio(held_s: NDArray[np.float64], chosen: Mask) -> float:
    return float(np.median(held_s[chosen])) / max(1.0, float(np.median(held_s[~chosen])))


@dataclass(frozen=True, slots=True)
class TwoPools:
    """Hours that the part and the rest wait in one pool, and in two; all from the same replay."""

    slots: int
    rest_slots: int
    part_hours: float
    part_hours_then: float
    rest_hours: float
    rest_hours_then: float

    @property
    def pays(self) -> bool:
        """Whether the part saves more than the rest waits for it."""
        return self.part_hours_then + self.rest_hours_then < self.part_hours + self.rest_hours


def in_two_pools(answers: Mapping[str, Answer], pool: str, *, least_slots: int) -> TwoPools | None:
    """Tasks of `least_slots` slots or more apart from the rest; None where that saves them nothing, or nothing tells."""
    row = next((row for row in rows_of(answers, "pool_tasks") if row["pool"] == pool), None)
    sizes = [row["slots"] for row in rows_of(answers, "pool_sizes") if row["pool"] == pool]
    if row is None or not sizes or len(row["ready_s"]) > MAX_TASKS:
        return None
    tasks, slots = tasks_of(row), int(sizes[-1])
    period_s = scheduler_period_s(tasks, slots)
    wide = tasks.slots >= least_slots
    split = best_split(tasks, wide, slots, period_s=period_s)
    if split is None:
        return None
    waits_s = Replay(tasks, period_s=period_s).waits_s(slots)
    now = [float(np.nansum(waits_s[which])) / 3600 for which in (wide, ~wide)]
    then = [
        Replay(part_of(tasks, which), period_s=period_s).at(size).wait_hours
        for which, size in ((wide, split.slots), (~wide, split.rest_slots))
    ]
    told = TwoPools(split.slots, split.rest_slots, now[0], then[0], now[1], then[1])
    return told if told.part_hours_then < told.part_hours else None
