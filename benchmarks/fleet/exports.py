"""Three DAGs that start in the same minute and share a pool of two slots: one of them waits each time."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from benchmarks.fleet.records import Attempt

DAGS = ("export_emea", "export_apac", "export_amer")
POOL, SLOTS, EVERY_H = "exports", 2, 6


def attempts_of_exports(seed: int, start: datetime, end: datetime, version: str) -> Iterator[Attempt]:
    """Every export, in the order in which they took their slots. They run for about twelve minutes."""
    due = start + timedelta(hours=5)
    while due < end:
        rng = random.Random(f"{seed}-exports-{due.isoformat()}")
        free = [due + timedelta(seconds=1)] * SLOTS
        for dag_id in rng.sample(DAGS, len(DAGS)):
            free.sort()
            queued = free[0] + timedelta(seconds=rng.uniform(0.5, 2))
            began, seconds = queued + timedelta(seconds=rng.uniform(2, 4)), rng.lognormvariate(6.58, 0.08)
            run_id = f"scheduled__{(due - timedelta(hours=EVERY_H)).isoformat()}"
            one = Attempt(dag_id, run_id, "export", 1, 2, began, seconds, "success", ("", ""), version)
            yield replace(one, run_started_at=due, queued_at=queued, pool=POOL)
            free[0] = began + timedelta(seconds=seconds + 1)
        due += timedelta(hours=EVERY_H)


def used_and_waiting(exports: Iterable[Attempt], at: datetime) -> tuple[int, int]:
    """Slots in use and exports that wait for one, at one moment."""
    near = [one for one in exports if abs(one.started_at - at) < timedelta(hours=1)]
    used = sum(one.queued_at <= at < one.ended_at for one in near if one.queued_at)
    waiting = sum(
        one.run_started_at <= at < one.queued_at for one in near if one.run_started_at and one.queued_at
    )
    return used, waiting
