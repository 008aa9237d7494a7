"""A pool and its scheduler, simulated: what happened at the present size, and what would have at others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from windsock.findings.methods.pool_replay import Replay, Tasks, scheduler_period_s

Floats = NDArray[np.float64]
LOOP_S = 5.0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Tasks as the scheduler meets them; times in seconds."""

    ready_s: Floats
    launch_s: Floats
    run_s: Floats
    slots: NDArray[np.int64]
    priority: NDArray[np.int64]


def arrivals(rng: np.random.Generator, *, tasks: int = 3000, days: int = 7) -> tuple[Arrivals, int]:
    """Cron bursts on the hour, a trickle between them; and a pool that is too small for the bursts."""
    bursts = rng.choice(days * 24, max(1, tasks // 40), replace=tasks // 40 >= days * 24)
    in_burst = rng.random(tasks) < 0.8
    ready = np.where(
        in_burst,
        3600.0 * rng.choice(bursts, tasks) + rng.exponential(20, tasks),
        rng.uniform(0, days * 86400, tasks),
    )
    run = rng.lognormal(np.log(rng.choice([60, 180, 400])), 0.8, tasks)
    widths = rng.choice([1, 2, 3, 4], tasks, p=[0.8, 0.1, 0.05, 0.05])
    if rng.random() < 0.4:
        widths = np.ones(tasks, dtype=np.int64)
    priority = rng.choice([1, 2, 5, 10], tasks) if rng.random() < 0.7 else np.ones(tasks, dtype=np.int64)
    mean_load = float((run * widths).sum()) / (days * 86400)
    slots = int(max(4, round(mean_load * rng.uniform(2.0, 5.0))))
    launch = rng.lognormal(np.log(2), 0.4, tasks)
    return Arrivals(ready, launch, run, widths.astype(np.int64), priority.astype(np.int64)), slots


def schedule(one: Arrivals, slots: int) -> Tasks:
    """The scheduler's loop, as plainly as possible: every 5 s all ready tasks in order, each that fits is queued."""
    order = np.argsort(one.ready_s, kind="stable")
    taken = np.full(len(order), np.nan)
    ended = np.full(len(order), np.nan)
    waiting: list[tuple[int, float, int]] = []
    running: list[tuple[float, int]] = []
    free, coming, clock = slots, 0, 0.0
    while coming < len(order) or waiting:
        if not waiting:
            clock = max(clock, np.ceil(one.ready_s[order[coming]] / LOOP_S) * LOOP_S)
        while coming < len(order) and one.ready_s[order[coming]] <= clock:
            i = int(order[coming])
            heappush(waiting, (-int(one.priority[i]), float(one.ready_s[i]), i))
            coming += 1
        while running and running[0][0] <= clock:
            free += heappop(running)[1]
        passed = []
        while waiting and free > 0:
            entry = heappop(waiting)
            i = entry[2]
            if one.slots[i] > free:
                passed.append(entry)
                continue
            free -= int(one.slots[i])
            taken[i] = clock
            ended[i] = clock + one.launch_s[i] + one.run_s[i]
            heappush(running, (float(ended[i]), int(one.slots[i])))
        for entry in passed:
            heappush(waiting, entry)
        clock += LOOP_S
    return Tasks(one.ready_s, taken, ended, one.slots, one.priority)


def wait_hours(tasks: Tasks) -> float:
    """Task-hours between ready and queued."""
    return float((tasks.taken_s - tasks.ready_s).sum()) / 3600


def right_size(saved: dict[int, float]) -> int:
    """The smallest size that saves 80 % of what the largest one saves."""
    most = max(saved.values())
    return min(size for size, hours in saved.items() if hours >= 0.8 * most)


@dataclass(frozen=True, slots=True)
class Scores:
    """Relative error of the saved hours over sizes and pools, and the share of pools whose right size was chosen."""

    median_error: float
    p90_error: float
    right_size: float


def score(seeds: Sequence[int], *, noise_s: float = 0.0, tasks: int = 3000) -> Scores:
    """Replay each simulated week from what a lake would hold, and compare with the simulated truth at each size."""
    errors, chosen = [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        met, slots = arrivals(rng, tasks=tasks)
        seen = schedule(met, slots)
        sizes = sorted({slots + max(1, slots // 4), slots + max(1, slots // 2), 2 * slots, 3 * slots})
        truth = {size: wait_hours(seen) - wait_hours(schedule(met, size)) for size in sizes}
        noisy = seen.ready_s + rng.normal(0, noise_s, len(seen)) if noise_s else seen.ready_s
        told = Tasks(noisy, seen.taken_s, seen.given_back_s, seen.slots, seen.priority)
        replay = Replay(told, period_s=scheduler_period_s(told, slots))
        now = replay.at(slots).wait_hours
        saved = {size: now - replay.at(size).wait_hours for size in sizes}
        errors += [abs(saved[size] - truth[size]) / max(truth[size], 0.1) for size in sizes]
        chosen.append(right_size(saved) == right_size(truth))
    return Scores(float(np.median(errors)), float(np.quantile(errors, 0.9)), float(np.mean(chosen)))
