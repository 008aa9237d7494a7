"""Since when has a pool been too small? By the weeks of its gauges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from windsock.findings.rule import rows_of
from windsock.model import Answer


def full_since(answers: Mapping[str, Answer], pool: str, least_hours: float) -> dict[str, Any]:
    """The first full moment of the weeks in a row, up to this one, with `least_hours` waited; empty without a calmer one before.

    Weeks without samples tell nothing: then what came before them is not known.
    """
    weeks = [row for row in rows_of(answers, "pool_wait_by_week") if row["pool"] == pool]
    began = None
    for place, row in reversed(list(enumerate(weeks))):
        if place + 1 < len(weeks) and (weeks[place + 1]["week"] - row["week"]).days > 7:
            return {}
        if row["wait_hours"] < least_hours:
            return {"began_at": began} if began else {}
        began = row["first_full_at"]
    return {}
