"""The best that anybody could do: a judge that knows each DAG's true rate, spread and bursts, and how changes are drawn.

Its power is the ceiling of a simulation: what a method misses beyond it is the method's own loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from benchmarks.judging.fleets import Simulated, simulate

Floats = NDArray[np.float64]
Z = np.linspace(-4.5, 4.5, 501)
WEIGHTS = np.exp(-Z * Z / 2) / np.exp(-Z * Z / 2).sum()
ODDS_FACTORS = np.exp(np.linspace(np.log(1.5), np.log(8), 42)[1::2])
WORSE = 0.05
HOPELESS = 1.05  # of the expected failures: below that nobody calls a DAG worse


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The oracle's power over DAGs that truly got worse, and over those with an excess of five or more."""

    power: float
    power_excess_5: float


def ceiling(seeds: Sequence[int], *, baseline_weeks: int) -> Ceiling:
    """The same fleets as `fleets.score` judges; Bayesian FDR 5 % with the true prior."""
    found: list[bool] = []
    large: list[bool] = []
    for seed in seeds:
        fleet = simulate(np.random.default_rng(seed), baseline_weeks=baseline_weeks)
        nulls = np.array([_null(fleet, i) for i in range(len(fleet.counts))])
        order = np.argsort(nulls, kind="stable")
        running = np.cumsum(nulls[order]) / np.arange(1, len(nulls) + 1)
        flags = np.zeros(len(nulls), dtype=bool)
        flags[order[: int((running <= 0.05).sum())]] = True
        found.extend(flags[fleet.excess > 0])
        large.extend(flags[fleet.excess >= 5])
    return Ceiling(float(np.mean(found)), float(np.mean(large)))


def _null(fleet: Simulated, i: int) -> float:
    """Probability that DAG `i` is not worse, given its days and all that is hidden from the real judge."""
    one, base = fleet.counts[i], float(fleet.base[i])
    if one.n == 0 or one.k < HOPELESS * one.n * base:
        return 1.0
    odds = base / (1 - base) * ODDS_FACTORS
    rates = np.concatenate(([base], odds / (1 + odds)))
    logs = _days(one.days, rates, float(fleet.spread[i]), bool(fleet.has_bursts[i]))
    worse = float(logsumexp(logs[1:])) - np.log(len(ODDS_FACTORS))
    return float(1 / (1 + WORSE / (1 - WORSE) * np.exp(min(50.0, worse - logs[0]))))


def _days(days: Sequence[tuple[int, int]], rates: Floats, spread: float, has_bursts: bool) -> Floats:
    """Log-likelihood of the days at each rate, integrated over each day's own factor."""
    factor = np.exp(-(spread**2) / 2 + spread * Z)
    parts = [(factor * (0.9 if has_bursts else 1.0), WEIGHTS * (0.95 if has_bursts else 1.0))]
    if has_bursts:
        parts += [(factor * burst, WEIGHTS * 0.005) for burst in np.linspace(2.1, 3.9, 10)]
    factors, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    chance = np.clip(rates[:, None] * factors[None, :], 1e-12, 0.98)
    total = np.zeros(len(rates))
    for n, k in days:
        total += logsumexp(k * np.log(chance) + (n - k) * np.log1p(-chance), axis=1, b=weights[None, :])
    return total
