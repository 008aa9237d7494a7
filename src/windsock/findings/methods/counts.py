"""Is a count larger, or a row of like outcomes longer, than its own past explains?"""

from __future__ import annotations

from math import exp, lgamma, log, log1p, prod


def chance_of_more(count: int, before: int, weeks: int) -> float:
    """Probability of `count` or more in a week after `before` in `weeks`: the predictive distribution of a Poisson rate
    under Jeffreys' prior, which is negative binomial (Gelman et al., Bayesian Data Analysis, 2013, section 2.6).
    """
    shape, share = before + 0.5, weeks / (weeks + 1)
    below = sum(
        exp(lgamma(shape + k) - lgamma(shape) - lgamma(k + 1) + shape * log(share) + k * log1p(-share))
        for k in range(count)
    )
    return max(0.0, 1.0 - below)


def chance_of_all_lost(runs: int, lost_prev: int, runs_prev: int) -> float:
    """Probability that all of `runs` are lost after `lost_prev` of `runs_prev`: the beta-binomial prediction under
    Jeffreys' prior (Gelman et al., Bayesian Data Analysis, 2013, section 2.4).
    """
    return prod((lost_prev + 0.5 + n) / (runs_prev + 1 + n) for n in range(runs))


def chance_of_as_many_lost(lost: int, runs: int, lost_prev: int, runs_prev: int) -> float:
    """Probability that `lost` or more of `runs` are lost after `lost_prev` of `runs_prev`: the upper tail of the beta-binomial
    prediction under Jeffreys' prior, of which `chance_of_all_lost` is the end."""
    a, b = lost_prev + 0.5, runs_prev - lost_prev + 0.5
    whole = lgamma(a) + lgamma(b) - lgamma(a + b)
    return min(1.0, sum(
        exp(
            lgamma(runs + 1) - lgamma(k + 1) - lgamma(runs - k + 1)
            + lgamma(a + k) + lgamma(b + runs - k) - lgamma(a + b + runs) - whole
        )
        for k in range(lost, runs + 1)
    ))  # fmt: skip
