"""`[pools.NAME]` of the pipeline file in the shape that rules and causes read: no advice goes beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from windsock.findings.rule import rows_of
from windsock.model import Answer, Row

BOUNDS = "pool_bounds"


class Bound(Protocol):
    """What the pipeline file says of one pool."""

    @property
    def max_slots(self) -> int | None: ...
    @property
    def protects(self) -> str: ...


def pool_bounds(pools: Mapping[str, Bound]) -> Answer:
    """One row per pool that the file names."""
    rows: list[Row] = [
        {"pool": name, "max_slots": one.max_slots, "protects": one.protects} for name, one in pools.items()
    ]
    return Answer(BOUNDS, ("pool", "max_slots", "protects"), tuple(rows))


def refused(answers: Mapping[str, Answer], pool: str, slots: int) -> str:
    """Why the pool may not have so many slots, as the end of a sentence; empty where it may."""
    row = next((row for row in rows_of(answers, BOUNDS) if row["pool"] == pool), None)
    if row is None or row["max_slots"] is None or row["max_slots"] >= slots:
        return ""
    protects = f" ({row['protects']})" if row["protects"] else ""
    return f"the pool may have {row['max_slots']} at the most{protects}"
