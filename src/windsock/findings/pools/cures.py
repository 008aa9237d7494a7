"""What may be tried before a pool gets more slots: another start, sensors that give their slot back, a pool of one's own, the
same slots in two pools.

Each is a replay of the week's own tasks at the present size, with that one thing changed. A shift moves all that a DAG brought
to the pool; what waits behind its tasks elsewhere is taken to move with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windsock.findings import wording
from windsock.findings.methods.pool_replay import Replay, Tasks, scheduler_period_s
from windsock.findings.pools.options import GAUGES, Measured, tasks_of
from windsock.findings.pools.split import MAX_TASKS, best_split, workloads
from windsock.findings.rule import rows_of
from windsock.model import Answer, Row

MOVED = 3  # DAGs of the busiest minute that are tried at other times
SHIFTS_MIN = (10, 20, 30)
MIN_SHARE_OWN_POOL = 0.25  # of default_pool's slot hours: a DAG that holds less does not crowd others out
MIN_SAVED_SHARE = 0.2  # of the waiting: less is not worth a change of a schedule
DEFAULT_POOL = "default_pool"


@dataclass(frozen=True, slots=True)
class Cure:
    """One thing to do, and the hours of waiting that it saves by a replay."""

    kind: str
    told: str
    wait_hours_saved: float

    def row(self) -> dict[str, Any]:
        """As evidence."""
        return {"kind": self.kind, "told": self.told, "wait_hours_saved": self.wait_hours_saved}


def cures(answers: Mapping[str, Answer], one: Measured) -> list[Cure]:
    """The best of each kind that saves `MIN_SAVED_SHARE` of the waiting, the most saving first. None from gauges, which do
    not tell whose tasks waited."""
    row = next((row for row in rows_of(answers, "pool_tasks") if row["pool"] == one.pool), None)
    if one.source == GAUGES or row is None or not row.get("dag_ids") or len(row["ready_s"]) > MAX_TASKS:
        return []
    week = _Week(row, one.slots_now)
    found = [_shift(answers, week, one.pool), _defer(week), _move_out(week, one.pool), _split(week)]
    worth = [cure for cure in found if cure and cure.wait_hours_saved >= MIN_SAVED_SHARE * week.wait_now > 0]
    return sorted(worth, key=lambda cure: (-cure.wait_hours_saved, cure.kind))


class _Week:
    """A pool's tasks, with whose they are."""

    def __init__(self, row: Row, slots: int) -> None:
        self.tasks, self.slots = tasks_of(row), slots
        self.dag_ids: Sequence[str] = row["dag_ids"]
        self.dag: NDArray[np.int64] = np.array(row["dag"], dtype=np.int64)
        self.is_poking: NDArray[np.bool_] = np.array(row["is_poking"], dtype=bool)
        self.period_s = scheduler_period_s(self.tasks, slots)
        self.wait_now = self.waited(self.tasks)

    def waited(self, tasks: Tasks) -> float:
        return Replay(tasks, period_s=self.period_s).at(self.slots).wait_hours if len(tasks) else 0.0

    def of(self, dag_id: str) -> NDArray[np.bool_]:
        return np.asarray(self.dag == self.dag_ids.index(dag_id) + 1)


def _shift(answers: Mapping[str, Answer], week: _Week, pool: str) -> Cure | None:
    """A later start of one of the DAGs that meet in the minute that costs most."""
    minutes = [row for row in rows_of(answers, "pool_collisions") if row["pool"] == pool]
    if not minutes:
        return None
    worst = max(minutes, key=lambda row: (row["wait_hours"], -row["minute_of_day"]))
    best: tuple[float, int, str] | None = None
    # one whose tasks became ready in the week may have taken its slots after it
    for dag_id in [one for one in worst["dag_ids"] if one in week.dag_ids][:MOVED]:
        mine = week.of(dag_id)
        for minutes_later in SHIFTS_MIN:
            later = np.where(mine, minutes_later * 60.0, 0.0)
            moved = replace(
                week.tasks,
                ready_s=week.tasks.ready_s + later,
                taken_s=week.tasks.taken_s + later,
                given_back_s=week.tasks.given_back_s + later,
            )
            saved = week.wait_now - week.waited(moved)
            if best is None or saved > best[0] + 1e-9:
                best = (saved, minutes_later, dag_id)
    if best is None:
        return None
    saved, minutes_later, dag_id = best
    clock = f"{worst['minute_of_day'] // 60:02d}:{worst['minute_of_day'] % 60:02d} UTC"
    told = (
        f"start {wording.name(dag_id)} {minutes_later} minutes later: tasks of {wording.plural(worst['dags'], 'DAG')} meet at {clock} "
        f"on {wording.plural(worst['days'], 'day')}"
    )
    return Cure("shift", told, saved)


def _defer(week: _Week) -> Cure | None:
    """Sensors that give their slot back while they wait: each holds one for a pass of the scheduler only."""
    if not week.is_poking.any():
        return None
    tasks = week.tasks
    brief = np.where(
        week.is_poking, np.minimum(tasks.given_back_s, tasks.taken_s + week.period_s), tasks.given_back_s
    )
    saved = week.wait_now - week.waited(replace(tasks, given_back_s=brief))
    names = sorted({week.dag_ids[place - 1] for place in week.dag[week.is_poking].tolist()})
    return Cure("defer", f"make the sensors of {wording.names(names)} deferrable, or reschedule them", saved)


def _move_out(week: _Week, pool: str) -> Cure | None:
    """The DAG that holds most of default_pool, in a pool of its own."""
    if pool != DEFAULT_POOL:
        return None
    tasks = week.tasks
    held = np.bincount(week.dag, (tasks.given_back_s - tasks.taken_s) * tasks.slots)
    largest = int(held.argmax())
    if not held.sum() or held[largest] < MIN_SHARE_OWN_POOL * held.sum() or len(week.dag_ids) < 2:
        return None
    others = week.dag != largest
    rest = Tasks(
        ready_s=tasks.ready_s[others],
        taken_s=tasks.taken_s[others],
        given_back_s=tasks.given_back_s[others],
        slots=tasks.slots[others],
        priority=tasks.priority[others],
    )
    mine = ~others
    # its own waiting goes with it into its own pool, and is nobody's gain
    waited = float(((tasks.taken_s - tasks.ready_s)[mine]).sum() / 3600)
    saved = week.wait_now - week.waited(rest) - min(waited, week.wait_now)
    dag_id = week.dag_ids[largest - 1]
    share = wording.percent(held[largest] / held.sum())
    return Cure(
        "own_pool",
        f"give {wording.name(dag_id)} a pool of its own: it holds {share} of {wording.name(pool)}",
        saved,
    )


def _split(week: _Week) -> Cure | None:
    """Two pools with the same slots in all, where two kinds of work share this one."""
    held_s = week.tasks.given_back_s - week.tasks.taken_s
    best: tuple[float, str] | None = None
    for name, chosen in workloads(week.tasks, week.dag, week.dag_ids, week.is_poking):
        split = best_split(week.tasks, chosen, week.slots, period_s=week.period_s)
        if split is None or (best and week.wait_now - split.wait_hours <= best[0]):
            continue
        mine, others = (wording.short(float(np.median(held_s[which]))) for which in (chosen, ~chosen))
        told = (
            f"split it into two pools: {wording.plural(split.slots, 'slot')} for {name} ({mine} each, median), "
            f"{split.rest_slots} for the rest ({others})"
        )
        best = (week.wait_now - split.wait_hours, told)
    return Cure("split", best[1], best[0]) if best else None
