"""The weekly job as an Airflow DAG, for Airflow 2.11 and 3.

Each step calls the windsock command of a virtual environment (or image) of its own, so that windsock's libraries never
meet Airflow's. `pull` is mapped over the lake's shards: shards need no coordination, so they run on as many workers as
there are. The report is that of the last complete ISO week; trigger the DAG with `{"week": "2026-W47"}` for an older one.
Copy the file into your DAGs folder and set these on the workers:

    WINDSOCK_BIN          the command, by default /opt/windsock/.venv/bin/windsock
    WINDSOCK_PIPELINE     the pipeline file, by default /opt/windsock/pipelines/prod.toml
    WINDSOCK_SHARDS       as [lake] shards in that file, by default 1
    WINDSOCK_AWS_CONN_ID  optional: an Airflow connection that gives S3 its credentials, region and endpoint
    WINDSOCK_GCP_CONN_ID  optional: the same for Google Cloud Storage
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone

try:  # Airflow 3
    from airflow.providers.standard.hooks.subprocess import SubprocessHook
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.hooks.subprocess import SubprocessHook

WINDSOCK = os.environ.get("WINDSOCK_BIN", "/opt/windsock/.venv/bin/windsock")
PIPELINE = os.environ.get("WINDSOCK_PIPELINE", "/opt/windsock/pipelines/prod.toml")
SHARDS = int(os.environ.get("WINDSOCK_SHARDS", "1"))


@contextmanager
def storage() -> Iterator[dict[str, str]]:
    """Credentials of the stores as environment variables, from Airflow's connections where these are named.

    Without them windsock finds credentials as everywhere: the worker's role, profile or environment.
    """
    with ExitStack() as opened:
        found: dict[str, str] = {}
        if conn_id := os.environ.get("WINDSOCK_AWS_CONN_ID"):
            found |= _aws(conn_id)
        if conn_id := os.environ.get("WINDSOCK_GCP_CONN_ID"):
            from airflow.providers.google.common.hooks.base_google import GoogleBaseHook

            # sets GOOGLE_APPLICATION_CREDENTIALS to a file that is gone when the step ends; a connection without a
            # key leaves the worker's own identity, and sets nothing
            opened.enter_context(GoogleBaseHook(gcp_conn_id=conn_id).provide_gcp_credential_file_as_context())
            if path := os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
                found["GOOGLE_APPLICATION_CREDENTIALS"] = path
        yield found


def _aws(conn_id: str) -> dict[str, str]:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

    hook = AwsGenericHook(aws_conn_id=conn_id)
    keys = hook.get_credentials()  # those of the role, where the connection names one
    found = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token,
        "AWS_DEFAULT_REGION": hook.region_name,
        "AWS_ENDPOINT_URL": hook.conn_config.endpoint_url,
    }
    return {name: value for name, value in found.items() if value}


def call(verb: str, *words: str, week: str) -> None:
    """One windsock command; what it says goes to the task's log, a status other than 0 fails the task."""
    with storage() as credentials:
        done = SubprocessHook().run_command(
            [WINDSOCK, "-q", verb, PIPELINE, "--week", week, *words],
            env={**os.environ, **credentials},
        )
    if done.exit_code:
        raise RuntimeError(f"windsock {verb} ended with status {done.exit_code}: {done.output}")


@dag(
    dag_id="windsock_weekly",
    description="Which way is this Airflow blowing? The weekly health report.",
    schedule="10 6 * * 1",
    start_date=datetime(2026, 1, 5, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
    params={"week": ""},
    tags=["observability"],
)
def windsock_weekly() -> None:
    """Pull in as many tasks as there are shards, then check, report, send."""

    @task
    def pull(shard: int, params: dict[str, str] | None = None) -> None:
        call("pull", "--shard", f"{shard}/{SHARDS}", week=(params or {}).get("week", ""))

    def step(verb: str):
        @task(task_id=verb)
        def run(params: dict[str, str] | None = None) -> None:
            call(verb, week=(params or {}).get("week", ""))

        return run()

    pull.expand(shard=list(range(SHARDS))) >> step("check") >> step("report") >> step("send")


windsock_weekly()
