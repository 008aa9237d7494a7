"""Has a share risen? Exact for small counts."""

from __future__ import annotations

from math import exp, lgamma


def chance_of_rise(now: int, n: int, before: int, n_before: int) -> float:
    """One-sided p-value of Fisher's exact test: `now` of `n` or more, were both shares the same (Fisher 1922)."""
    total, marked = n + n_before, now + before
    most = min(n, marked)
    whole = _log_choose(total, marked)
    tail = sum(
        exp(_log_choose(n, k) + _log_choose(n_before, marked - k) - whole)
        for k in range(now, most + 1)
        if marked - k <= n_before
    )
    return min(1.0, tail)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
