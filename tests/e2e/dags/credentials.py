"""Eight DAGs that meet one expired credential: one cause, many failures, of which two DAGs tell. Airflow 2.11 and 3."""

from __future__ import annotations

from datetime import datetime, timezone

try:  # Airflow 3
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.python import PythonOperator


class AuthenticationError(Exception):
    """What a warehouse driver raises."""


def _connect() -> None:
    raise AuthenticationError("password authentication failed for user 'warehouse_rw'")


def _tell(context: object) -> None:
    print("somebody was told")


for number in range(8):
    with DAG(
        dag_id=f"broken_load_{number}",
        schedule="@once",
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        catchup=False,
        on_failure_callback=_tell if number == 6 else None,
        default_args={"on_failure_callback": _tell} if number == 7 else {},
    ) as dag:
        PythonOperator(task_id="load", python_callable=_connect)
