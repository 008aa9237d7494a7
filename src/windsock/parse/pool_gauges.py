"""Pool gauges of one moment → rows of `pool_samples`. Shared by all metric formats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from windsock.model import Row

GAUGES = ("open_slots", "running_slots", "queued_slots", "deferred_slots", "scheduled_slots")


def pool_rows(moments: Mapping[tuple[datetime, str], Mapping[str, float]], source: str) -> list[Row]:
    """(moment, pool) → gauge → value. A pool without its open slots is no sample; the size is the sum of the parts."""
    rows: list[Row] = []
    for (at, pool), gauges in sorted(moments.items()):
        if "open_slots" not in gauges:
            continue
        row: Row = {"sampled_at": at, "pool": pool, "source": source}
        row |= {name: int(gauges[name]) for name in GAUGES if name in gauges}
        if "running_slots" in gauges and "queued_slots" in gauges:
            # deferred slots count only where the pool includes them, which no gauge tells
            row["total_slots"] = int(gauges["open_slots"] + gauges["running_slots"] + gauges["queued_slots"])
        rows.append(row)
    return rows
