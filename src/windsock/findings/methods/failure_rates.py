"""Has a failure rate changed? Empirical-Bayes quasi-binomial with over-dispersed days and Bayesian FDR control.

Failures cluster, so a plain binomial test finds changes everywhere. A day's rate varies around its week's by a squared
coefficient of variation c, the same for both windows of a DAG; the Pearson statistic of its days (McCullagh and Nelder,
Generalized Linear Models, 1989, ch. 4.5) tells what c may be, and the distribution of c over all DAGs is estimated
first (Laird 1978, doi:10.1080/01621459.1978.10480103). So is the Beta prior of the base rates (Casella 1985,
doi:10.2307/2682801). Three models of this week compete, each integrated over base rate and c with the extended
quasi-likelihood (Nelder and Pregibon 1987, doi:10.1093/biomet/74.2.221): the baseline goes on, its odds rose, they
fell. How common changes are is estimated from all DAGs together (Efron 2004, doi:10.1198/016214504000000089), so a
quiet fleet stays quiet. Accepted are the changes whose mean posterior probability of being none stays below the wanted
FDR (Newton et al. 2004, doi:10.1093/biostatistics/5.2.155).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Word = Literal["worse", "better", "no evidence", "not enough data"]

ODDS_FACTORS = np.array([1.6, 2.3, 3.3, 5.0, 8.0, 20.0, 100.0])
FACTOR_WEIGHTS = np.array([0.2, 0.2, 0.2, 0.19, 0.14, 0.05, 0.02])
DAY_CV2 = np.array([0.0, 0.01, 0.04, 0.1, 0.25, 0.6, 1.5, 4.0])
# what a small fleet is assumed to be like before its days are seen, and the weight of that in DAGs
USUAL_SPREAD, USUAL_WEIGHT = np.array([0.2, 0.15, 0.2, 0.2, 0.16, 0.075, 0.013, 0.002]), 4.0
NODES = np.linspace(-4.5, 4.5, 25)  # of the base rate's logit, in standard deviations
COMMON, COMMON_WEIGHT = 0.02, 20.0  # share of changed DAGs assumed before looking, and its weight in DAGs
# no finding is made whose own probability of being none is above this; a short baseline tells less of the spread
MAX_NULL, MAX_NULL_SHORT, SHORT_DAYS = 0.6, 0.18, 14
EM_ROUNDS = 40


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
    dispersion: float  # variance of the week's failures over that of a binomial
    rank: float = 0.0  # expected lasting excess: bad nights that are over capped, times the probability


@dataclass(frozen=True, slots=True)
class _Fleet:
    """All subjects as columns: totals, mean day sizes, and what the days say of their spread."""

    n: Floats
    k: Floats
    n_prev: Floats
    k_prev: Floats
    day_size: Floats
    day_size_prev: Floats
    freedom: Floats  # days that tell of the spread
    spread_likelihood: Floats  # subjects by DAY_CV2


def judge_rates(
    subjects: Sequence[Counts], *, fdr: float, min_units: int, min_failures: int
) -> list[RateChange]:
    """Judge all subjects together: priors, spread and FDR need all of them."""
    enough = [one for one in subjects if _is_enough(one, min_units, min_failures)]
    rest = [one for one in subjects if not _is_enough(one, min_units, min_failures)]
    changes = [RateChange(one, "not enough data", 0.0, 0.0, 1.0) for one in rest]
    if not enough:
        return changes
    alpha, beta = _prior([one for one in subjects if one.n_prev >= min_units])
    fleet = _columns(enough, alpha, beta)
    weights = _spread_weights(fleet.spread_likelihood, fleet.freedom)
    worse, better = _posteriors(_evidence(fleet, weights, alpha, beta))
    base = (alpha + fleet.k_prev) / (alpha + beta + fleet.n_prev)
    excess = np.array([one.k for one in enough]) - fleet.n * base
    dispersion = _dispersion(fleet, weights, alpha, beta)
    is_short = float(np.median([len(one.days_prev) for one in enough])) < SHORT_DAYS
    limit = MAX_NULL_SHORT if is_short else MAX_NULL
    is_worse, is_better = (_accepted(1 - one, fdr, limit) for one in (worse, better))
    for i, one in enumerate(enough):
        word: Word = "no evidence"
        if i in is_worse and worse[i] >= better[i]:
            word = "worse"
        elif i in is_better:
            word = "better"
        probability = worse[i] if excess[i] >= 0 else better[i]
        rank = float(probability * abs(fleet.k[i] - fleet.n[i] * base[i]))
        changes.append(
            RateChange(one, word, float(probability), float(excess[i]), float(dispersion[i]), rank)
        )
    return changes


def _is_enough(one: Counts, min_units: int, min_failures: int) -> bool:
    return one.n >= min_units and one.n_prev >= min_units and one.k + one.k_prev >= min_failures


def _prior(subjects: Sequence[Counts]) -> tuple[float, float]:
    """Beta prior by moments of the baseline rates, less their sampling noise; weak bounds keep small fleets sane."""
    total = np.array([one.n_prev for one in subjects], dtype=float)
    rates = np.array([one.k_prev for one in subjects], dtype=float) / np.maximum(total, 1)
    if len(rates) < 5:
        return 0.5, 9.5
    mean = float(np.clip(rates.mean(), 0.002, 0.5))
    noise = float(np.mean(mean * (1 - mean) / total))
    variance = float(np.clip(rates.var() - noise, 1e-5, mean * (1 - mean) * 0.9))
    strength = float(np.clip(mean * (1 - mean) / variance - 1, 1.0, 50.0))
    return mean * strength, (1 - mean) * strength


def _columns(subjects: Sequence[Counts], alpha: float, beta: float) -> _Fleet:
    """Totals, and the likelihood of each possible spread given the days of both windows."""
    table = np.zeros((7, len(subjects)))
    likelihood = np.ones((len(subjects), len(DAY_CV2)))
    for i, one in enumerate(subjects):
        sizes, totals = [], []
        statistic, freedom, sparse, phi_slope = 0.0, 0, 0.0, 0.0
        windows = [np.array(days, dtype=float).T for days in (one.days, one.days_prev)]
        capped = _without_bursts(windows)
        for (units, raw), failures in zip(windows, capped, strict=True):
            total, failed = units.sum(), failures.sum()
            failures = (failures + raw) / 2  # capped days alone would hide part of the spread
            totals += [total, failed]
            sizes.append(float((units**2).sum() / total - 1))
            rate = (failed + alpha) / (total + alpha + beta)
            if failed and failed < total and len(units) > 1:
                own = failures.sum() / total
                expected = units * own
                statistic += float((((failures - expected) ** 2) / (expected * (1 - own))).sum())
                sparse += float((1 / expected).sum())
                freedom += len(units) - 1
                phi_slope += (len(units) - 1) * sizes[-1] * rate / (1 - rate)
        table[:, i] = (*totals, *sizes, freedom)
        if freedom:
            likelihood[i] = _spread_likelihood(statistic, freedom, sparse, phi_slope / freedom)
    n, k, n_prev, k_prev, size, size_prev, freedoms = table
    return _Fleet(n, k, n_prev, k_prev, size, size_prev, freedoms, likelihood)


def _without_bursts(windows: Sequence[Floats]) -> list[Floats]:
    """Failures per day, capped at three robust sigmas over the window's better five sevenths: a bad night that is over is no
    change of the rate. Two or more bad days up to the window's end are left: they may be one.
    """
    rates, scores = [], []
    for units, failures in windows:
        calm = np.argsort(failures / units, kind="stable")[: max(1, len(units) - len(units) * 2 // 7)]
        rate = float(np.clip(failures[calm].sum() / units[calm].sum(), 0.2 / units.sum(), 1 - 1e-6))
        rates.append(rate)
        scores.append(np.abs(failures - units * rate) / np.sqrt(units * rate * (1 - rate)))
    sigma = max(1.0, 1.4826 * float(np.median(np.concatenate(scores))))
    capped = []
    for (units, failures), rate in zip(windows, rates, strict=True):
        cap = units * rate + 3 * sigma * np.sqrt(units * rate * (1 - rate)) + 1
        tail = 0
        while tail < len(units) and failures[-1 - tail] > cap[-1 - tail]:
            tail += 1
        chosen = np.minimum(failures, cap)
        if tail >= 2:
            chosen[-tail:] = failures[-tail:]
        capped.append(chosen)
    return capped


def _spread_likelihood(statistic: float, freedom: float, sparse: float, slope: float) -> Floats:
    """Chi-squared density of the Pearson statistic at each DAY_CV2, with fewer degrees of freedom where counts are small."""
    effective = 2 * freedom**2 / (2 * freedom + sparse)
    phi = 1 + DAY_CV2 * slope
    scaled = statistic * effective / freedom / phi
    log_density = (effective / 2 - 1) * np.log(max(statistic, 1e-9) / phi) - scaled / 2 - np.log(phi)
    return np.asarray(np.exp(log_density - log_density.max()))


def _spread_weights(likelihood: Floats, freedom: Floats) -> Floats:
    """How common each spread is over the DAGs, by expectation-maximisation; returned per DAG, given its own days."""
    share = USUAL_SPREAD
    for _ in range(EM_ROUNDS):
        each = likelihood * share
        each /= each.sum(axis=1, keepdims=True)
        share = (each.sum(axis=0) + USUAL_WEIGHT * USUAL_SPREAD) / (len(likelihood) + USUAL_WEIGHT)
    each = likelihood * share
    each /= each.sum(axis=1, keepdims=True)
    # a burst that the days seen do not hold: the fewer the days, the more weight moves one spread up
    moved = each * np.where(freedom > 0, 1 / np.maximum(freedom, 4), 0.0)[:, None]
    moved[:, -1] = 0
    each -= moved
    each[:, 1:] += moved[:, :-1]
    return np.asarray(each)


def _quasi(k: Floats, n: Floats, rate: Floats, phi: Floats) -> Floats:
    """Extended quasi-log-likelihood of k failures of n at `rate`, the variance being phi times the binomial's."""
    own = np.clip(k / n, 1e-12, 1 - 1e-12)
    deviance = k * np.log(own / rate) + (n - k) * np.log((1 - own) / (1 - rate))
    return np.asarray(-deviance / phi - 0.5 * np.log(phi))


