"""`windsock what-if pool`: the week's demand at other pool sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from windsock.errors import QuestionError
from windsock.findings.pools import options as pool_options
from windsock.model import Answer
from windsock.week import Week

QUESTIONS = pool_options.QUESTIONS


def what_if_pool(
    answers: Mapping[str, Answer],
    *,
    pool: str,
    slots: Sequence[int],
    week: Week,
    max_slots: int | None = None,
    protects: str = "",
) -> dict[str, Any]:
    """`{pool, week, slots_now, options: [{slots, wait_hours, wait_hours_saved, peak_slots}], source, estimate}`.

    `source` says what the answer rests on. It is an estimate where ready times were rebuilt, and from gauges, where the
    saving is a lower bound. A pool with a bound (`[pools.NAME]`) tells it, and which options are above it.
    """
    pools = pool_options.measured(answers)
    one = next((one for one in pools if one.pool == pool), None)
    if one is None:
        known = ", ".join(one.pool for one in pools)
        told = (
            f"pools seen: {known}"
            if known
            else "no pool gauges and no queue times in this week; set [sources.metrics] url"
        )
        raise QuestionError(f"pool {pool!r}: not seen in week {week}; {told}")
    answer: dict[str, Any] = {
        "pool": pool,
        "week": str(week),
        "slots_now": one.slots_now,
        "options": pool_options.options(answers, one, slots),
        "source": one.source,
        "estimate": one.is_estimate,
    }
    if max_slots is not None:
        answer |= {"max_slots": max_slots, "above_bound": [size for size in slots if size > max_slots]}
    if protects:
        answer["protects"] = protects
    return answer
