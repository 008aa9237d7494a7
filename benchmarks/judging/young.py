"""Steps of the last days in daily series: how often one is seen where none is, and how many are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.judging.series import hosts, noise
from windsock.findings.methods.change_points import find_changes

Floats = NDArray[np.float64]
DAYS = 63
CADENCES = (1, 2, 4)  # points a day
RATIOS = (1.5, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Scores:
    """Fractions; power by how many times as long, six days after the step."""

    false_alarms: float
    power: dict[float, float]


def simulate(rng: np.random.Generator, *, ratio: float, drift: bool) -> tuple[Floats, Floats, int]:
    """(times, values, points of the last six days): noise twice that of parses, weekends in a third, outliers, hosts."""
    per_day = int(rng.choice(CADENCES))
    n = DAYS * per_day
    times = np.arange(n) * 86400 / per_day + rng.uniform(-600, 600, n)
    logs = np.log(600) + 2 * noise(n, rng) + hosts(n, rng)
    if rng.random() < 1 / 3:
        logs += np.where(times // 86400 % 7 >= 5, np.log(rng.uniform(0.6, 1.4)), 0.0)
    if drift:
        logs += np.log1p(rng.uniform(0.1, 0.6)) * np.linspace(0, 1, n)
    logs[n - 6 * per_day :] += np.log(ratio)
    strays = rng.random(n) < rng.choice([0.0, 0.01, 0.03])
    logs[strays] += np.log(rng.uniform(2, 10, int(strays.sum())))
    return times, np.exp(logs), 6 * per_day


def score(seeds: Sequence[int]) -> Scores:
    """As WS401 judges: at least a quarter longer, one in a thousand. Found is a step within a point of the true one."""
    alarms, found = [], {ratio: [] for ratio in RATIOS}  # type: ignore[var-annotated]
    for seed in seeds:
        for drift in (False, True):
            times, values, _ = simulate(np.random.default_rng(seed), ratio=1.0, drift=drift)
            steps = find_changes(values, times_s=times, min_ratio=1.25, alpha=0.001)
            alarms.append(any(times[-1] - times[one.index] < 7 * 86400 for one in steps))
        for ratio in RATIOS:
            times, values, last = simulate(np.random.default_rng(seed), ratio=ratio, drift=False)
            steps = find_changes(values, times_s=times, min_ratio=1.25, alpha=0.001)
            found[ratio].append(any(abs(one.index - (len(values) - last)) <= 1 for one in steps))
    return Scores(float(np.mean(alarms)), {one: float(np.mean(hits)) for one, hits in found.items()})
