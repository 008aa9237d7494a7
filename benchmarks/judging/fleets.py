"""Fleets of DAGs whose runs fail in clusters, some of them truly worse this week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from windsock.findings.methods.failure_rates import Counts, judge_rates

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Simulated:
    """Counts as a lake tells them; `excess` holds each DAG's true expected failures above its base (0: not worse). The rest is
    hidden from the judge: base rate, spread of the days and bursts of each DAG.
    """

    counts: tuple[Counts, ...]
    excess: Floats
    base: Floats
    spread: Floats
    has_bursts: NDArray[np.bool_]


def simulate(
    rng: np.random.Generator, *, dags: int = 500, baseline_weeks: int = 1, worse: float = 0.05
) -> Simulated:
    """500 DAGs of 5 to 50,000 runs a week, base rates Beta(0.6, 12), over-dispersed days, bursts in a third of them."""
    volume = np.exp(rng.uniform(np.log(5), np.log(50_000), dags))
    base = rng.beta(0.6, 12, dags)
    spread = rng.choice([0.05, 0.3, 0.7], dags)
    has_bursts = rng.random(dags) < 1 / 3
    is_worse = rng.random(dags) < worse
    odds = base / (1 - base) * np.exp(rng.uniform(np.log(1.5), np.log(8), dags))
    raised = np.where(is_worse, odds / (1 + odds), base)
    counts = []
    for i in range(dags):
        days = _days(rng, volume[i], raised[i], spread[i], bool(has_bursts[i]), 7)
        before = _days(rng, volume[i], base[i], spread[i], bool(has_bursts[i]), 7 * baseline_weeks)
        counts.append(Counts(f"dag_{i:04d}", days, before))
    excess = np.where(is_worse, volume * (raised - base), 0.0)
    return Simulated(tuple(counts), excess, base, spread, has_bursts)


def _days(
    rng: np.random.Generator, volume: float, rate: float, spread: float, has_bursts: bool, days: int
) -> list[tuple[int, int]]:
    """Per day (runs, failures): the rate times a log-normal of mean one, times two to four on a burst day."""
    runs = rng.poisson(volume / 7, days)
    factor = rng.lognormal(-(spread**2) / 2, spread, days)
    if has_bursts:
        burst = rng.random(days) < 0.05
        factor = np.where(burst, factor * rng.uniform(2, 4, days), factor * 0.9)
    failures = rng.binomial(runs, np.clip(rate * factor, 0, 0.98))
    return [(int(n), int(k)) for n, k in zip(runs, failures, strict=True) if n]


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures as facts and DESIGN name them; fractions."""

    fdr: float
    power: float
    power_excess_5: float
    ndcg_20: float
    found_in_quiet: float  # mean number of findings in a fleet without any change


def score(seeds: Sequence[int], *, baseline_weeks: int = 1) -> Scores:
    """Judge one fleet per seed and compare with the truth; FDR is the mean of each fleet's false share."""
    false_shares: list[float] = []
    found: list[bool] = []
    large: list[bool] = []
    ndcg: list[float] = []
    quiet: list[int] = []
    for seed in seeds:
        fleet = simulate(np.random.default_rng(seed), baseline_weeks=baseline_weeks)
        said = {one.counts.subject: one for one in _judged(fleet.counts)}
        flags = np.array([said[one.subject].word == "worse" for one in fleet.counts])
        scores = np.array([_rank(said[one.subject]) for one in fleet.counts])
        truth = fleet.excess > 0
        false_shares.append(float((flags & ~truth).sum() / max(1, flags.sum())))
        found.extend(flags[truth])
        large.extend(flags[fleet.excess >= 5])
        ndcg.append(_ndcg(scores, fleet.excess, 20))
        calm = simulate(np.random.default_rng(seed + 10**6), baseline_weeks=baseline_weeks, worse=0.0)
        quiet.append(sum(one.word == "worse" for one in _judged(calm.counts)))
    means = (float(np.mean(one)) for one in (false_shares, found, large, ndcg, quiet))
    return Scores(*means)


def _judged(counts: Sequence[Counts]) -> list:  # type: ignore[type-arg]
    return judge_rates(counts, fdr=0.05, min_units=1, min_failures=1)


def _rank(change) -> float:  # type: ignore[no-untyped-def]
    """What the report ranks by: expected excess failures; negative ones are no candidates."""
    return change.rank if change.excess_failures > 0 else 0.0


def _ndcg(scores: Floats, gains: Floats, depth: int) -> float:
    """Normalised discounted cumulative gain (Jarvelin and Kekalainen 2002, doi:10.1145/582415.582418), gain = excess."""
    discount = 1 / np.log2(np.arange(2, depth + 2))
    got = gains[np.argsort(-scores, kind="stable")[:depth]] @ discount
    best = np.sort(gains)[::-1][:depth] @ discount
    return float(got / best) if best else 1.0
