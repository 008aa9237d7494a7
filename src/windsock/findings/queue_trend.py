"""Does an executor's queue grow, day over day, beyond what its weekdays and hours do by themselves?

Each hour of the week is set against the usual one of its weekday and hour; the days' medians of these ratios are judged by
slope. So a batch day is no growth, and hours that resemble each other are not counted as so many witnesses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import groupby
from math import exp, log
from statistics import median

from windsock.findings.methods.trend import growth
from windsock.findings.rule import rows_of
from windsock.model import Answer

COLUMNS = ("executor", "hours", "days", "queued_mean", "queued_usual", "ratio", "day_ratio", "p_value")


def queue_trends(answers: Mapping[str, Answer]) -> Answer:
    """One row per executor with gauges: `ratio` to the usual queue (median hour), `day_ratio` its growth a day (Theil and
    Sen, of logarithms), `p_value` of that growth (Mann and Kendall, one-sided); null without weeks before."""
    rows = []
    for executor, hours in groupby(
        rows_of(answers, "executor_load_by_hour"), lambda row: str(row["executor"])
    ):
        seen = [row for row in hours if row["queued_mean"] is not None]
        days: dict[date, list[float]] = {}
        for row in seen:
            if row["weeks_before"] and row["queued_usual"] is not None:
                # one task more or less in an empty queue is nothing
                ratio = log((row["queued_mean"] + 1) / (row["queued_usual"] + 1))
                days.setdefault(row["hour_at"].date(), []).append(ratio)
        told: list[object] = [None] * 4
        if days:
            known = [row["queued_usual"] for row in seen if row["queued_usual"] is not None]
            slope, chance = growth([median(days[day]) for day in sorted(days)])
            everything = [one for ratios in days.values() for one in ratios]
            told = [sum(known) / len(known), exp(median(everything)), exp(slope), chance]
        mean = sum(row["queued_mean"] for row in seen) / len(seen) if seen else None
        rows.append(dict(zip(COLUMNS, (executor, len(seen), len(days), mean, *told), strict=True)))
    return Answer("queue_trends", COLUMNS, tuple(rows))
