"""Tasks that have nothing to do any more: how often one is seen where none is, and how many are found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.judging import young
from windsock.findings.rules.ws408_task_much_faster import TaskMuchFaster
from windsock.model import Answer
from windsock.week import Week

Floats = NDArray[np.float64]
WEEK = Week.parse("2026-W47")
TIMES_AS_FAST = (3, 8, 30, 100)


def _quiet(rng: np.random.Generator, seed: int) -> Iterator[tuple[str, Floats, Floats]]:
    """Series in which nothing changed for good: (kind, times, values)."""
    for drift in (False, True):
        times, values, _ = young.simulate(np.random.default_rng(seed), ratio=1.0, drift=drift)
        yield "drift" if drift else "noise", times, values
    n = len(values)
    empty = rng.random(n) < rng.uniform(0.02, 0.6)
    yield "days without work", times, np.where(empty, values / 100, values)
    yield "weekends without work", times, np.where(times // 86400 % 7 >= 5, values / 100, values)
    spells = np.cumsum(rng.random(n) < 0.08) % 2 == 1
    yield "spells without work", times, np.where(spells, values / 100, values)
    yield "heavy tails", times, np.exp(np.log(600) + rng.standard_t(2, n))


def score(seeds: Sequence[int]) -> tuple[dict[str, float], dict[int, float]]:
    """False alarms by kind, and power by how many times as fast, six days after the step; fractions."""
    alarms: dict[str, list[bool]] = {}
    found: dict[int, list[bool]] = {}
    for seed in seeds:
        for kind, times, values in _quiet(np.random.default_rng(seed), seed):
            alarms.setdefault(kind, []).append(_is_told(times, values))
        for factor in TIMES_AS_FAST:
            times, values, _ = young.simulate(np.random.default_rng(seed), ratio=1 / factor, drift=False)
            found.setdefault(factor, []).append(_is_told(times, values))
    return (
        {kind: float(np.mean(each)) for kind, each in alarms.items()},
        {factor: float(np.mean(each)) for factor, each in found.items()},
    )


def _is_told(times: Floats, values: Floats) -> bool:
    row = {"dag_id": "d", "task_id": "t", "tries": 7, "tries_prev": 56, "works_s": list(values),
           "times_s": list(times + WEEK.minus(8).from_at.timestamp())}  # fmt: skip
    answer = Answer("work_times", tuple(row), (row,))
    return bool(TaskMuchFaster.judge({"work_times": answer}, TaskMuchFaster.limits(), week=WEEK).findings)
