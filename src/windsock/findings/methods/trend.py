"""When does a slow growth reach a limit? Robust to single bad weeks, silent on flat and on stepped series.

Slope by Theil and Sen: the median over all pairs of points, with Sen's interval from Kendall's statistic (Sen 1968,
doi:10.1080/01621459.1968.10480934). No growth is told unless the whole interval is above zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

Z_90 = 1.645
"""Two-sided 90 % of the normal distribution."""
LEAST_POINTS = 6
"""With fewer, Sen's interval holds every pair and says nothing."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Units of time from the last point until the limit: the estimate, and its 90 % interval."""

    expected: float
    soonest: float
    latest: float


def reaches(points: Sequence[tuple[float, float]], limit: float) -> Forecast | None:
    """When a series of (time, value) reaches `limit`; None where it does not surely grow, or is there already."""
    if len(points) < LEAST_POINTS:
        return None
    slopes = sorted(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for place, earlier in enumerate(points)
        for later in points[place + 1 :]
        if later[0] > earlier[0]
    )
    n, count = len(points), len(slopes)
    spread = Z_90 * sqrt(n * (n - 1) * (2 * n + 5) / 18)
    below = int((count - spread) / 2)
    if below < 1:
        return None
    low, slope, high = slopes[below - 1], median(slopes), slopes[count - below]
    if low <= 0 or _level(points, slope) >= limit or _is_step([value for _at, value in points]):
        return None
    # a flatter line stands lower today, a steeper one higher: the interval holds both errors at once
    expected, soonest, latest = ((limit - _level(points, one)) / one for one in (slope, high, low))
    return Forecast(expected, max(0.0, soonest), latest)


def _level(points: Sequence[tuple[float, float]], slope: float) -> float:
    """Where a line of this slope through the middle of the points stands at the last of them."""
    return median(value - slope * (at - points[-1][0]) for at, value in points)


def _is_step(values: Sequence[float]) -> bool:
    """Whether two levels explain the values better than one line does: a step is told elsewhere, and has no future."""
    n = len(values)
    around_step = min(_around(values[:at]) + _around(values[at:]) for at in range(2, n - 1))
    mean_x, mean_y = (n - 1) / 2, sum(values) / n
    along = sum((x - mean_x) * (y - mean_y) for x, y in enumerate(values))
    around_line = _around(values) - along**2 / sum((x - mean_x) ** 2 for x in range(n))
    return around_step < around_line


def _around(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values)


def growth(values: Sequence[float]) -> tuple[float, float]:
    """Slope per step (Theil and Sen), and the chance of as much growth in a series without a trend (Mann 1945,
    doi:10.2307/1907187; Kendall's S, exact for the few points of a week, without ties; ties make it larger).
    """
    n = len(values)
    pairs = [
        (values[later] - values[earlier], later - earlier)
        for earlier in range(n)
        for later in range(earlier + 1, n)
    ]
    if not pairs:
        return 0.0, 1.0
    score = sum((rise > 0) - (rise < 0) for rise, _steps in pairs)
    # inversions of a random order: (pairs - S) / 2 of them or fewer
    ways = [1]
    for size in range(2, n + 1):
        wider = [0] * (len(ways) + size - 1)
        for count, number in enumerate(ways):
            for more in range(size):
                wider[count + more] += number
        ways = wider
    most = (len(pairs) - score) // 2
    return median(rise / steps for rise, steps in pairs), sum(ways[: most + 1]) / sum(ways)
