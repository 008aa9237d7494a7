"""The best that can be done with what is seen: `python -m benchmarks.judging.informed [--fleets 40] [--weeks 1]`.

A judge that knows how fleets are drawn (rates, spreads, bad nights, changes and how common they are) and nothing of any DAG
but its counts. Its posterior is exact up to Laplace's approximation of each day's factor, so ranking by it is optimal
(Neyman and Pearson), and its power at a realised FDR is the ceiling for every method. Minutes of CPU.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from benchmarks.judging.fleets import simulate
from windsock.findings.methods.failure_rates import Counts

Floats = NDArray[np.float64]
SPREADS = np.array([0.05, 0.3, 0.7])
NODES = np.linspace(-5, 5, 21)
FACTORS = np.exp(np.log(1.5) + np.log(8 / 1.5) * (np.arange(12) + 0.5) / 12)
BURSTS = np.array([2.2, 2.6, 3.0, 3.4, 3.8])
ALPHA, BETA, WORSE = 0.6, 12.0, 0.05


def ranked_power(seeds: range, *, weeks: int, fdr: float = 0.05) -> tuple[float, float]:
    """Power, and power where the excess is five or more, of the longest ranking whose realised FDR is at most `fdr`."""
    nulls, excess = [], []
    for seed in seeds:
        fleet = simulate(np.random.default_rng(seed), baseline_weeks=weeks)
        nulls += [_null(one) for one in fleet.counts]
        excess += list(fleet.excess)
    gains = np.array(excess)
    order = np.argsort(nulls, kind="stable")
    false = np.cumsum(gains[order] <= 0) / np.arange(1, len(order) + 1)
    chosen = np.zeros(len(order), bool)
    chosen[order[: int(np.flatnonzero(false <= fdr).max()) + 1]] = True
    return float(chosen[gains > 0].mean()), float(chosen[gains >= 5].mean())


def _null(one: Counts) -> float:
    """Probability that a DAG is not worse."""
    if not one.n or not one.k:
        return 1.0
    size = sum(units**2 for units, _ in one.days_prev) / max(1, one.n_prev)
    rough = (ALPHA + one.k_prev) / (ALPHA + BETA + one.n_prev)
    phi = 1 + np.expm1(SPREADS**2) * size * rough / (1 - rough)
    a, b = ALPHA + one.k_prev / phi, BETA + (one.n_prev - one.k_prev) / phi
    width = np.sqrt(1 / a + 1 / a**2 + 1 / b)[:, None]
    rate = 1 / (1 + np.exp(-np.log(a / b)[:, None] - 1.2 * width * NODES))
    spread = SPREADS[:, None]
    start = ALPHA * np.log(rate) + BETA * np.log1p(-rate) + np.log(width) + _days(one.days_prev, rate, spread)
    same = logsumexp(start + _days(one.days, rate, spread))
    odds = (rate / (1 - rate))[..., None] * FACTORS
    worse = logsumexp(start[..., None] + _days(one.days, odds / (1 + odds), spread[..., None]))
    return float(1 / (1 + WORSE / (1 - WORSE) * np.exp(min(50.0, worse - np.log(len(FACTORS)) - same))))


def _days(days: Sequence[tuple[int, int]], rate: Floats, spread: Floats) -> Floats:
    """Log-likelihood of the days of a DAG without and with bad nights, a third of all having them."""
    plain, nights = np.zeros(rate.shape), np.zeros(rate.shape)
    for units, failures in days:
        plain = plain + _day(failures, units, rate, spread)
        parts = [np.log(0.95) + _day(failures, units, rate * 0.9, spread)]
        parts += [np.log(0.05 / len(BURSTS)) + _day(failures, units, rate * one, spread) for one in BURSTS]
        nights = nights + logsumexp(np.stack(parts), axis=0)
    return np.stack([plain + np.log(2 / 3), nights + np.log(1 / 3)])


def _day(failures: int, units: int, rate: Floats, spread: Floats) -> Floats:
    """One day, its log-normal factor integrated by Laplace around the mode (Newton's steps)."""
    rate = np.clip(rate, 1e-12, 0.97)
    scale = 1 / (1 - rate)
    z = np.zeros(np.broadcast_shapes(rate.shape, spread.shape))
    for _ in range(6):
        mean = units * scale * rate * np.exp(np.clip(-(spread**2) / 2 + spread * z, -20, 3))
        slope = failures * scale * spread - mean * spread - z
        z = z + np.clip(slope / (mean * spread**2 + 1), -2, 2)
    chance = np.clip(rate * np.exp(-(spread**2) / 2 + spread * z), 1e-12, 0.98)
    curve = units * chance / (1 - chance) * spread**2 + 1
    logs = failures * np.log(chance) + (units - failures) * np.log1p(-chance) - z * z / 2 - np.log(curve) / 2
    return np.asarray(logs)


def main() -> None:
    """Print the two figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging.informed", description=__doc__)
    parser.add_argument("--fleets", type=int, default=40)
    parser.add_argument("--weeks", type=int, default=1, help="of baseline")
    parser.add_argument("--seed", type=int, default=3000, help="first seed")
    given = parser.parse_args()
    power, large = ranked_power(range(given.seed, given.seed + given.fleets), weeks=given.weeks)
    print(
        f"{given.weeks} weeks of baseline: power {power:.3f}, excess >= 5 {large:.3f} at a realised FDR of 5 %"
    )


if __name__ == "__main__":
    main()
