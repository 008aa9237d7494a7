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
INTERVALS, GAUGES = "task intervals", "gauges"


@dataclass(frozen=True, slots=True)
class Measured:
    """One pool's week: what it was like, and from what. `row` has full_share, wait_hours, busy_hours."""

    pool: str
    source: str
    slots_now: int
    samples: int  # tries, or gauge samples
    row: Mapping[str, Any]


def measured(answers: Mapping[str, Answer]) -> list[Measured]:
    """Every pool once: from its tasks' intervals where their ready times are known, else from gauges."""
    found: dict[str, Measured] = {}
    for row in rows_of(answers, "pool_full_share"):
        if row["total_slots"] is not None:
            found[row["pool"]] = Measured(
                row["pool"], GAUGES, int(row["total_slots"]), int(row["samples"]), row
            )
    for row in rows_of(answers, "pool_occupancy"):
        if (row["ready_known"] or 0) >= MIN_READY_KNOWN and row["total_slots"]:
            found[row["pool"]] = Measured(
                row["pool"], INTERVALS, int(row["total_slots"]), int(row["tries"]), row
            )
    return [found[pool] for pool in sorted(found)]


def options(answers: Mapping[str, Answer], one: Measured, slots: Sequence[int]) -> list[dict[str, Any]]:
    """`{slots, wait_hours, wait_hours_saved, peak_slots}` per size, in the order given."""
    if one.source == INTERVALS:
        return _replayed(_row_of(answers, "pool_tasks", one.pool), one.slots_now, slots)
    rows = [row for row in rows_of(answers, "pool_demand") if row["pool"] == one.pool]
    samples = [(float(row["span_s"]), int(row["busy_slots"]), int(row["waiting"])) for row in rows]
    wait_now = from_gauges(samples, slots_now=one.slots_now, slots=one.slots_now).wait_hours
    return [_told(from_gauges(samples, slots_now=one.slots_now, slots=size), wait_now) for size in slots]


def _replayed(row: Row, slots_now: int, slots: Sequence[int]) -> list[dict[str, Any]]:
    """Both sides of a saving come from the replay, so that what it gets wrong of the scheduler cancels."""
    tasks = Tasks(
        *(np.array(row[name], dtype=float) for name in ("ready_s", "taken_s", "given_back_s")),
        *(np.array(row[name], dtype=np.int64) for name in ("slots", "priority")),
    )
    replay = Replay(tasks, period_s=scheduler_period_s(tasks, slots_now))
    wait_now = replay.at(slots_now).wait_hours
    return [_told(replay.at(size), wait_now) for size in slots]


def _told(load: Load, wait_now: float) -> dict[str, Any]:
    told = {
        "slots": load.slots,
        "wait_hours": load.wait_hours,
        "wait_hours_saved": wait_now - load.wait_hours,
        "peak_slots": load.peak_slots,
    }
    return told | {"too_wide": load.too_wide} if load.too_wide else told


def _row_of(answers: Mapping[str, Answer], question: str, pool: str) -> Row:
    return next(row for row in rows_of(answers, question) if row["pool"] == pool)


def sizes(now: int, most: int | None = None) -> list[int]:
    """The larger sizes worth trying: a quarter more, a half more, twice, three times; never above `most`."""
    wanted = {max(now + 1, ceil(now * factor)) for factor in (1.25, 1.5, 2.0, 3.0)}
    if most is None:
        return sorted(wanted)
    return sorted({min(size, most) for size in wanted if min(size, most) > now})
