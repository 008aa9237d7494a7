"""Four nightly DAGs of long tasks that share one machine; in the last week it goes away with all four of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from benchmarks.fleet.records import Attempt

DAGS = {"index_products": 2, "index_search": 2, "train_churn": 1, "train_ranking": 2}
"""DAG → tries: one of them has no retry."""
HOST, OTHER_HOST, QUEUE = "spot-1", "spot-2", "heavy"
UNHEARD_S = 300
"""How long the scheduler waits for a heartbeat before it gives a try up."""


def attempts_of_heavy(seed: int, start: datetime, end: datetime, version: str) -> Iterator[Attempt]:
    """One task a night and DAG, of about 25 minutes; on the fourth night of the last week a try that never ends."""
    night = start + timedelta(hours=3)
    gone = end - timedelta(days=4) + timedelta(hours=3, minutes=12, seconds=9)
    while night < end:
        for place, (dag_id, tries) in enumerate(DAGS.items()):
            rng = random.Random(f"{seed}-{dag_id}-{night.isoformat()}")
            began = night + timedelta(minutes=place, seconds=rng.uniform(2, 9))
            seconds = rng.lognormvariate(7.3, 0.06)
            run_id = f"scheduled__{(night - timedelta(days=1)).isoformat()}"
            one = Attempt(dag_id, run_id, "build", 1, tries, began, seconds, "success", ("", ""), version)
            one = replace(one, host=HOST, queue=QUEUE)
            if began < gone < one.ended_at:
                given_up = gone + timedelta(seconds=UNHEARD_S)
                yield replace(one, ending="lost", seconds=(given_up - began).total_seconds())
                if tries == 1:
                    continue
                later = given_up + timedelta(minutes=5, seconds=place)
                one = replace(one, try_number=2, started_at=later, host=OTHER_HOST)
            yield one
        night += timedelta(days=1)
