"""What another pool size would have done to this week's waiting.

`replay` runs the week's own tasks through the pool: priority first, then ready time, smaller tasks pass when a wide
one does not fit, as Airflow's scheduler does (scheduler_job_runner.py, `_executable_task_instances_to_queued`,
3.3.2). `from_gauges` is a lower bound of the saving, where only gauges are known. Durations are taken as unchanged; another limit may bind instead.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """One task instance: ready time and duration in seconds, slots, priority (larger goes first)."""

    ready_s: float
    duration_s: float
    slots: int = 1
    priority: int = 1


@dataclass(frozen=True, slots=True)
class Load:
    """What a size would have meant."""

    slots: int
    wait_hours: float
    peak_slots: int


def replay(tasks: Sequence[Task], slots: int) -> Load:
    """Exact list scheduling of `tasks` on `slots`. A task wider than the pool waits for ever and is left out."""
    arrivals = sorted((task for task in tasks if task.slots <= slots), key=lambda task: task.ready_s)
    running: list[tuple[float, int]] = []
    waiting: list[tuple[int, float, int, Task]] = []
    used, peak, wait, clock, place = 0, 0, 0.0, 0.0, 0
    while place < len(arrivals) or waiting:
        if not waiting:
            clock = max(clock, arrivals[place].ready_s)
        while place < len(arrivals) and arrivals[place].ready_s <= clock:
            task = arrivals[place]
            heapq.heappush(waiting, (-task.priority, task.ready_s, place, task))
            place += 1
        while running and running[0][0] <= clock:
            used -= heapq.heappop(running)[1]
        passed = []
        while waiting and used < slots:
            entry = heapq.heappop(waiting)
            task = entry[3]
            if used + task.slots <= slots:
                used += task.slots
                wait += clock - task.ready_s
                heapq.heappush(running, (clock + task.duration_s, task.slots))
            else:
                passed.append(entry)
        for entry in passed:
            heapq.heappush(waiting, entry)
        peak = max(peak, used)
        upcoming = [running[0][0]] if running else []
        if place < len(arrivals):
            upcoming.append(arrivals[place].ready_s)
        if waiting and upcoming:
            clock = max(clock, min(upcoming))
    return Load(slots, wait / 3600, peak)


def from_gauges(samples: Sequence[tuple[float, int, int]], *, slots_now: int, slots: int) -> Load:
    """A bound from (seconds, busy slots, waiting tasks) per sample: of the tasks that waited at a moment, as many
    would have run as there are slots more. Tasks that start sooner also end sooner, so the true saving is larger.
    """
    more = slots - slots_now
    wait = sum(span * max(0, waiting - more) for span, _busy, waiting in samples)
    peak = max((min(slots, busy + waiting) for _span, busy, waiting in samples), default=0)
    return Load(slots, wait / 3600, peak)
