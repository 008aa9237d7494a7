"""Whether a number of the scoreboard moved: a mark is only made where a test passes."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt

ALPHA = 0.01  # two-sided; eight rows a week would else carry a false mark every other week
MIN_WEEKS = 4  # of the past; fewer say nothing about spread
MIN_RATIO = 1.1  # smaller changes of a volume interest nobody


def _two_sided(t: float, freedom: int) -> float:
    from scipy.special import stdtr  # half a CPU second that a pull shall not pay

    return float(2 * stdtr(freedom, -abs(t)))


def rate_moved(counts: Sequence[tuple[int, int] | None], no_end: Sequence[int] = ()) -> tuple[int, float]:
    """Sign and p-value of the last of several `(failed, total)` against those before it.

    `no_end` of each have no known end: a change is none where it may be that more or fewer ends are known than before.

    Binomial with Pearson's dispersion estimated from the past weeks, never below 1 (McCullagh & Nelder 1989,
    section 4.5), referred to Student's t with their degrees of freedom. (0, 1.0) where it cannot be judged.
    """
    sign, p = _rate_moved(counts)
    if any(no_end):
        # as if all of them had failed: what holds both ways holds however they ended
        most = [one and (one[0] + more, one[1]) for one, more in zip(counts, no_end, strict=True)]
        sign_most, p_most = _rate_moved(most)
        return (sign, max(p, p_most)) if sign == sign_most else (0, 1.0)
    return sign, p


def _rate_moved(counts: Sequence[tuple[int, int] | None]) -> tuple[int, float]:
    *past, now = counts
    seen = [one for one in past if one and one[1]]
    if now is None or not now[1] or len(seen) < MIN_WEEKS:
        return 0, 1.0
    total = sum(n for _, n in seen)
    pooled = (sum(k for k, _ in seen) + 0.5) / (total + 1)
    variance = pooled * (1 - pooled)
    freedom = len(seen) - 1
    dispersion = max(1.0, sum((k - n * pooled) ** 2 / (n * variance) for k, n in seen) / freedom)
    gap = now[0] / now[1] - pooled
    t = gap / sqrt(dispersion * variance * (1 / now[1] + 1 / total))
    return (1 if gap > 0 else -1), _two_sided(t, freedom)


def amount_moved(values: Sequence[float | None], *, floor: float = 0.05) -> tuple[int, float]:
    """Sign and p-value of the last amount against those before: a prediction interval of logarithms, Student's t.

    `floor` is the least relative spread believed: equal past weeks do not make the next one certain.
    """
    *past, now = values
    seen = [log(one) for one in past if one and one > 0]
    if now is None or now <= 0 or len(seen) < MIN_WEEKS:
        return 0, 1.0
    mean = sum(seen) / len(seen)
    spread = sqrt(sum((one - mean) ** 2 for one in seen) / (len(seen) - 1))
    gap = log(now) - mean
    if abs(gap) < log(MIN_RATIO):
        return 0, 1.0
    t = gap / (max(spread, floor) * sqrt(1 + 1 / len(seen)))
    return (1 if gap > 0 else -1), _two_sided(t, len(seen) - 1)
