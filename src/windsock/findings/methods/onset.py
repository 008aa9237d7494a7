"""Where in a series of counts did the rate change? The most likely single change of a binomial rate.

Of all places that part the series in two, the one with the highest likelihood of two rates, of which the later one is the
higher (or the lower): Hinkley and Hinkley 1970, doi:10.1093/biomet/57.3.477. It says where, not whether: that something
changed is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log


def onset(counts: Sequence[tuple[int, int]], *, rises: bool = True, least_gain: float = 0.0) -> int | None:
    """The place of the first of (units, failures) after the change; None where no place parts a lower from a higher rate.

    Of places that are as likely the first one. `least_gain`: how much two rates must be likelier than one (difference of
    logarithms), for who asks of counts in which nothing need have changed.
    """
    units, failures = (sum(one[part] for one in counts) for part in (0, 1))
    best: tuple[float, int] | None = None
    n = k = 0
    for place, (more_units, more_failures) in enumerate(counts):
        if 0 < n < units:
            before, after = k / n, (failures - k) / (units - n)
            likely = _likelihood(k, n) + _likelihood(failures - k, units - n)
            is_change = after > before if rises else after < before
            if is_change and (best is None or likely > best[0] + 1e-9):
                best = likely, place
        n, k = n + more_units, k + more_failures
    if best is None or best[0] - _likelihood(failures, units) < least_gain:
        return None
    return best[1]


def _likelihood(k: int, n: int) -> float:
    """Logarithm, at the rate that makes it the largest."""
    return (k * log(k / n) if k else 0.0) + ((n - k) * log((n - k) / n) if k < n else 0.0)
