"""How likely are so many, each with a known chance?"""

from __future__ import annotations

from math import exp, lgamma, log, log1p


def chance_of_at_least(k: int, n: int, rate: float) -> float:
    """Upper tail of the binomial distribution: `k` or more of `n`, each with probability `rate` (0 < rate < 1)."""
    return min(1.0, sum(exp(_log_term(i, n, rate)) for i in range(k, n + 1)))


def _log_term(i: int, n: int, rate: float) -> float:
    return lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) + i * log(rate) + (n - i) * log1p(-rate)
