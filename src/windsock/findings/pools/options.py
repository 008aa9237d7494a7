"""What WS301 and `windsock what-if pool` share: hours of waiting at other sizes, from intervals or from gauges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from windsock.findings.methods.pool_replay import Load, Replay, Tasks, from_gauges, scheduler_period_s
from windsock.findings.rule import rows_of
from windsock.model import Answer, Row

QUESTIONS = ("pool_occupancy", "pool_full_share", "pool_tasks", "pool_demand")
MIN_READY_KNOWN = 0.9  # fraction of tries: below it a replay would take waiting tasks for late ones
MOST_OVERCOUNT = (
    1.1  # slots by intervals beside slots by gauges: above it deferred tasks are taken for busy ones
)
LEAST_COUNTED = 0.9  # below it, and full by gauges alone, tries are missing from the intervals
LARGEST_FACTOR = 3.0  # times today's size: the largest one that is tried
INTERVALS, REBUILT, GAUGES = "task intervals", "task intervals, ready times rebuilt", "gauges"


@dataclass(frozen=True, slots=True)
class Measured:
    """One pool's week: what it was like, and from what. `row` has full_share, wait_hours, busy_hours."""

    pool: str
    source: str
    slots_now: int
    samples: int  # tries, or gauge samples
    row: Mapping[str, Any]

    @property
    def is_estimate(self) -> bool:
        """Whether the hours waited are not Airflow's own: sampled, or counted from ready times that were rebuilt."""
        return self.source != INTERVALS


def measured(answers: Mapping[str, Answer]) -> list[Measured]:
    """Every pool once: from its tasks' intervals where their ready times are known, else from gauges."""
    found: dict[str, Measured] = {}
    for row in rows_of(answers, "pool_full_share"):
        if row["total_slots"] is not None:
            found[row["pool"]] = Measured(
                row["pool"], GAUGES, int(row["total_slots"]), int(row["samples"]), row
            )
    for row in rows_of(answers, "pool_occupancy"):
        if (row["ready_known"] or 0) < MIN_READY_KNOWN or not row["total_slots"]:
            continue
        if row["pool"] in found and (_is_overcounted(row) or _is_short(row, found[row["pool"]].row)):
            continue
        source = INTERVALS if row.get("ready_told", 1.0) >= MIN_READY_KNOWN else REBUILT
        found[row["pool"]] = Measured(row["pool"], source, int(row["total_slots"]), int(row["tries"]), row)
    return [found[pool] for pool in sorted(found)]


def waited(answers: Mapping[str, Answer], one: Measured) -> float:
    """Task-hours waited for the pool itself. Between ready and queued other limits may have held a task, too: of
    intervals only what the pool bound counts, where that was worked out. Gauges count while the pool is full anyhow."""
    rows = [
        row
        for row in rows_of(answers, "waiting_by_limit")
        if row["scope"] == "pool" and row["pool"] == one.pool
    ]
    if one.source == GAUGES or not rows:
        return float(one.row["wait_hours"])
    return float(sum(row["hours"] for row in rows if row["waits_for"] == "pool"))


def _is_overcounted(row: Row) -> bool:
    """Whether tasks held slots clearly longer than gauges saw: they were deferred, or between two pokes."""
    gauge, sweep = row.get("gauge_mean_slots"), row.get("sweep_mean_slots")
    return gauge is not None and sweep is not None and sweep > MOST_OVERCOUNT * gauge + 0.1


def _is_short(row: Row, looked: Mapping[str, Any]) -> bool:
    """Whether gauges saw the pool full, beyond their error, where the intervals that are known have it open: tries are
    missing (a scheduler that was killed finishes none in its log)."""
    gauge, sweep = row.get("gauge_mean_slots"), row.get("sweep_mean_slots")
    if gauge is None or sweep is None or sweep >= LEAST_COUNTED * gauge or "full_hours" not in looked:
        return False
    return bool(looked["full_hours"] - looked["full_error_hours"] > row["full_hours"])


class Sizes:
    """One pool's week, prepared once, then asked for any size."""

    def __init__(self, answers: Mapping[str, Answer], one: Measured) -> None:
        self.slots_now = one.slots_now
        self._replay: Replay | None = None
        self._samples: list[tuple[float, int, int]] = []
        if one.source == GAUGES:
            rows = (row for row in rows_of(answers, "pool_demand") if row["pool"] == one.pool)
            self._samples = [
                (float(row["span_s"]), int(row["busy_slots"]), int(row["waiting"])) for row in rows
            ]
        else:
            tasks = tasks_of(next(row for row in rows_of(answers, "pool_tasks") if row["pool"] == one.pool))
            self._replay = Replay(tasks, period_s=scheduler_period_s(tasks, one.slots_now))
        self._known: dict[int, Load] = {}
        self.wait_now = self.at(one.slots_now).wait_hours

    def at(self, slots: int) -> Load:
        """The week with `slots` slots."""
        if slots not in self._known:
            self._known[slots] = (
                self._replay.at(slots)
                if self._replay
                else from_gauges(self._samples, slots_now=self.slots_now, slots=slots)
            )
        return self._known[slots]

    def option(self, slots: int) -> dict[str, Any]:
        """`{slots, wait_hours, wait_hours_saved, peak_slots}`. Both sides of the saving come from the same method, so
        that what it gets wrong of the scheduler cancels."""
        load = self.at(slots)
        told = {
            "slots": load.slots,
            "wait_hours": load.wait_hours,
            "wait_hours_saved": self.wait_now - load.wait_hours,
            "peak_slots": load.peak_slots,
        }
        return told | {"too_wide": load.too_wide} if load.too_wide else told

    def smallest(self, most: int, worth: float) -> int:
        """The smallest size that saves `worth` of what `most` slots would save; waiting falls with size."""
        goal = worth * (self.wait_now - self.at(most).wait_hours)
        low, high = self.slots_now + 1, most
        while low < high:
            middle = (low + high) // 2
            if self.wait_now - self.at(middle).wait_hours >= goal:
                high = middle
            else:
                low = middle + 1
        return low


def options(answers: Mapping[str, Answer], one: Measured, slots: Sequence[int]) -> list[dict[str, Any]]:
    """One option per size, in the order given."""
    week = Sizes(answers, one)
    return [week.option(size) for size in slots]


def tasks_of(row: Row) -> Tasks:
    """A row of `pool_tasks` as the replay takes it."""
    return Tasks(
        *(np.array(row[name], dtype=float) for name in ("ready_s", "taken_s", "given_back_s")),
        *(np.array(row[name], dtype=np.int64) for name in ("slots", "priority")),
    )


def sizes(now: int, most: int | None = None) -> list[int]:
    """The larger sizes worth showing: a quarter more, a half more, twice, three times; never above `most`."""
    wanted = {max(now + 1, ceil(now * factor)) for factor in (1.25, 1.5, 2.0, LARGEST_FACTOR)}
    if most is None:
        return sorted(wanted)
    return sorted({min(size, most) for size in wanted if min(size, most) > now})
