"""DAGs that tell of a failure in each way there is, and some that do not, for Airflow 2.11 and 3.3.

`tests/support/serialize_dags.py`, run by a real Airflow's Python, writes what that Airflow keeps of them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG, AsyncCallback, DeadlineAlert, DeadlineReference

    MAJOR = 3
except ImportError:
    from airflow.models.dag import DAG
    from airflow.operators.bash import BashOperator

    MAJOR = 2

OPS = "ops-FAKE@example.com"
DAGS: list[Any] = []


def tell(context: Any) -> None:
    """What 2.x keeps as text with each task."""
    print("FAKE-token-in-a-callback", context)


def tell_too(context: Any) -> None:
    print(context)


async def late(**context: Any) -> None:
    print(context)


def dag(dag_id: str, **more: Any) -> Any:
    DAGS.append(DAG(dag_id, schedule=None, start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), **more))
    return DAGS[-1]


with dag("silent", params={"password": "FAKE-password-in-params"}):
    BashOperator(task_id="a", bash_command="true", on_success_callback=tell)
    BashOperator(task_id="b", bash_command="true", on_retry_callback=tell)
    BashOperator.partial(task_id="c").expand(bash_command=["true"])

with dag("empty"):
    pass

with dag("dag_callback", on_failure_callback=tell):
    BashOperator(task_id="a", bash_command="true")

with dag("some_tasks"):
    BashOperator(task_id="a", bash_command="true", on_failure_callback=tell)
    BashOperator(task_id="b", bash_command="true", on_failure_callback=[tell, tell_too])
    BashOperator.partial(task_id="c", on_failure_callback=tell).expand(bash_command=["true"])
    BashOperator(task_id="d", bash_command="true")
    BashOperator(task_id="e", bash_command="true", on_failure_callback=[])

with dag("default_args", default_args={"on_failure_callback": tell}):
    BashOperator(task_id="a", bash_command="true")
    BashOperator.partial(task_id="b").expand(bash_command=["true"])

with dag("mailed", default_args={"email": [OPS]}):
    BashOperator(task_id="a", bash_command="true")
    BashOperator(task_id="b", bash_command="true", email_on_failure=False)
    BashOperator(task_id="c", bash_command="true", email_on_failure=False, on_failure_callback=tell)
    BashOperator.partial(task_id="d").expand(bash_command=["true"])
    BashOperator.partial(task_id="e", email_on_failure=False).expand(bash_command=["true"])

with dag("mail_off", default_args={"email": OPS, "email_on_failure": False}):
    BashOperator(task_id="a", bash_command="true")

with dag("no_address", default_args={"email_on_failure": True}):
    BashOperator(task_id="a", bash_command="true")

with dag("watched"):
    BashOperator(task_id="a", bash_command="true") >> BashOperator(
        task_id="watcher", bash_command="false", trigger_rule="one_failed"
    )
    BashOperator(task_id="always", bash_command="true", trigger_rule="all_done")
    BashOperator.partial(task_id="each", trigger_rule="all_failed").expand(bash_command=["true"])

with dag(
    "shaped",
    end_date=dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
    dagrun_timeout=dt.timedelta(hours=2),
    default_args={"retries": 3, "retry_delay": dt.timedelta(seconds=90)},
):
    extract = BashOperator(
        task_id="extract",
        bash_command="true",
        depends_on_past=True,
        wait_for_downstream=True,
        pool="dwh",
        pool_slots=2,
    )
    each = BashOperator.partial(
        task_id="each", max_active_tis_per_dag=2, execution_timeout=dt.timedelta(minutes=5)
    ).expand(bash_command=["true"])
    load = BashOperator(
        task_id="load", bash_command="true", start_date=dt.datetime(2026, 6, 1, tzinfo=dt.UTC), queue="big",
        priority_weight=7, max_active_tis_per_dagrun=1, trigger_rule="all_done",
    )  # fmt: skip
    extract >> each >> load
    extract >> load

if MAJOR == 3:
    with dag(
        "deadline",
        deadline=DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=dt.timedelta(minutes=5),
            callback=AsyncCallback("told.late"),
        ),
    ):
        BashOperator(task_id="a", bash_command="true")
else:
    with dag("sla", sla_miss_callback=tell):
        BashOperator(task_id="a", bash_command="true", sla=dt.timedelta(minutes=1))
        BashOperator(task_id="b", bash_command="true")
