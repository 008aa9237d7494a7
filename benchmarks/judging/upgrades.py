"""Judging daily figures at a known moment: simulated days without a change, and with one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from windsock.findings.methods.before_after import judge_days

FIRST = date(2026, 9, 21)
DAYS_BEFORE = (28, 42, 56)
DAYS_AFTER = (3, 5, 7, 13)
KINDS = ("white", "memory", "drift", "bad nights", "weekends")
SHIFTS = (1.0, 2.0, 3.0)  # standard deviations of a day


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of figures that were called worse or better."""

    false_alarms: float
    false_alarms_by_kind: dict[str, float]
    power: dict[float, float]


def days(rng: np.random.Generator, kind: str, count: int) -> np.ndarray:
    """Daily figures with a standard deviation of about one: independent, with a memory (AR 0.5), on a slow walk, with bad
    nights (one day in ten, heavy-tailed), or with other weekends."""
    noise = rng.normal(0, 1, count)
    if kind == "memory":
        for one in range(1, count):
            noise[one] = 0.5 * noise[one - 1] + np.sqrt(0.75) * noise[one]
    elif kind == "drift":
        noise = 0.8 * noise + np.cumsum(rng.normal(0, 0.06, count))
    elif kind == "bad nights":
        noise = 0.7 * noise + (rng.random(count) < 0.1) * rng.exponential(3.0, count)
    elif kind == "weekends":
        noise = noise + 3.0 * (np.arange(count) % 7 >= 5)
    return noise


def score(seeds: Iterable[int]) -> Score:
    """Every kind, length of the past and number of days after, once per seed."""
    alarms: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    found: dict[float, list[bool]] = {shift: [] for shift in SHIFTS}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        for kind in KINDS:
            before, after = (int(rng.choice(numbers)) for numbers in (DAYS_BEFORE, DAYS_AFTER))
            series = days(rng, kind, before + 1 + after)
            alarms[kind].append(_is_told(series, before))
            for shift in SHIFTS:
                moved = series.copy()
                moved[before + 1 :] += shift * (1 if rng.random() < 0.5 else -1)
                found[shift].append(_is_told(moved, before))
    return Score(
        float(np.mean([one for told in alarms.values() for one in told])),
        {kind: float(np.mean(told)) for kind, told in alarms.items()},
        {shift: float(np.mean(told)) for shift, told in found.items()},
    )


def _is_told(series: np.ndarray, before: int) -> bool:
    """The day of the change itself is left out, as the rule leaves it out."""
    dated = {FIRST + timedelta(days=place): float(value) for place, value in enumerate(series)}
    moment = FIRST + timedelta(days=before)
    past = {day: value for day, value in dated.items() if day < moment}
    now = {day: value for day, value in dated.items() if day > moment}
    return judge_days(past, now, least_shift=0.0).word in ("worse", "better")
