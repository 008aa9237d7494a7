"""`windsock what-if pool`: the week's demand at other pool sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from windsock.errors import QuestionError
from windsock.findings.rule import rows_of
from windsock.findings.ws301_pool_saturated import pool_options
from windsock.model import Answer
from windsock.week import Week


def what_if_pool(
    answers: Mapping[str, Answer], *, pool: str, slots: Sequence[int], week: Week
) -> dict[str, Any]:
    """`{pool, week, slots_now, options: [{slots, wait_hours, wait_hours_saved, peak_slots}]}`, from gauges."""
    demand = rows_of(answers, "pool_demand")
    mine = [row for row in demand if row["pool"] == pool]
    if not mine:
        known = sorted({str(row["pool"]) for row in demand})
        told = (
            f"pools seen: {', '.join(known)}"
            if known
            else "no pool gauges in this week; set [sources.metrics] url"
        )
        raise QuestionError(f"pool {pool!r}: no gauges in week {week}; {told}")
    return {
        "pool": pool,
        "week": str(week),
        "slots_now": mine[-1]["total_slots"],
        "options": pool_options(demand, pool, slots),
    }
