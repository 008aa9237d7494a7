"""Has a daily figure moved at one known moment? Compared with every span of the same length in its own past.

A figure of days (adjusted for what ran on them) has weekdays, bad nights and a memory of a few days, so a plain two-sample
test finds changes everywhere. Here the days since the moment are one span; each day is held against the median of the same
weekday before it (leaving itself out), and the span's mean must lie beyond the mean of every span of that length in the
weeks before (a randomisation over shifts in time, which keeps the memory: Edgington and Onghena, Randomization Tests, 2007,
ch. 11), and beyond them by rank (Mann and Whitney 1947, doi:10.1214/aoms/1177730491). Neither alone is enough: few spans
allow no small probability, and ranks take days for independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import erfc, sqrt
from statistics import mean, median
from typing import Literal

Word = Literal["worse", "better", "no evidence", "not enough data"]

LEAST_AFTER, LEAST_BEFORE = 3, 28
"""Days with the figure: three after, as one bad night is no change; four weeks before, for weekdays and spans."""
MAX_CHANCE = 0.003
"""Of the ranks, one-sided: measured with the spans' rule on simulated days, see benchmarks/RESULTS.md."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The judgement of one figure. `shift` is the mean day after, less what was usual for its weekday, in the figure's own
    unit; `chance` that of the ranks; `beyond` how many of `spans` the span after lies beyond."""

    word: Word
    shift: float
    chance: float
    beyond: int
    spans: int
    days_before: int
    days_after: int


def judge_days(
    before: Mapping[date, float],
    after: Mapping[date, float],
    *,
    least_shift: float,
    larger_is: Word = "worse",
) -> Moved:
    """Judge the days after a moment. A shift smaller than `least_shift` is no evidence, however sure."""
    enough = len(after) >= LEAST_AFTER and len(before) >= LEAST_BEFORE
    if not enough:
        return Moved("not enough data", 0.0, 1.0, 0, 0, len(before), len(after))
    usual = _usual(before)
    past = {day: value - _without(before, day) for day, value in before.items()}
    now = [value - usual[day.weekday()] for day, value in after.items()]
    shift = mean(now) - median(past.values())
    sign = 1.0 if shift >= 0 else -1.0
    span = (max(after) - min(after)).days + 1
    means = _means(past, span, len(after))
    told = mean(now)
    beyond = sum(abs(told) > abs(one) for one in means)
    chance = _rank_chance([sign * one for one in now], [sign * one for one in past.values()])
    word: Word = "no evidence"
    if means and beyond == len(means) and chance <= MAX_CHANCE and abs(shift) >= least_shift:
        other: Word = "better" if larger_is == "worse" else "worse"
        word = larger_is if shift > 0 else other
    return Moved(word, shift, chance, beyond, len(means), len(before), len(after))


def _usual(days: Mapping[date, float]) -> dict[int, float]:
    """The median of each weekday; of all days where a weekday was seen once or never."""
    whole = median(days.values())
    mine = {number: [value for day, value in days.items() if day.weekday() == number] for number in range(7)}
    return {number: median(values) if len(values) >= 2 else whole for number, values in mine.items()}


def _without(days: Mapping[date, float], day: date) -> float:
    """What is usual for a day of the past, itself left out: else it would be nearer to the usual than a day after can be."""
    others = [value for one, value in days.items() if one.weekday() == day.weekday() and one != day]
    return median(others if len(others) >= 2 else [value for one, value in days.items() if one != day])


def _means(past: Mapping[date, float], span: int, days: int) -> list[float]:
    """The mean of every span of the past that has as many days as the one after, or nearly."""
    found = []
    first, last = min(past), max(past)
    for shift in range((last - first).days - span + 2):
        start = first + timedelta(days=shift)
        values = [past[day] for one in range(span) if (day := start + timedelta(days=one)) in past]
        if len(values) >= max(LEAST_AFTER, days - 1):
            found.append(mean(values))
    return found


def _rank_chance(now: Sequence[float], past: Sequence[float]) -> float:
    """One-sided probability that the days after rank so high by chance, by the normal approximation with ties shared."""
    n, m = len(now), len(past)
    wins = sum((one > other) + 0.5 * (one == other) for one in now for other in past)
    spread = sqrt(n * m * (n + m + 1) / 12)
    z = (wins - n * m / 2 - 0.5) / spread
    return 0.5 * erfc(z / sqrt(2))
