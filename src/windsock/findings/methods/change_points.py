"""When did a level change? Least-squares segmentation in the log domain that survives noise, outliers and drift.

The steps: logs; a daily profile is taken out where it explains noise out of sample; values are clipped to three robust
sigmas around a running median, wide enough that a short incident is an outlier; optimal partition (Jackson et al. 2005,
doi:10.1109/LSP.2001.838216; Killick et al. 2012, doi:10.1080/01621459.2012.737745) with a penalty inflated by
(1 + phi) / (1 - phi) for lag-1 autocorrelation phi (Bayley and Hammersley 1946, doi:10.2307/2983560). A boundary stays
only if the level after it lasts (ten points where it is beyond doubt), differs enough in mean and median, is significant in a t-test on the effective sample
size after Bonferroni over all places, and explains the data better than a straight drift does. The weakest goes first,
and the rest is fitted again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, exp, lgamma, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from windsock.findings.methods.young_steps import SPARSE, young_step

Floats = NDArray[np.float64]

DAY_S = 86400.0
INCIDENT = 10  # points: what is over again within so many is an outlier, not a level
BLOCKS = 500  # a longer series is first cut at block bounds, then each cut is placed to the point
LASTING = 16  # points: a level that is as long, or a day where a day has fewer
SURE = 1e-9  # p-value below which a level need not last longer than an incident
DRIFT_MARGIN = 11  # in units of the noise variance: how much better than a straight line a step must be


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


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviation of one point, lag-1 autocorrelation, and what the latter costs in sample size."""

    sigma: float
    phi: float

    @property
    def inflation(self) -> float:
        return (1 + self.phi) / (1 - self.phi)


def find_changes(
    values: Floats, *, times_s: Floats | None = None, min_ratio: float = 1.06, alpha: float = 0.01
) -> list[Change]:
    """Steps in a series of positive values, in order. `before` and `after` are medians of the neighbouring segments.

    `times_s` (seconds, ascending) tells how many points a day has; without it no daily profile is looked for.
    """
    n = len(values)
    per_day = _per_day(n, times_s)
    lasting = int(max(INCIDENT, min(per_day, LASTING)))
    if n < lasting + INCIDENT:
        return []
    logs = np.log(np.maximum(values, 1e-9))
    if times_s is not None and n >= 3 * per_day >= 12:
        logs = logs - _daily_profile(logs, times_s, int(per_day))
    elif times_s is not None and n >= per_day >= 12:
        logs = logs - _daily_wave(logs, times_s)
    series = _clipped(logs)
    noise = _noise(series - _running_median(series, 2 * INCIDENT + 1))
    for _ in range(2):  # the second time with the noise that the first fit leaves
        bounds = _segment(series, penalty=3.0 * noise.sigma**2 * log(n) * noise.inflation, least=INCIDENT)
        noise = _noise(_residual(series, bounds))
    bounds, p_values = _pruned(series, bounds, noise, lasting, log(min_ratio), alpha)
    found = [_change(values, series, bounds, i, noise, p) for i, p in enumerate(p_values, start=1)]
    if times_s is None or per_day > SPARSE:
        return found
    # a level that was just long enough may hold days from before its step: where every point tells it, it begins there
    is_young = len(found) > 0 and n - bounds[-2] < 2 * INCIDENT
    start = bounds[-3] if is_young else bounds[-2]
    newest = _newest(values, logs, times_s, start, least_step=log(min_ratio), alpha=alpha)
    return [*(found[:-1] if newest and is_young else found), *newest]


def _newest(
    values: Floats, logs: Floats, times_s: Floats, start: int, *, least_step: float, alpha: float
) -> list[Change]:
    """The step within the last level that is too young for the segmentation; its place is where it shows."""
    young = young_step(logs[start:], times_s[start:], least_step=least_step)
    if young is None or young.chance > alpha:
        return []
    index = start + young.index
    before, after = float(np.median(values[start:index])), float(np.median(values[index:]))
    return [Change(index, index, index, before, after, young.chance)]


def _per_day(n: int, times_s: Floats | None) -> float:
    """Points a day; 24 when the times are not told."""
    if times_s is None or n < 2 or times_s[-1] <= times_s[0]:
        return 24.0
    return float((n - 1) * DAY_S / (times_s[-1] - times_s[0]))


