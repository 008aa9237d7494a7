"""One DAG whose tasks end in the ways that tasks end. Runs unchanged on Airflow 2.11 and 3."""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime, timedelta, timezone

try:  # Airflow 3
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.providers.standard.sensors.time_delta import TimeDeltaSensorAsync
    from airflow.sdk import DAG
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.exceptions import AirflowFailException, AirflowSkipException
    from airflow.operators.bash import BashOperator
    from airflow.operators.python import PythonOperator
    from airflow.sensors.time_delta import TimeDeltaSensorAsync


def _succeed() -> None:
    print("all well")


def _fail() -> None:
    raise ValueError("could not convert string to float: 'n/a'")


def _fail_now() -> None:
    raise AirflowFailException("no point in trying again")


def _skip() -> None:
    raise AirflowSkipException("nothing to do today")


def _fail_once(ti) -> None:
    if ti.try_number == 1:
        raise ConnectionError("connection reset by peer")


def _sleep() -> None:
    time.sleep(120)


def _kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


with DAG(
    dag_id="endings",
    schedule="@once",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    default_args={"retries": 0},
) as dag:
    PythonOperator(task_id="succeeds", python_callable=_succeed)
    PythonOperator(task_id="fails", python_callable=_fail) >> PythonOperator(
        task_id="never_starts", python_callable=_succeed
    )
    PythonOperator(task_id="fails_now", python_callable=_fail_now, retries=3)
    PythonOperator(task_id="skips", python_callable=_skip)
    PythonOperator(
        task_id="fails_once", python_callable=_fail_once, retries=1, retry_delay=timedelta(seconds=1)
    )
    PythonOperator(task_id="times_out", python_callable=_sleep, execution_timeout=timedelta(seconds=2))
    PythonOperator(task_id="is_killed", python_callable=_kill_itself)
    BashOperator(task_id="bash_fails", bash_command="echo about to fail; exit 3")
    TimeDeltaSensorAsync(task_id="defers", delta=timedelta(seconds=1))
    PythonOperator.partial(task_id="mapped", python_callable=print).expand(op_args=[["a"], ["b"]])
