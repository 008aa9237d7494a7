"""When did a level change? Least-squares segmentation in the log domain that survives noise, outliers and drift.

The steps: logs; clip to three robust sigmas around a running median; optimal partition (Killick et al. 2012,
doi:10.1080/01621459.2012.737745) with a penalty inflated by (1 + phi) / (1 - phi) for lag-1 autocorrelation phi; keep a
boundary only if the segment after it is long enough, the step is large enough, a t-test on the effective sample size
is significant after Bonferroni over all places, and a step explains the data better than a straight drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """A step: `index` is the first point after it; the true place lies in [`first`, `last`] with 90 %."""

    index: int
    first: int
    last: int
    before: float
    after: float
    p_value: float

    @property
    def ratio(self) -> float:
        return self.after / self.before


def find_changes(
    values: Floats, *, min_segment: int = 10, min_ratio: float = 1.06, alpha: float = 0.01
) -> list[Change]:
    """Steps in a series of positive values, in order. `before` and `after` are medians of the neighbouring segments."""
    n = len(values)
    if n < 2 * min_segment:
        return []
    series = _clipped(np.log(np.maximum(values, 1e-9)))
    noise, phi = _noise(series)
    inflation = (1 + phi) / (1 - phi)
    bounds = _segment(series, penalty=3.0 * noise**2 * log(n) * inflation, least=min_segment)
    while True:
        tested = [_test(series, bounds, i, noise, inflation) for i in range(1, len(bounds) - 1)]
        weak = [
            (p, i)
            for i, (p, step, is_drift) in enumerate(tested, start=1)
            if p * n > alpha or abs(step) < log(min_ratio) or is_drift
        ]
        if not weak:
            break
        del bounds[max(weak)[1]]
    return [
        _change(values, series, bounds, i, noise, inflation, p * n)
        for i, (p, _s, _d) in enumerate(tested, start=1)
    ]


def _clipped(series: Floats, width: int = 11) -> Floats:
    """Outliers pulled to three robust sigmas around the running median; steps stay."""
    half = width // 2
    padded = np.pad(series, half, mode="edge")
    median = np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
    spread = 1.4826 * float(np.median(np.abs(series - median))) or 1e-6
    return np.clip(series, median - 3 * spread, median + 3 * spread)


def _noise(series: Floats) -> tuple[float, float]:
    """Robust sigma, and lag-1 autocorrelation of what is left after a running mean."""
    width = max(5, min(51, len(series) // 4))
    kernel = np.ones(width) / width
    smooth = np.convolve(np.pad(series, width // 2, mode="edge"), kernel, mode="valid")[: len(series)]
    rest = series - smooth
    sigma = 1.4826 * float(np.median(np.abs(rest - np.median(rest)))) * sqrt(width / (width - 1))
    variance = float((rest**2).sum())
    phi = float((rest[1:] * rest[:-1]).sum() / variance) if variance > 0 else 0.0
    phi += 1 / width  # the running mean itself takes this much away
    return max(sigma, 1e-4), float(np.clip(phi, 0.0, 0.9))


def _segment(series: Floats, *, penalty: float, least: int) -> list[int]:
    """Optimal partition by dynamic programming, whole columns at a time; boundaries with 0 and n."""
    n = len(series)
    sums, squares = np.concatenate(([0.0], series.cumsum())), np.concatenate(([0.0], (series**2).cumsum()))
    best, back = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=int)
    best[0] = -penalty
    for end in range(least, n + 1):
        starts = np.arange(0, end - least + 1)
        length = end - starts
        cost = squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / length
        total = best[starts] + cost + penalty
        place = int(total.argmin())
        best[end], back[end] = total[place], place
    bounds = [n]
    while bounds[0] > 0:
        bounds.insert(0, int(back[bounds[0]]))
    return bounds


def _test(
    series: Floats, bounds: list[int], i: int, noise: float, inflation: float
) -> tuple[float, float, bool]:
    """(p-value of one boundary, step in logs, whether a straight line explains it better)."""
    left, right = series[bounds[i - 1] : bounds[i]], series[bounds[i] : bounds[i + 1]]
    both = np.concatenate((left, right))
    step = float(right.mean() - left.mean())
    error = noise * sqrt(inflation * (1 / len(left) + 1 / len(right)))
    p = erfc(abs(step) / error / sqrt(2))
    around_step = float(((left - left.mean()) ** 2).sum() + ((right - right.mean()) ** 2).sum())
    x = np.arange(len(both)) - (len(both) - 1) / 2
    slope = float((x * (both - both.mean())).sum() / (x**2).sum())
    around_line = float(((both - both.mean() - slope * x) ** 2).sum())
    return p, step, around_line <= around_step


def _change(
    values: Floats, series: Floats, bounds: list[int], i: int, noise: float, inflation: float, p: float
) -> Change:
    """The profile likelihood over all places of the boundary gives the 90 % interval."""
    start, middle, end = bounds[i - 1], bounds[i], bounds[i + 1]
    left_mean, right_mean = float(series[start:middle].mean()), float(series[middle:end].mean())
    cost = (series[start:end] - left_mean) ** 2 - (series[start:end] - right_mean) ** 2
    profile = np.concatenate(([0.0], cost.cumsum())) / (2 * noise**2 * inflation)
    weight = np.exp(-(profile - profile.min()))
    share = weight.cumsum() / weight.sum()
    first = start + int(np.searchsorted(share, 0.05))
    last = start + int(np.searchsorted(share, 0.95))
    before, after = float(np.median(values[start:middle])), float(np.median(values[middle:end]))
    return Change(middle, min(first, middle), max(last, middle), before, after, min(1.0, max(p, exp(-700))))
