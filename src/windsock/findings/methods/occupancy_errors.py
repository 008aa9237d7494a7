"""Do tries fail more often when their pool is fuller? A score test for trend, with an hour as one witness.

Within a task (stratum s), a try's score is (x - mean of x in s) * (failed - rate of s), x being the slots that others held when it
began: the numerator of the Cochran-Armitage trend test, stratified as in Mantel (1963), "Chi-square tests with one degree of
freedom: extensions of the Mantel-Haenszel procedure". Its sum is about nothing when failing does not depend on x, whatever the
mix of tasks. The variance is not the binomial one: the failures of an outage come together, and their retries fill the pool. So
the scores are summed per hour, and the spread of those sums is used (Liang and Zeger 1986, the sandwich with hours as clusters).
One bad hour then weighs as much in the denominator as in the numerator, and is no evidence by itself.
Simulated in tests/findings/test_pool_cures.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt


def trend_z(scores: Sequence[float]) -> float:
    """The sum of the hours' scores in its own standard deviations; 0 without any. Positive: fuller fails more."""
    spread = sqrt(sum(one * one for one in scores))
    return sum(scores) / spread if spread else 0.0


def without_largest(scores: Sequence[float]) -> list[float]:
    """All but the hour that speaks most for a trend: what remains is not one hour's doing."""
    return sorted(scores)[:-1]
