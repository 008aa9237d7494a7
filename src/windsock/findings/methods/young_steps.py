"""A step of the last days in a series of few points a day: too young for a segmentation, too clear to wait a week for.

Ten points are an hour of a parsed file and ten days of a daily task. Where a day has at most `SPARSE` points, the newest
level is told from `LEAST` points and `LEAST_DAYS` days on when every one of them stands clear of the past: beyond its
median by `CLEAR` robust standard deviations and by half of the step, and no more than one in twenty points of the past
does so. What must hold for each point needs no distribution and is not moved by one outlier. Measured on simulated daily
series, see benchmarks/RESULTS.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SPARSE = 4.0  # points a day
LEAST, LEAST_DAYS = 4, 2.0  # points of the new level, and from the first of them to the last
PAST = 20  # points of the level before
CLEAR = 4.0
STRAYS = 0.05  # fraction of the past that may lie there, too


@dataclass(frozen=True, slots=True)
class Young:
    """`index` is the first point of the newest level; `chance` that its points rank so high by luck, Bonferroni included."""

    index: int
    chance: float


def young_step(logs: Floats, times_s: Floats, *, least_step: float) -> Young | None:
    """The newest level of a series of logarithms, of at least `least_step` up or down; None where it is not clear."""
    n = len(logs)
    for sign in (1.0, -1.0):
        series = sign * logs
        for index in range(n - LEAST, max(PAST, n - 2 * PAST) - 1, -1):
            past, new = series[:index], series[index:]
            usual = float(np.median(past))
            step = float(np.median(new)) - usual
            spread = 1.4826 * float(np.median(np.abs(past - usual)))
            bar = usual + max(least_step, CLEAR * spread, step / 2)
            if new[0] < bar or new.min() < bar:
                break  # a level that began earlier holds these points, too
            if index and past[-1] >= bar:
                continue
            is_long = times_s[-1] - times_s[index] >= LEAST_DAYS * 86400
            if is_long and float((past >= bar).mean()) <= STRAYS:
                return Young(index, _chance(len(new), index))
            break
    return None


def _chance(new: int, past: int) -> float:
    """That `new` points all rank above `past` ones, over both directions and all places: one of so many orders."""
    ways = lgamma(new + past + 1) - lgamma(new + 1) - lgamma(past + 1)
    return min(1.0, float(2 * past * np.exp(-ways)))
