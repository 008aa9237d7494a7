"""What another pool size would have done to this week's waiting.

`Replay` runs the week's own tasks through the pool as Airflow's scheduler does (scheduler_job_runner.py,
`_executable_task_instances_to_queued`, 3.3.2): in each pass the ready tasks go by priority, then by the time they
became ready; a slot is taken when a task is queued and given back when it ends; smaller tasks pass a wide one that does
not fit. The time between two passes comes from the data (`scheduler_period_s`). Durations are taken as unchanged, and
another limit (parallelism, max_active_tasks) may bind instead. `from_gauges` is a lower bound of the saving, where only
gauges are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DEFAULT_PERIOD_S = 5.0  # two passes of a scheduler under load; used when no start was uncontended
LEAST_PERIOD_S, MOST_PERIOD_S = 0.5, 60.0
MIN_UNCONTENDED = 20  # starts; fewer do not tell the period


@dataclass(frozen=True, slots=True)
class Tasks:
    """One pool's task instances as columns: seconds since any common origin; slots; priority (larger goes first)."""

    ready_s: Floats
    taken_s: Floats
    given_back_s: Floats
    slots: Ints
    priority: Ints

    def __len__(self) -> int:
        return len(self.ready_s)


@dataclass(frozen=True, slots=True)
class Load:
    """What a size would have meant. `too_wide` tasks need more slots than the pool has and would wait for ever."""

    slots: int
    wait_hours: float
    peak_slots: int
    too_wide: int = 0


def scheduler_period_s(tasks: Tasks, slots_now: int) -> float:
    """Twice the median delay from ready to queued of the tasks that found room when they became ready."""
    used = occupancy_at(tasks, tasks.ready_s)
    uncontended = used + tasks.slots <= slots_now
    delays = (tasks.taken_s - tasks.ready_s)[uncontended]
    if len(delays) < MIN_UNCONTENDED:
        return DEFAULT_PERIOD_S
    return float(np.clip(2 * np.median(delays), LEAST_PERIOD_S, MOST_PERIOD_S))


def occupancy_at(tasks: Tasks, moments_s: Floats) -> Ints:
    """Slots wanted at each moment: taken, or waited for by tasks that were ready before it."""
    by_ready, by_end = np.argsort(tasks.ready_s), np.argsort(tasks.given_back_s)
    came = np.concatenate(([0], np.cumsum(tasks.slots[by_ready])))
    left = np.concatenate(([0], np.cumsum(tasks.slots[by_end])))
    before = np.searchsorted(tasks.ready_s[by_ready], moments_s, side="left")
    gone = np.searchsorted(tasks.given_back_s[by_end], moments_s, side="right")
    return np.asarray(came[before] - left[gone])


class Replay:
    """The tasks of one pool, prepared once, then run at any size. Time is counted in passes of the scheduler."""

    def __init__(self, tasks: Tasks, *, period_s: float) -> None:
        order = np.lexsort((-tasks.priority, tasks.ready_s))
        ready = tasks.ready_s[order]
        start = float(ready[0]) if len(ready) else 0.0
        passes = np.ceil((ready - start) / period_s).astype(np.int64)
        busy = np.maximum(0.0, (tasks.given_back_s - tasks.taken_s)[order])
        self.period_s = period_s
        self._order = order
        self._ready_passes = ((ready - start) / period_s).tolist()
        self._arrives: list[int] = passes.tolist()
        self._lasts: list[int] = np.maximum(1, np.ceil(busy / period_s)).astype(np.int64).tolist()
        self._slots: list[int] = tasks.slots[order].tolist()
        # the place in the line: larger priority first, then the earlier one
        places = np.empty(len(ready), dtype=np.int64)
        places[np.lexsort((np.arange(len(ready)), -tasks.priority[order]))] = np.arange(len(ready))
        self._place: list[int] = places.tolist()
        self._at_place: list[int] = np.argsort(places).tolist()

    def waits_s(self, slots: int) -> Floats:
        """How long each of the tasks waited with `slots` slots, in the order in which they were given; nan: too wide."""
        told = np.full(len(self._order), np.nan)
        self.at(slots, told)
        waits = np.empty_like(told)
        waits[self._order] = told * self.period_s
        return waits

    def at(self, slots: int, told: Floats | None = None) -> Load:
        """The week with `slots` slots. `told` takes each task's wait in passes, in the order of arrival."""
        fits = [i for i, width in enumerate(self._slots) if width <= slots]
        lines: dict[int, list[int]] = {width: [] for width in sorted({self._slots[i] for i in fits})}
        given_back: dict[int, int] = {}
        ends: list[int] = []
        free, peak, waited, now, coming, in_line = slots, 0, 0.0, 0, 0, 0
        while coming < len(fits) or in_line:
            # nothing changes before the next arrival, or the next slot given back while somebody waits
            upcoming = ends[:1] if in_line else []
            if coming < len(fits):
                upcoming = [*upcoming, self._arrives[fits[coming]]]
            now = max(now, min(upcoming))
            while ends and ends[0] <= now:
                free += given_back.pop(heappop(ends))
            while coming < len(fits) and self._arrives[fits[coming]] <= now:
                one = fits[coming]
                heappush(lines[self._slots[one]], self._place[one])
                coming, in_line = coming + 1, in_line + 1
            while free > 0 and (line := _next_line(lines, free)) is not None:
                one = self._at_place[heappop(line)]
                free, in_line = free - self._slots[one], in_line - 1
                waited += now - self._ready_passes[one]
                if told is not None:
                    told[one] = now - self._ready_passes[one]
                end = now + self._lasts[one]
                if end not in given_back:
                    heappush(ends, end)
                given_back[end] = given_back.get(end, 0) + self._slots[one]
            peak = max(peak, slots - free)
        return Load(slots, waited * self.period_s / 3600, peak, len(self._slots) - len(fits))


def _next_line(lines: dict[int, list[int]], free: int) -> list[int] | None:
    """Of the tasks that fit, the line whose first one goes first."""
    best: list[int] | None = None
    for width, line in lines.items():
        if width > free:
            break
        if line and (best is None or line[0] < best[0]):
            best = line
    return best


def from_gauges(samples: Sequence[tuple[float, int, int]], *, slots_now: int, slots: int) -> Load:
    """A bound from (seconds, busy slots, waiting tasks) per sample: of the tasks that waited at a moment, as many
    would have run as there are slots more. Tasks that start sooner also end sooner, so the true saving is larger.
    """
    more = slots - slots_now
    wait = sum(span * max(0, waiting - more) for span, _busy, waiting in samples)
    peak = max((min(slots, busy + waiting) for _span, busy, waiting in samples), default=0)
    return Load(slots, wait / 3600, peak)
