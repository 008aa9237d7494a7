"""The weekly job as an Airflow DAG, for Airflow 2.11 and 3.

Each step calls the windsock command in a virtual environment of its own, so that windsock's libraries never meet
Airflow's. `pull` is mapped over the lake's shards: shards need no coordination, so they run on as many workers as
there are. Set the three variables of the environment below for your workers; copy the file into your DAGs folder.
The report is that of the last complete ISO week; trigger the DAG with `{"week": "2026-W47"}` for an older one.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

try:  # Airflow 3
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

WINDSOCK = os.environ.get("WINDSOCK_BIN", "/opt/windsock/.venv/bin/windsock")
PIPELINE = os.environ.get("WINDSOCK_PIPELINE", "/opt/windsock/pipelines/prod.toml")
SHARDS = int(os.environ.get("WINDSOCK_SHARDS", "1"))  # must equal [lake] shards

STEP = {"WINDSOCK": WINDSOCK, "PIPELINE": PIPELINE, "WEEK": "{{ params.week }}"}


def step(verb: str) -> BashOperator:
    """One windsock command over the whole lake."""
    return BashOperator(
        task_id=verb,
        bash_command=f'"$WINDSOCK" -q {verb} "$PIPELINE" --week "$WEEK"',
        env=STEP,
        append_env=True,
    )


with DAG(
    dag_id="windsock_weekly",
    description="Which way is this Airflow blowing? The weekly health report.",
    schedule="10 6 * * 1",
    start_date=datetime(2026, 1, 5, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
    params={"week": ""},
    tags=["observability"],
) as dag:
    pull = BashOperator.partial(
        task_id="pull",
        bash_command='"$WINDSOCK" -q pull "$PIPELINE" --week "$WEEK" --shard "$SHARD/$SHARDS"',
        append_env=True,
    ).expand(env=[STEP | {"SHARD": str(shard), "SHARDS": str(SHARDS)} for shard in range(SHARDS)])
    pull >> step("check") >> step("report") >> step("send")
