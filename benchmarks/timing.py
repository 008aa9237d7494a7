"""Interleaved CPU timing: peers and we take turns in one process, so that a busy machine slows all of them alike."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

SETTLE_S = 0.1
"""Threads of the work before (Polars, DuckDB) spin for a while when it is done: their CPU is not the next one's."""


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU seconds (user and system, all threads) of one piece of work over several rounds."""

    name: str
    seconds: tuple[float, ...]

    @property
    def middle(self) -> float:
        return median(self.seconds)


def interleaved(works: Mapping[str, Callable[[], object]], *, rounds: int = 5) -> dict[str, Timing]:
    """Each work once per round, in turn; the first round warms up and is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            gc.collect()
            time.sleep(SETTLE_S)
            before = cpu_s()
            work()
            if turn:
                taken[name].append(cpu_s() - before)
    return {name: Timing(name, tuple(seconds)) for name, seconds in taken.items()}


def cpu_s() -> float:
    """What this process has used, and the programs that it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak_mb() -> float:
    """Peak resident memory of this process so far, imports included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
