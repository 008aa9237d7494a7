"""A pool as the scheduler fills it: what fits goes, in order of readiness, and what does not fit is passed by."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush

from benchmarks.fleet.records import Attempt

LOOP, START = timedelta(seconds=1), timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Placed:
    """A try and when it was ready: what no log tells, and API and database do."""

    attempt: Attempt
    ready_at: datetime


def through_pool(tries: Iterable[Attempt], slots: int) -> Iterator[Placed]:
    """`started_at` of what comes in is when a try is ready; of what comes out when it started, `queued_at` when it took its slots."""
    coming = sorted(tries, key=lambda one: (one.started_at, one.dag_id, one.task_id, one.run_id))
    waiting: list[Attempt] = []
    ends: list[tuple[datetime, int]] = []
    free, place = slots, 0
    while place < len(coming) or waiting:
        at = min(
            [one.started_at for one in coming[place : place + 1]] + [end for end, _ in ends[:1] if waiting]
        )
        while place < len(coming) and coming[place].started_at <= at:
            waiting.append(coming[place])
            place += 1
        while ends and ends[0][0] <= at:
            free += heappop(ends)[1]
        left = []
        for one in waiting:
            if one.pool_slots > free:
                left.append(one)
                continue
            free -= one.pool_slots
            began = at + LOOP + START
            heappush(ends, (began + timedelta(seconds=one.seconds), one.pool_slots))
            yield Placed(replace(one, started_at=began, queued_at=at + LOOP), one.started_at)
        waiting = left
