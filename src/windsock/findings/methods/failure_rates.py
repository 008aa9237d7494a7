"""Has a failure rate changed? Empirical-Bayes beta-binomial with over-dispersed days and Bayesian FDR control.

Failures cluster, so a plain binomial test finds changes everywhere. `failing_days` tells how likely a DAG's days are under
each model of the week (the baseline goes on, its odds rose, they fell), for each spread of the days and with or without bad
nights. How common each kind of days is, is estimated from all DAGs together (Laird 1978,
doi:10.1080/01621459.1978.10480103); so is the Beta prior of the base rates (Casella 1985, doi:10.2307/2682801), and how
common changes are (Efron 2004, doi:10.1198/016214504000000089), so that a quiet fleet stays quiet. Accepted are the changes
whose mean posterior probability of being none stays at the wanted FDR (Newton et al. 2004,
doi:10.1093/biostatistics/5.2.155).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from windsock.findings.methods.failing_days import DAY_CV2, ODDS_FACTORS, Evidence, evidence

Floats = NDArray[np.float64]
Word = Literal["worse", "better", "no evidence", "not enough data"]

# of ODDS_FACTORS; the last one is a DAG that breaks altogether
FACTOR_WEIGHTS = np.array([0.19, 0.19, 0.18, 0.18, 0.12, 0.06, 0.03, 0.05])
# what a small fleet is assumed to be like before its days are seen, and the weight of that in DAGs
USUAL_SPREAD, USUAL_WEIGHT = np.array([0.2, 0.2, 0.25, 0.22, 0.11, 0.018, 0.002]), 10.0
USUAL_CLASSES = np.concatenate((USUAL_SPREAD, USUAL_SPREAD)) / 2  # without bad nights, with
COMMON, COMMON_WEIGHT = 0.02, 20.0  # share of changed DAGs assumed before looking, and its weight in DAGs
MAX_NULL = 0.6  # no finding is made whose own probability of being none is above this
EM_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Counts:
    """One subject: per-day (units, failures) of this week and of its baseline, in order of time; with their sums."""

    subject: str
    days: Sequence[tuple[int, int]]
    days_prev: Sequence[tuple[int, int]]
    n: int = field(init=False)
    k: int = field(init=False)
    n_prev: int = field(init=False)
    k_prev: int = field(init=False)

    def __post_init__(self) -> None:
        for days, end in ((self.days, ""), (self.days_prev, "_prev")):
            object.__setattr__(self, f"n{end}", sum(units for units, _ in days))
            object.__setattr__(self, f"k{end}", sum(failures for _, failures in days))


@dataclass(frozen=True, slots=True)
class RateChange:
    """The judgement of one subject. `probability` is the posterior of the change named by `word`."""

    counts: Counts
    word: Word
    probability: float
    excess_failures: float  # expected failures above (below: negative) the baseline
    dispersion: float  # variance of the week's failures over that of a binomial
    rank: float = (
        0.0  # expected failures that a lasting change explains: bad nights that are over do not count
    )


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
    told = evidence([(one.days, one.days_prev) for one in enough], alpha, beta)
    worse, better, classes, lasting = _posteriors(told)
    spread = classes.reshape(len(enough), 2, -1).sum(axis=1) @ DAY_CV2
    is_worse, is_better = (_accepted(1 - one, fdr, MAX_NULL) for one in (worse, better))
    for i, one in enumerate(enough):
        word: Word = "no evidence"
        if i in is_worse and worse[i] >= better[i]:
            word = "worse"
        elif i in is_better:
            word = "better"
        base = (alpha + one.k_prev) / (alpha + beta + one.n_prev)
        excess = one.k - one.n * base
        probability = float(worse[i] if excess >= 0 else better[i])
        changes.append(
            RateChange(
                one,
                word,
                probability,
                excess,
                dispersion=_dispersion(one, float(spread[i]), alpha, beta),
                rank=abs(float(lasting[i])),
            )
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


def _posteriors(told: Evidence) -> tuple[Floats, Floats, Floats, Floats]:
    """Per subject: probabilities of worse and of better, of each class of days, and failures that the change explains.

    How common each class and each change is comes from all subjects together.
    """
    scaled = np.exp(told.log - told.log.max(axis=(1, 2), keepdims=True))
    count = len(ODDS_FACTORS)
    weights = np.concatenate(([1.0], FACTOR_WEIGHTS, FACTOR_WEIGHTS))
    scaled *= weights
    up, down = slice(1, count + 1), slice(count + 1, None)
    models = np.stack([scaled[..., up].sum(-1), scaled[..., down].sum(-1), scaled[..., 0]], axis=-1)
    classes, share = USUAL_CLASSES, np.array([COMMON, COMMON, 1 - 2 * COMMON])
    start = share * COMMON_WEIGHT
    for _ in range(EM_ROUNDS):
        each = _normalised(models * classes[:, None] * share)
        classes = (each.sum(axis=(0, 2)) + USUAL_WEIGHT * USUAL_CLASSES) / (len(models) + USUAL_WEIGHT)
        share = (each.sum(axis=(0, 1)) + start) / (len(models) + COMMON_WEIGHT)
    each = _normalised(models * classes[:, None] * share)
    by_model = np.repeat(share[[2, 0, 1]], [1, count, count])
    excess = (_normalised(scaled * classes[:, None] * by_model) * told.excess).sum(axis=(1, 2))
    return each[..., 0].sum(1), each[..., 1].sum(1), each.sum(-1), excess


def _normalised(joint: Floats) -> Floats:
    return np.asarray(joint / joint.sum(axis=(1, 2), keepdims=True))


def _dispersion(one: Counts, spread: float, alpha: float, beta: float) -> float:
    """The week's expected variance over that of a binomial."""
    rate = (alpha + one.k + one.k_prev) / (alpha + beta + one.n + one.n_prev)
    mean_day = sum(units**2 for units, _ in one.days) / one.n - 1
    return 1 + spread * mean_day * rate / (1 - rate)


def _accepted(nulls: Floats, fdr: float, most: float) -> set[int]:
    """The most probable ones whose mean probability of being no change stays at `fdr`, and no single one above `most`.

    The last one is taken by half of its own probability: cut off below `fdr` each time, sets of a few findings would
    hold less than they may.
    """
    order = np.argsort(nulls, kind="stable")
    ranked = nulls[order]
    running = (np.cumsum(ranked) - ranked / 2) / np.arange(1, len(nulls) + 1)
    count = int(((running <= fdr) & (ranked <= most)).sum())
    return {int(i) for i in order[:count]}
