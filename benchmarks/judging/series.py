"""Parse-time and duration series with known changes: noise, autocorrelation, daily profile, outliers, hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from windsock.findings.methods.change_points import find_changes

Floats = NDArray[np.float64]
KINDS = ("none", "drift", "incident", "step")
RATIOS = (1.1, 1.2, 1.5, 2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Series:
    """Positive values at `times_s`; `step_at` is the first point after the one true step, if there is one."""

    kind: str
    times_s: Floats
    values: Floats
    step_at: int | None = None
    ratio: float = 1.0


def simulate(kind: str, rng: np.random.Generator) -> Series:
    """One series of 60 to 2,000 points; the nuisance of each is drawn anew."""
    n = round(float(np.exp(rng.uniform(np.log(60), np.log(2000)))))
    per_day = min(int(rng.choice([6, 24, 32, 96])), n // 2)  # less than two days show no profile
    times = np.cumsum(rng.uniform(0.7, 1.3, n)) * 86400 / per_day
    log_values = np.log(rng.uniform(0.2, 5.0)) + noise(n, rng) + hosts(n, rng)
    if rng.random() < 0.5:  # busy hours cost up to a fifth more
        hour = 2 * np.pi * (times / 86400 + rng.random())
        log_values += rng.uniform(0.02, 0.10) * np.sin(hour)
    step_at, ratio = None, 1.0
    if kind == "drift":
        log_values += np.log1p(rng.uniform(0.05, 0.15)) * np.linspace(0, 1, n)
    elif kind == "incident":
        length = int(rng.integers(3, 9))
        at = int(rng.integers(10, n - 10 - length))
        log_values[at : at + length] += np.log(rng.uniform(1.5, 4.0))
    elif kind == "step":
        ratio = float(rng.choice(RATIOS))
        step_at = int(rng.integers(max(15, int(0.15 * n)), min(n - 15, int(0.85 * n)) + 1))
        log_values[step_at:] += np.log(ratio)
    share = rng.choice([0.0, 0.005, 0.01, 0.02])
    outliers = rng.random(n) < share
    log_values[outliers] += np.log(rng.uniform(2, 10, int(outliers.sum())))
    return Series(kind, times, np.exp(log_values), step_at, ratio)


def noise(n: int, rng: np.random.Generator) -> Floats:
    """AR(1) noise of a given standard deviation: Gaussian, or Student t with three degrees of freedom."""
    sigma, phi = rng.choice([0.03, 0.05, 0.10, 0.20]), rng.choice([0.0, 0.3, 0.6])
    shocks = rng.standard_normal(n + 50)
    if rng.random() < 0.5:
        shocks = np.asarray(rng.standard_t(3, n + 50)) / np.sqrt(3)
    made = np.zeros(n + 50)
    for i in range(1, n + 50):
        made[i] = phi * made[i - 1] + shocks[i]
    return np.asarray(sigma * np.sqrt(1 - phi**2) * made[50:])


def hosts(n: int, rng: np.random.Generator) -> Floats:
    """One to three hosts of slightly different speed take turns."""
    speeds = rng.normal(0, 0.04, int(rng.integers(1, 4)))
    return np.asarray(speeds[rng.integers(0, len(speeds), n)])


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures as facts and DESIGN name them; fractions."""

    false_alarms: float
    false_alarms_by_kind: dict[str, float]
    power: float
    power_by_ratio: dict[float, float]
    f1: float


def score(seeds: Sequence[int]) -> Scores:
    """Run the method over one series per seed, the kinds in turn, and compare with the truth."""
    alarms: dict[str, list[bool]] = {kind: [] for kind in KINDS if kind != "step"}
    hits: dict[float, list[bool]] = {ratio: [] for ratio in RATIOS}
    true = false = missed = 0
    for seed in seeds:
        series = simulate(KINDS[seed % len(KINDS)], np.random.default_rng(seed))
        found = [one.index for one in find_changes(series.values, times_s=series.times_s)]
        if series.step_at is None:
            alarms[series.kind].append(bool(found))
            false += len(found)
            continue
        margin = max(5, int(0.02 * len(series.values)))
        near = [at for at in found if abs(at - series.step_at) <= margin]
        hits[series.ratio].append(bool(near))
        true += bool(near)
        missed += not near
        false += len(found) - bool(near)
    everything = [one for rows in alarms.values() for one in rows]
    steps = [one for rows in hits.values() for one in rows]
    return Scores(
        float(np.mean(everything)),
        {kind: float(np.mean(rows)) for kind, rows in alarms.items()},
        float(np.mean(steps)),
        {ratio: float(np.mean(rows)) for ratio, rows in hits.items() if rows},
        2 * true / max(1, 2 * true + false + missed),
    )
