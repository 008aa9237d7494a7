"""Has a failure rate changed? Empirical-Bayes beta-binomial with over-dispersion and Bayesian FDR control.

Failures cluster, so a plain binomial test finds changes everywhere. Per-day counts give each DAG's Pearson dispersion
(McCullagh and Nelder, Generalized Linear Models, 1989, ch. 4.5), shrunk towards that of all DAGs; counts divided by
it are the effective sample. The rates of all DAGs give the prior (Casella 1985, doi:10.2307/2682801). Three models of
this week compete: the baseline rate goes on, it rose, it fell. Accepted are the changes whose mean posterior
probability of being none stays below the wanted FDR (Newton et al. 2004, doi:10.1093/biostatistics/5.2.155).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Word = Literal["worse", "better", "no evidence", "not enough data"]

ODDS_FACTORS = np.array([1.5, 2.0, 3.0, 4.5, 7.0, 12.0, 25.0])
PRIOR_WORSE = PRIOR_BETTER = 0.05  # probability, before looking, that a DAG changed for the worse / better
RATE_GRID = (np.arange(400) + 0.5) / 400


@dataclass(frozen=True, slots=True)
class Counts:
    """One subject: per-day (units, failures) of this week and of its baseline."""

    subject: str
    days: Sequence[tuple[int, int]]
    days_prev: Sequence[tuple[int, int]]

    @property
    def n(self) -> int:
        return sum(units for units, _ in self.days)

    @property
    def k(self) -> int:
        return sum(failures for _, failures in self.days)

    @property
    def n_prev(self) -> int:
        return sum(units for units, _ in self.days_prev)

    @property
    def k_prev(self) -> int:
        return sum(failures for _, failures in self.days_prev)


@dataclass(frozen=True, slots=True)
class RateChange:
    """The judgement of one subject. `probability` is the posterior of the change named by `word`."""

    counts: Counts
    word: Word
    probability: float
    excess_failures: float  # expected failures above (below: negative) the baseline
    dispersion: float


def judge_rates(
    subjects: Sequence[Counts], *, fdr: float, min_units: int, min_failures: int
) -> list[RateChange]:
    """Judge all subjects together: the prior, the dispersion trend and the FDR need all of them."""
    enough = [one for one in subjects if _is_enough(one, min_units, min_failures)]
    rest = [
        RateChange(one, "not enough data", 0.0, 0.0, 1.0)
        for one in subjects
        if not _is_enough(one, min_units, min_failures)
    ]
    if not enough:
        return rest
    dispersions = _dispersions(enough)
    alpha, beta = _prior([one for one in subjects if one.n_prev >= min_units])
    posteriors = [_posteriors(one, phi, alpha, beta) for one, phi in zip(enough, dispersions, strict=True)]
    worse, better = (_accepted([1 - one[way] for one in posteriors], fdr) for way in (0, 1))
    changes = []
    for i, one in enumerate(enough):
        base = (alpha + one.k_prev) / (alpha + beta + one.n_prev)
        excess = one.k - one.n * base
        word: Word = "no evidence"
        probability = max(posteriors[i])
        if i in worse and posteriors[i][0] >= posteriors[i][1]:
            word, probability = "worse", posteriors[i][0]
        elif i in better:
            word, probability = "better", posteriors[i][1]
        changes.append(RateChange(one, word, float(probability), float(excess), float(dispersions[i])))
    return changes + rest


def _is_enough(one: Counts, min_units: int, min_failures: int) -> bool:
    return one.n >= min_units and one.n_prev >= min_units and one.k + one.k_prev >= min_failures


def _dispersions(subjects: Sequence[Counts]) -> Floats:
    """Pearson dispersion per subject over its baseline and this week's days (each against its own mean)."""
    raw, weight = np.ones(len(subjects)), np.zeros(len(subjects))
    for i, one in enumerate(subjects):
        statistic, freedom = 0.0, 0
        for days in (one.days, one.days_prev):
            units = np.array([n for n, _ in days], dtype=float)
            failures = np.array([k for _, k in days], dtype=float)
            total = units.sum()
            rate = failures.sum() / total if total else 0.0
            if 0 < rate < 1 and len(units) > 1:
                expected = units * rate
                statistic += float((((failures - expected) ** 2) / (expected * (1 - rate))).sum())
                freedom += len(units) - 1
        if freedom:
            raw[i], weight[i] = statistic / freedom, freedom
    common = float(np.average(raw, weights=weight)) if weight.sum() else 1.0
    shrunk = (raw * weight + max(common, 1.0) * 10) / (weight + 10)  # ten days' worth of the common value
    return np.maximum(shrunk, 1.0)


def _prior(subjects: Sequence[Counts]) -> tuple[float, float]:
    """Beta prior by moments of the baseline rates; weak bounds keep it sane for small fleets."""
    rates = np.array([one.k_prev / one.n_prev for one in subjects if one.n_prev], dtype=float)
    if len(rates) < 5:
        return 0.5, 9.5
    mean = float(np.clip(rates.mean(), 0.005, 0.5))
    variance = float(np.clip(rates.var(), 1e-5, mean * (1 - mean) * 0.9))
    strength = float(np.clip(mean * (1 - mean) / variance - 1, 1.0, 50.0))
    return mean * strength, (1 - mean) * strength


def _posteriors(one: Counts, phi: float, alpha: float, beta: float) -> tuple[float, float]:
    """Posterior probabilities of (worse, better), by numerical integration over the baseline rate."""
    log_base = (alpha + one.k_prev / phi - 1) * np.log(RATE_GRID)
    log_base += (beta + (one.n_prev - one.k_prev) / phi - 1) * np.log1p(-RATE_GRID)
    base = np.exp(log_base - log_base.max())
    base /= base.sum()
    k, n = one.k / phi, one.n / phi

    def likelihood(rate: Floats) -> float:
        rate = np.clip(rate, 1e-9, 1 - 1e-9)
        return float((base * np.exp(k * np.log(rate) + (n - k) * np.log1p(-rate) - peak)).sum())

    top = np.clip(k / n if n else 0.5, 1e-9, 1 - 1e-9)
    peak = float(k * np.log(top) + (n - k) * np.log1p(-top))
    odds = RATE_GRID / (1 - RATE_GRID)
    same = likelihood(RATE_GRID)
    worse = float(np.mean([likelihood(odds * f / (1 + odds * f)) for f in ODDS_FACTORS]))
    better = float(np.mean([likelihood(odds / f / (1 + odds / f)) for f in ODDS_FACTORS]))
    weights = np.array([PRIOR_WORSE * worse, PRIOR_BETTER * better, (1 - PRIOR_WORSE - PRIOR_BETTER) * same])
    total = weights.sum()
    return (0.0, 0.0) if total <= 0 else (float(weights[0] / total), float(weights[1] / total))


def _accepted(nulls: Sequence[float], fdr: float) -> set[int]:
    """The largest set whose mean probability of being no change is at most `fdr`."""
    order = np.argsort(nulls)
    running = np.cumsum(np.asarray(nulls)[order]) / np.arange(1, len(nulls) + 1)
    count = int((running <= fdr).sum())
    return {int(i) for i in order[:count]}
