"""Has a week's amount left its habit? Hours waited, lost or spent: never negative, uneven, and zero in good weeks.

The last week is held against a prediction interval of the weeks before it, of log(1 + hours), so that an hour more or less
of a quiet limit is nothing and a doubling of a busy one is much; Student's t with their degrees of freedom (Hahn and Meeker,
Statistical Intervals, 1991, section 4.3). Weeks without data are gaps: they are left out, never taken for zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p, sqrt
from statistics import median
from typing import Literal

Word = Literal["worse", "better", "no evidence", "not enough data"]

MIN_WEEKS = 4
"""Of the past; fewer say nothing about spread."""
ALPHA = 0.01
"""Two-sided, as in the scoreboard."""
LEAST_SPREAD = 0.1
"""Of the logarithm: equal weeks do not make the next one certain."""
LEAST_HOURS = 1.0
LEAST_RATIO = 1.25
"""Smaller changes interest nobody, however sure."""


@dataclass(frozen=True, slots=True)
class WeekMove:
    """`previous` is the week before, `usual` the median of the past weeks with data; None where there is none."""

    word: Word
    previous: float | None
    usual: float | None
    weeks: int
    p_value: float


def judge_weeks(values: Sequence[float | None]) -> WeekMove:
    """The last of several weeks, oldest first, None for a gap; larger is worse."""
    *past, now = values
    seen = [one for one in past if one is not None]
    previous = past[-1] if past else None
    usual = median(seen) if seen else None
    if now is None or usual is None or len(seen) < MIN_WEEKS:
        return WeekMove("not enough data", previous, usual, len(seen), 1.0)
    logs = [log1p(one) for one in seen]
    mean = sum(logs) / len(logs)
    spread = sqrt(sum((one - mean) ** 2 for one in logs) / (len(logs) - 1))
    gap = log1p(now) - mean
    t = gap / (max(spread, LEAST_SPREAD) * sqrt(1 + 1 / len(logs)))
    chance = _two_sided(t, len(logs) - 1)
    low, high = sorted((now, usual))
    is_large = high - low >= LEAST_HOURS and high >= LEAST_RATIO * low and (now > usual) == (gap > 0)
    if not is_large or chance >= ALPHA:
        return WeekMove("no evidence", previous, usual, len(seen), chance)
    return WeekMove("worse" if gap > 0 else "better", previous, usual, len(seen), chance)


def _two_sided(t: float, freedom: int) -> float:
    from scipy.special import stdtr  # half a CPU second that a pull shall not pay

    return float(2 * stdtr(freedom, -abs(t)))