def _evidence(fleet: _Fleet, weights: Floats, alpha: float, beta: float) -> Floats:
    """Log marginal likelihood per DAG (rows) of: no change, each factor up, each factor down.

    Axes: DAG, spread, node of the base rate, factor.
    """
    n, k, n_prev, k_prev = (one[:, None, None] for one in (fleet.n, fleet.k, fleet.n_prev, fleet.k_prev))
    rough = (alpha + fleet.k_prev) / (alpha + beta + fleet.n_prev)
    slope = fleet.day_size_prev * rough / (1 - rough)
    phi_prev = 1 + DAY_CV2[None, :] * slope[:, None]
    a = alpha + fleet.k_prev[:, None] / phi_prev
    b = beta + (fleet.n_prev - fleet.k_prev)[:, None] / phi_prev
    centre, width = np.log(a / b), np.sqrt(1 / a + 1 / a**2 + 1 / b)
    logit = centre[:, :, None] + width[:, :, None] * NODES
    odds = np.exp(np.clip(logit, -25, 25))
    rate = odds / (1 + odds)
    base = alpha * np.log(rate) + beta * np.log1p(-rate) + np.log(width)[:, :, None]
    base += _quasi(k_prev, n_prev, rate, phi_prev[:, :, None])
    factors = np.concatenate(([1.0], ODDS_FACTORS, 1 / ODDS_FACTORS))
    sizes, cv2 = fleet.day_size[:, None, None], DAY_CV2[None, :, None]
    log_weights = np.log(weights + 1e-300)[:, :, None]
    columns = []
    for factor in factors:
        now = odds * factor
        phi = 1 + cv2 * sizes * now
        joint = base + _quasi(k, n, now / (1 + now), phi) + log_weights
        top = joint.max(axis=(1, 2), keepdims=True)
        columns.append(np.log(np.exp(joint - top).sum(axis=(1, 2))) + top[:, 0, 0])
    return np.column_stack(columns)


