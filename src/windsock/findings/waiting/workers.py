"""From queued to started: the workers, where they were all busy, or the launch itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from windsock.findings.methods.spans import Ints, Spans
from windsock.findings.methods.wait_limits import Layer, Split, Users, Waits, inferred, period_us, split
from windsock.findings.waiting.material import UNKNOWN, Tries

WORKERS = "workers"
"""Places at workers: of Celery hosts x worker_concurrency, of Kubernetes the cluster's room. `parallelism` is another limit:
it counts tasks that wait for a worker, too."""


@dataclass(frozen=True, slots=True)
class Launches:
    """The waits from taken to started. `limit` is None where no number of running tasks shows itself as the most that the
    workers take; `full` is when as many ran."""

    chosen: Ints  # places of the tries
    waits: Waits
    limit: int | None
    full: Spans

    @classmethod
    def of(cls, tries: Tries) -> Launches:
        """A limit shows itself where the running tasks stood at their peak during the launches that took long."""
        is_told = (tries.started_us != UNKNOWN) & (tries.started_us > tries.taken_us) & (tries.taken_us >= 0)
        chosen = np.flatnonzero(is_told)
        waits = Waits(tries.taken_us[chosen], tries.started_us[chosen])
        if not len(waits):
            return cls(chosen, waits, None, Spans.none())
        ran = np.flatnonzero((tries.started_us != UNKNOWN) & (tries.given_back_us > tries.started_us))
        zero = np.zeros(1, np.int64)
        users = Users(np.zeros(len(ran), np.int64), tries.started_us[ran], tries.given_back_us[ran], zero)
        pace_us = period_us(waits, ())
        slow = waits.length_us > pace_us
        limits = inferred(users, waits.of(slow), np.zeros(int(slow.sum()), np.int64), pace_us=pace_us)
        if not limits:
            return cls(chosen, waits, None, Spans.none())
        full = users.levels().above(np.array([limits[0]])).joined(pace_us)
        return cls(chosen, waits, limits[0], full)

    def result(self) -> Split:
        """The time at full workers, and the rest."""
        slow = self.waits.length_us > period_us(self.waits, ())
        layers = [] if self.limit is None else [Layer(WORKERS, self.full, np.where(slow, 0, -1))]
        return split(self.waits, layers)