def _running_median(series: Floats, width: int) -> Floats:
    """Median of a centred window; at the ends the window moves inwards and stays whole."""
    width = min(width, (len(series) - 1) // 2 * 2 + 1)
    inner = np.median(np.lib.stride_tricks.sliding_window_view(series, width), axis=1)
    return np.asarray(np.pad(inner, width // 2, mode="edge"))


def _clipped(series: Floats) -> Floats:
    """Outliers pulled to three robust sigmas around the running median; steps stay, short incidents do not."""
    median = _running_median(series, 2 * INCIDENT + 1)
    spread = 1.4826 * float(np.median(np.abs(series - median))) or 1e-6
    return np.clip(series, median - 3 * spread, median + 3 * spread)


def _daily_profile(logs: Floats, times_s: Floats, per_day: int) -> Floats:
    """The mean by hour of day against a one-day running median; zeros unless each half of the days foretells the other."""
    level = _running_median(logs, max(5, per_day // 2 * 2 + 1))
    rest = logs - level
    spread = 1.4826 * float(np.median(np.abs(rest))) or 1e-6
    rest = np.clip(rest, -3 * spread, 3 * spread)
    bins = int(min(24, max(4, per_day)))
    place = ((times_s % DAY_S) / DAY_S * bins).astype(int)
    odd = (times_s // DAY_S).astype(int) % 2 == 1

    def profile(chosen: NDArray[np.bool_]) -> Floats:
        total = np.bincount(place[chosen], rest[chosen], bins)
        count = np.bincount(place[chosen], minlength=bins)
        shape = total / (count + 2.0)  # two points' worth of "no profile"
        return np.asarray(shape - shape.mean())

    foretold = np.where(odd, profile(~odd)[place], profile(odd)[place])
    gained = float((rest**2).sum() - ((rest - foretold) ** 2).sum())
    if gained < 0.03 * float((rest**2).sum()):
        return np.zeros_like(logs)
    return np.asarray(profile(np.ones_like(odd))[place])


def _daily_wave(logs: Floats, times_s: Floats) -> Floats:
    """Less than three days cannot foretell each other: one sine a day, fitted beside the best single step."""
    angle = 2 * np.pi * times_s / DAY_S
    clipped = _clipped(logs)
    wave = np.column_stack((np.ones_like(angle), np.sin(angle), np.cos(angle)))
    alone = wave @ np.linalg.lstsq(wave, clipped, rcond=None)[0]
    step, around_step = _best_step(clipped)
    best, around_best = np.zeros(2), 0.9 * around_step  # a tenth must be gained
    for at in (step, _best_step(clipped - alone)[0]):
        design = np.column_stack((wave, np.arange(len(logs)) >= at))
        weights = np.linalg.lstsq(design, clipped, rcond=None)[0]
        around = float(((clipped - design @ weights) ** 2).sum())
        if around < around_best:
            best, around_best = weights[1:3], around
    return np.asarray(wave[:, 1:] @ best)


def _best_step(series: Floats) -> tuple[int, float]:
    """Where one step fits best, and the sum of squares around it."""
    sums, squares = _running_sums(series)
    middles = np.arange(INCIDENT, len(series) - INCIDENT + 1)
    left, right = sums[middles], sums[-1] - sums[middles]
    gain = left**2 / middles + right**2 / (len(series) - middles)
    place = int(gain.argmax())
    return int(middles[place]), float(squares[-1] - gain[place])


def _noise(rest: Floats) -> Noise:
    """Of what is left around a level. Never below one in ten thousand: equal values are no certainty."""
    variance = float(np.mean(rest**2))
    if variance <= 0:
        return Noise(1e-4, 0.0)
    phi = float(np.mean(rest[1:] * rest[:-1])) / variance
    phi += 2 / sqrt(len(rest)) * 0.25 + 1 / len(rest)  # short series hide part of it
    return Noise(max(sqrt(variance), 1e-4), float(np.clip(phi, 0.0, 0.9)))


def _residual(series: Floats, bounds: list[int]) -> Floats:
    """The series around its segments' means."""
    rest = series.copy()
    for start, end in pairwise(bounds):
        rest[start:end] -= series[start:end].mean()
    return rest


def _segment(series: Floats, *, penalty: float, least: int) -> list[int]:
    """Optimal partition by dynamic programming over blocks, whole columns at a time; boundaries with 0 and n."""
    n = len(series)
    block = ceil(n / BLOCKS)
    places = np.append(np.arange(0, n, block), n)
    sums, squares = _running_sums(series)
    sums, squares = sums[places], squares[places]
    shift = ceil(least / block)
    count = len(places) - 1
    best, back = np.full(count + 1, np.inf), np.zeros(count + 1, dtype=int)
    best[0] = -penalty
    for end in range(shift, count + 1):
        starts = slice(0, end - shift + 1)
        cost = (
            squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / (places[end] - places[starts])
        )
        total = best[starts] + cost
        place = int(total.argmin())
        best[end], back[end] = total[place] + penalty, place
    cuts = [count]
    while cuts[0] > 0:
        cuts.insert(0, int(back[cuts[0]]))
    bounds = [int(places[cut]) for cut in cuts]
    return _placed(series, bounds, least) if block > 1 else bounds


def _running_sums(series: Floats) -> tuple[Floats, Floats]:
    return np.concatenate(([0.0], series.cumsum())), np.concatenate(([0.0], (series**2).cumsum()))


def _placed(series: Floats, bounds: list[int], least: int) -> list[int]:
    """Each boundary moved to its best place between its neighbours."""
    sums, _ = _running_sums(series)
    bounds = list(bounds)
    for i in range(1, len(bounds) - 1):
        start, end = bounds[i - 1], bounds[i + 1]
        middles = np.arange(start + least, end - least + 1)
        if len(middles):
            left, right = sums[middles] - sums[start], sums[end] - sums[middles]
            gain = left**2 / (middles - start) + right**2 / (end - middles)
            bounds[i] = int(middles[int(gain.argmax())])
    return bounds


def _pruned(
    series: Floats, bounds: list[int], noise: Noise, lasting: int, least_step: float, alpha: float
) -> tuple[list[int], list[float]]:
    """Drop the weakest boundary that fails a test, place the rest again, until all that are left hold."""
    places = len(series) / noise.inflation
    while len(bounds) > 2:
        tested = [_test(series, bounds, i, noise, lasting, least_step) for i in range(1, len(bounds) - 1)]
        p_values = [min(1.0, p * places) for p, _ in tested]
        weak = [
            (not holds, p, i) for i, (p, (_, holds)) in enumerate(zip(p_values, tested, strict=True), 1)
            if p > alpha or not holds
        ]  # fmt: skip
        brief = [
            i
            for i in range(1, len(bounds) - 2)
            if bounds[i + 1] - bounds[i] < 2 * INCIDENT
            and not (bounds[i + 1] - bounds[i] >= LASTING and max(tested[i - 1][0], tested[i][0]) < SURE)
        ]
        if weak:
            del bounds[max(weak)[2]]
        elif brief:  # up and down again: both ends of the incident go
            del bounds[brief[0] : brief[0] + 2]
        else:
            return bounds, p_values
        bounds = _placed(series, bounds, INCIDENT)
    return bounds, []


def _test(
    series: Floats, bounds: list[int], i: int, noise: Noise, lasting: int, least_step: float
) -> tuple[float, bool]:
    """(p-value of one boundary, whether the step lasts, is large enough, and is no drift)."""
    left, right = series[bounds[i - 1] : bounds[i]], series[bounds[i] : bounds[i + 1]]
    both = np.concatenate((left, right))
    step = float(right.mean() - left.mean())
    error = noise.sigma * sqrt(noise.inflation * (1 / len(left) + 1 / len(right)))
    freedom = max(2.0, len(series) / noise.inflation - 2)
    p = _two_sided_t(abs(step) / error, freedom)
    around_step = float(((left - left.mean()) ** 2).sum() + ((right - right.mean()) ** 2).sum())
    x = np.arange(len(both)) - (len(both) - 1) / 2
    slope = float((x * (both - both.mean())).sum() / (x**2).sum())
    around_line = float(((both - both.mean() - slope * x) ** 2).sum())
    is_drift = around_line - around_step < DRIFT_MARGIN * noise.sigma**2 * noise.inflation
    medians = float(np.median(right) - np.median(left))
    is_large = abs(step) >= least_step and medians * step > 0 and abs(medians) >= least_step
    is_lasting = len(right) >= (INCIDENT if p < SURE else lasting)
    return p, is_lasting and is_large and not is_drift


def _two_sided_t(t: float, freedom: float) -> float:
    """P(|T| >= t) for Student's t, by integrating the density's tail on a log grid; right to about 1e-3 of itself."""
    if t > 1e6:
        return 0.0
    grid = np.geomspace(max(t, 1e-3), max(t, 1e-3) * 1e3 + 1e3, 400)
    log_density = -(freedom + 1) / 2 * np.log1p(grid**2 / freedom)
    constant = lgamma((freedom + 1) / 2) - lgamma(freedom / 2) - 0.5 * log(freedom * pi)
    density = np.exp(log_density + constant)
    return min(1.0, 2 * float(np.trapezoid(density, grid)))


def _change(values: Floats, series: Floats, bounds: list[int], i: int, noise: Noise, p: float) -> Change:
    """Place and 90 % interval by the profile likelihood of the innovations y[t] - phi y[t-1] over all places."""
    start, middle, end = bounds[i - 1], bounds[i], bounds[i + 1]
    left = series[start:end] - series[start:middle].mean()
    right = series[start:end] - series[middle:end].mean()
    on_left = np.append(0.0, (left[1:] - noise.phi * left[:-1]) ** 2)
    on_right = np.append(0.0, (right[1:] - noise.phi * right[:-1]) ** 2)
    across = np.append(0.0, (right[1:] - noise.phi * left[:-1]) ** 2)
    # the first point after the step is `t`: left of it all innovations are the left level's, right of it the right's
    cost = np.cumsum(on_left) - on_left + across + (on_right.sum() - np.cumsum(on_right))
    profile = cost / (2 * noise.sigma**2 * (1 - noise.phi**2))
    edge = min(INCIDENT // 2, (end - start) // 4)
    profile[:edge] = profile[len(profile) - edge :] = np.inf
    weight = np.exp(-(profile - profile.min()))
    share = weight.cumsum() / weight.sum()
    index = start + int(profile.argmin())
    first, last = (start + int(np.searchsorted(share, level)) for level in (0.05, 0.95))
    before, after = float(np.median(values[start:index])), float(np.median(values[index:end]))
    return Change(index, min(first, index), max(last, index), before, after, min(1.0, max(p, exp(-700))))
