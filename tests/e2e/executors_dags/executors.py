"""Work for three executors of one Airflow 3: the same task, that fails for other shares and takes other times on each."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from airflow.sdk import DAG, task

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WORK = {
    # executor: (queue, tasks, of them failing, seconds)
    None: ("default", 8, 1, 0.5),  # the first one configured
    "CeleryExecutor": ("common", 8, 2, 2.0),
    "EdgeExecutor": ("plant", 8, 4, 4.0),
}

for executor, (queue, count, failing, seconds) in WORK.items():

    @task(executor=executor, queue=queue)
    def work(number: int, seconds: float = seconds, failing: int = failing) -> int:
        time.sleep(seconds)
        if number < failing:
            raise RuntimeError("the load has no rows")
        return number

    with DAG(f"{(executor or 'local').lower()}_work", schedule="@once", start_date=BEGIN, catchup=False):
        work.expand(number=list(range(count)))

with DAG("edge_lost", schedule="@once", start_date=BEGIN, catchup=False):

    @task(executor="EdgeExecutor", queue="field")
    def held(number: int) -> None:
        """Works until somebody kills its worker."""
        for second in range(900):
            print("block", number, second, flush=True)
            time.sleep(1)

    held.expand(number=[0, 1, 2])
