"""Does a queue grow, day over day, beyond what its weekdays and hours do by themselves?

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

COLUMNS = (
    "measure",
    "source",
    "executor",
    "hours",
    "days",
    "depth",
    "depth_usual",
    "ratio",
    "day_ratio",
    "p_value",
)


def queue_trends(answers: Mapping[str, Answer]) -> Answer:
    """One row per measure (queued, ready), source and executor: `depth` in tasks, mean of the hours seen; `ratio` to the usual
    one (median hour), `day_ratio` its growth a day (Theil and Sen, of logarithms), `p_value` of that growth (Mann and
    Kendall, one-sided); null without weeks before."""
    rows = []
    for whose, hours in groupby(
        rows_of(answers, "queue_depth_by_hour"),
        lambda row: (str(row["measure"]), str(row["source"]), str(row["executor"])),
    ):
        seen = list(hours)
        days: dict[date, list[float]] = {}
        for row in seen:
            if row["weeks_before"] and row["depth_usual"] is not None:
                # one task more or less in an empty queue is nothing
                ratio = log((row["depth"] + 1) / (row["depth_usual"] + 1))
                days.setdefault(row["hour_at"].date(), []).append(ratio)
        told: list[object] = [None] * 4
        if days:
            known = [row["depth_usual"] for row in seen if row["depth_usual"] is not None]
            slope, chance = growth([median(days[day]) for day in sorted(days)])
            everything = [one for ratios in days.values() for one in ratios]
            told = [sum(known) / len(known), exp(median(everything)), exp(slope), chance]
        mean = sum(row["depth"] for row in seen) / len(seen)
        rows.append(dict(zip(COLUMNS, (*whose, len(seen), len(days), mean, *told), strict=True)))
    return Answer("queue_trends", COLUMNS, tuple(rows))
