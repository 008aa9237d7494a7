"""Weekly parse times with a known future: files that grow towards the limit, and files that do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windsock.findings.methods.trend import reaches

LIMIT_S, WEEKS, HORIZON = 30.0, 9, 8.0
KINDS = ("growth", "flat", "step", "bad_week")


@dataclass(frozen=True, slots=True)
class Scores:
    """Fractions; `error` is the median relative error of the weeks left."""

    false_alarms: float
    power: float
    covered: float
    error: float


def simulate(kind: str, rng: np.random.Generator) -> tuple[list[tuple[float, float]], float | None]:
    """Nine weekly percentiles and the true weeks left until the limit, if it is ever reached."""
    level, noise = rng.uniform(2, 20), rng.choice([0.02, 0.04, 0.06])
    truth, weeks = np.full(WEEKS, level), None
    if kind == "growth":
        weeks = rng.uniform(1.5, 7.5)
        slope = rng.uniform(0.4, 2.0)
        truth = LIMIT_S - slope * (weeks + np.arange(WEEKS - 1, -1, -1))
    elif kind == "step":
        truth = np.where(np.arange(WEEKS) >= rng.integers(2, WEEKS - 1), level * rng.uniform(1.2, 1.9), level)
    elif kind == "bad_week":
        truth[rng.integers(0, WEEKS)] *= rng.uniform(1.3, 3)
    values = truth * np.exp(rng.normal(0, noise, WEEKS))
    return [(float(at - WEEKS + 1), float(value)) for at, value in enumerate(values)], weeks


def score(seeds: Sequence[int]) -> Scores:
    """One series per seed, the kinds in turn. An alarm is a forecast within the horizon of the rule."""
    alarms, hits, covered, errors = [], [], [], []
    for seed in seeds:
        points, weeks = simulate(KINDS[seed % len(KINDS)], np.random.default_rng(seed))
        told = reaches(points, LIMIT_S)
        is_alarm = told is not None and told.expected <= HORIZON
        if weeks is None:
            alarms.append(is_alarm)
            continue
        hits.append(is_alarm)
        if told is not None:
            covered.append(told.soonest <= weeks <= told.latest)
            errors.append(abs(told.expected - weeks) / weeks)
    false_alarms, power, share_covered = (float(np.mean(one)) for one in (alarms, hits, covered))
    return Scores(false_alarms, power, share_covered, float(np.median(errors)))
