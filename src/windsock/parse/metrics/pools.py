"""Pool gauges → rows of `pool_samples`, and the refusal to mix two deployments' pools of one name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from windsock.model import Reject, Row
from windsock.parse.metrics.known import underscored

MAX_SLOTS = 2**31 - 1
"""No pool is as large: a gauge beyond it is no number of slots."""
GAUGES = ("open_slots", "running_slots", "queued_slots", "deferred_slots", "scheduled_slots")
OPEN = GAUGES[0]

Labels = tuple[tuple[str, str], ...]
T = TypeVar("T")
Gauge = tuple[str, str, Labels, T]
"""Gauge, pool, the labels that do not name the pool, value (or where it stands)."""


def gauge_of(name: str) -> str | None:
    """The gauge behind a dotted name such as `pool.open_slots`."""
    gauge = name.removeprefix("pool.")
    return gauge if gauge in GAUGES and gauge != name else None


def without_pool(labels: Labels) -> Labels:
    """What tells whose pool it is."""
    return tuple(pair for pair in labels if pair[0] != "pool_name")


def pools_at(at: datetime, gauges: Iterable[Gauge[float]], source: str) -> list[Row] | Reject:
    """Rows of one moment."""
    pools = by_pool(gauges)
    if isinstance(pools, Reject):
        return pools
    return [_row(at, pool, told, source) for pool, told in pools]


def by_pool(gauges: Iterable[Gauge[T]]) -> list[tuple[str, dict[str, T]]] | Reject:
    """Pools that tell their open slots, and their gauges. An exporter spells `my-pool` as `my_pool` where it sits in a
    name: both are one pool."""
    seen: dict[str, dict[str, T]] = {}
    owners: dict[tuple[str, str], set[Labels]] = {}
    for gauge, pool, others, value in gauges:
        seen.setdefault(pool, {})[gauge] = value
        owners.setdefault((pool, gauge), set()).add(others)
    for (pool, _gauge), sets in owners.items():
        if len(sets) > 1:
            return several(pool, sets)
    spelled: dict[str, list[str]] = {}
    for pool, told in seen.items():
        if OPEN in told:
            spelled.setdefault(underscored(pool), []).append(pool)
    found = []
    for pool, told in sorted(seen.items()):
        if OPEN not in told:
            continue
        twin = underscored(pool)
        inherited = seen.get(twin, {}) if twin != pool and spelled[twin] == [pool] else {}
        found.append((pool, {**inherited, **told}))
    return found


def several(pool: str, sets: Iterable[Labels]) -> Reject:
    """Two series sets for one pool: the labels that differ, to choose from."""
    dicts = [dict(one) for one in sets]
    keys = sorted({key for one in dicts for key in one})
    choices = []
    for key in keys:
        values = sorted({one.get(key, "") for one in dicts})
        if len(values) > 1:
            shown = ", ".join(f'"{value}"' for value in values[:8])
            choices.append(f"{key} = {shown}{', …' if len(values) > 8 else ''}")
    detail = (
        f"pool {pool!r} has {len(dicts)} series at one moment, so several deployments (or several emitters) are in "
        f"these metrics; set match to one of: {'; '.join(choices)}"
    )
    return Reject("metrics", "several_deployments", detail)


def _row(at: datetime, pool: str, told: Mapping[str, float], source: str) -> Row:
    row: Row = {"sampled_at": at, "pool": pool, "source": source}
    told = {gauge: value for gauge, value in told.items() if abs(value) <= MAX_SLOTS}
    row |= {gauge: int(told[gauge]) for gauge in GAUGES if gauge in told}
    if all(gauge in told for gauge in (OPEN, "running_slots", "queued_slots")):
        # deferred slots count only where the pool includes them, which no gauge tells
        total = int(told[OPEN] + told["running_slots"] + told["queued_slots"])
        if abs(total) <= MAX_SLOTS:
            row["total_slots"] = total
    return row
