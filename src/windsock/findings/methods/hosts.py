"""Does one host do worse than the others on the same tasks? Rank tests by stratum, with clusters, over many hosts.

Tries are compared within strata (the same task at the same time), so hard tasks blame nobody. Within a stratum the n tries
of a host are, if hosts do not matter, a draw without replacement from its N tries; their scores have then a known mean
and variance (Mantel 1963, doi:10.1080/01621459.1963.10500879; Landis, Heyman and Koch 1978, doi:10.2307/1402373). With
scores 0 and 1 the sum over strata is the test of Cochran, Mantel and Haenszel; with ranks over N + 1 that of van Elteren
(1960). What strata do not hold is tries that fail together, because one outage hit those that ran in one hour: the sums by
hour, around the host's own mean effect, tell by how much the variance is larger (Liang and Zeger 1986,
doi:10.1093/biomet/73.1.13). The tail for failures is that of a binomial (a sum of hypergeometrics is a sum of independent
indicators: Vatutin and Mikhailov 1982, doi:10.1137/1127089) or, where clusters make it wider than a Poisson's, of a
negative binomial, matched in mean and variance: normal tails are wrong where a handful is expected. Which hosts to name is
settled by the false discovery rate (Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x), behind a gate: that
any host is bad at all has to be shown first (Simes 1986, doi:10.1093/biomet/73.3.751). The gate only takes names away, so that the
rate holds, and a quiet week stays quiet at its own, smaller chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any

SMALLEST = 1e-300


@dataclass(frozen=True, slots=True)
class Standing:
    """One host by one measure: how likely is a sum of scores as high as this by chance, and is it named?"""

    row: Mapping[str, Any]
    inflation: float  # of the variance, by tries that end alike within an hour
    p_value: float  # one-sided: worse than the others
    is_named: bool = False


def inflation(row: Mapping[str, Any]) -> float:
    """How many times the variance of tries that end independently; at least 1.

    Squares of the hours' excess around the host's mean effect, over what independent tries of that effect would give.
    """
    variance = row["variance"]
    effect = (row["observed"] - row["expected"]) / variance
    within = row["cell_square"] - 2 * effect * row["cell_cross"] + effect**2 * row["cell_variance"]
    free = variance - row["cell_variance"] / variance
    # counts of a host that fails three times as often vary three times as much
    level = max(1.0, row["observed"] / row["expected"]) if row["expected"] > 0 else 1.0
    return float(max(1.0, within / (free * level))) if free > 1e-9 * variance else 1.0


def stand(
    rows: Sequence[Mapping[str, Any]], *, fdr: float, chance: float, are_counts: bool
) -> list[Standing]:
    """Every host of one measure, judged together. `fdr`: expected share of wrong names; `chance`: that any host is named where
    none is bad. `are_counts`: scores are 0 or 1, else ranks."""
    found = []
    for row in rows:
        if row["variance"] <= 0:
            continue
        wider = inflation(row)
        tail = chance_of_counts if are_counts else _normal_tail
        found.append(Standing(row, wider, tail(row["observed"], row["expected"], row["variance"] * wider)))
    chances = [one.p_value for one in found]
    named = discoveries(chances, fdr) if discoveries(chances, chance) else set()
    return [Standing(one.row, one.inflation, one.p_value, place in named) for place, one in enumerate(found)]


def _normal_tail(observed: float, expected: float, variance: float) -> float:
    return max(SMALLEST, 0.5 * erfc((observed - expected) / sqrt(2 * variance)))


def chance_of_counts(observed: float, expected: float, variance: float) -> float:
    """P(X >= observed) of the binomial or negative binomial with this mean and variance."""
    from scipy.special import betainc, gammainc  # half a CPU second that a pull shall not pay

    if observed <= 0:
        return 1.0
    if abs(variance - expected) <= 1e-6 * expected:
        return max(SMALLEST, float(gammainc(observed, expected)))
    if variance < expected:
        # as many as were seen are possible, whatever two moments say
        size = max(observed, expected**2 / (expected - variance))
        return max(SMALLEST, float(betainc(observed, size - observed + 1, expected / size)))
    size = expected**2 / (variance - expected)
    return max(SMALLEST, float(betainc(observed, size, expected / (expected + size))))


def discoveries(chances: Sequence[float], fdr: float) -> set[int]:
    """Places of the p-values that Benjamini and Hochberg's step-up procedure takes; it takes any where Simes' test does."""
    order = sorted(range(len(chances)), key=lambda place: chances[place])
    count = max(
        (no for no, place in enumerate(order, 1) if chances[place] <= fdr * no / len(chances)), default=0
    )
    return set(order[:count])