def _posteriors(evidence: Floats) -> tuple[Floats, Floats]:
    """Posterior probabilities of (worse, better) per DAG; how common each is comes from all of them."""
    likelihood = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    count = len(ODDS_FACTORS)
    same = likelihood[:, 0]
    worse = likelihood[:, 1 : count + 1] @ FACTOR_WEIGHTS
    better = likelihood[:, count + 1 :] @ FACTOR_WEIGHTS
    models = np.column_stack((worse, better, same))
    share = np.array([COMMON, COMMON, 1 - 2 * COMMON])
    start = share * COMMON_WEIGHT
    for _ in range(EM_ROUNDS):
        each = models * share
        each /= each.sum(axis=1, keepdims=True)
        share = (each.sum(axis=0) + start) / (len(models) + COMMON_WEIGHT)
    each = models * share
    each /= each.sum(axis=1, keepdims=True)
    return each[:, 0], each[:, 1]


def _dispersion(fleet: _Fleet, weights: Floats, alpha: float, beta: float) -> Floats:
    """The week's expected variance over that of a binomial."""
    rate = (alpha + fleet.k + fleet.k_prev) / (alpha + beta + fleet.n + fleet.n_prev)
    return np.asarray(1 + (weights @ DAY_CV2) * fleet.day_size * rate / (1 - rate))


def _accepted(nulls: Floats, fdr: float, most: float) -> set[int]:
    """The largest set whose mean probability of being no change is at most `fdr`, and no single one above `most`."""
    order = np.argsort(nulls, kind="stable")
    running = np.cumsum(nulls[order]) / np.arange(1, len(nulls) + 1)
    count = int(((running <= fdr) & (nulls[order] <= most)).sum())
    return {int(i) for i in order[:count]}
