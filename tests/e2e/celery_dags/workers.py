"""Work for a CeleryExecutor: on a common queue, on a queue of its own, and on a queue that no worker consumes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

try:
    from airflow.sdk import DAG, get_current_context, task
except ImportError:  # Airflow 2
    from airflow.decorators import task
    from airflow.models.dag import DAG
    from airflow.operators.python import get_current_context

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@task(queue="common")
def nap(number: int) -> int:
    time.sleep(0.2)
    return number


@task(queue="heavy", retries=1, retry_delay=timedelta(seconds=1))
def crunch(number: int) -> int:
    """The first tries work until somebody kills their worker; the second ones are quick."""
    for second in range(900 if get_current_context()["ti"].try_number == 1 else 1):
        print("block", number, second, flush=True)
        time.sleep(1)
    return number


@task(queue="heavy")
def alone() -> None:
    """Has no retry: what is killed is lost."""
    time.sleep(900)


@task(queue="nobody")
def unheard() -> None:
    print("never printed")


with DAG("common_work", schedule="@once", start_date=BEGIN, catchup=False):
    nap.expand(number=list(range(12)))

with DAG("heavy_work", schedule="@once", start_date=BEGIN, catchup=False):
    crunch.expand(number=list(range(5)))
    alone()

with DAG("queue_without_worker", schedule="@once", start_date=BEGIN, catchup=False):
    unheard()
