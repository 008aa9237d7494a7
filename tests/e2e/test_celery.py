"""windsock against a real CeleryExecutor: two workers, one of them killed in the middle of its tasks, one queue that
nobody consumes. Task logs from S3, the output of scheduler and workers from files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from tests.e2e.airflow import free_port, s3_connection
from tests.e2e.celery import CeleryAirflow, celery_airflow
from tests.e2e.environments import interpreter, run, windsock
from tests.e2e.test_airflow import s3 as s3  # noqa: PLC0414  (the fixture)
from windsock.week import Week

pytestmark = pytest.mark.e2e
FIRST_TRIES = "dag_id = 'heavy_work' and try_number = 1 and state = 'running'"


@dataclass(frozen=True, slots=True)
class Seen:
    """What windsock made of it: the pipeline, its week, the report."""

    airflow: CeleryAirflow
    windsock: Path
    pipeline: Path
    week: str

    def ask(self, *question: str) -> list[dict[str, object]]:
        words = ["-q", "ask", *question, "-p", str(self.pipeline), "--week", self.week, "--format", "json"]
        return list(json.loads(run([str(self.windsock), *words])))


def _until(is_done: object, what: str, patience_s: int = 300) -> None:
    for _ in range(patience_s):
        if is_done():  # type: ignore[operator]
            return
        time.sleep(1)
    pytest.fail(f"waited {patience_s} s for {what}")


@pytest.fixture(scope="module")
def seen(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    home = tmp_path_factory.mktemp("celery")
    more = {
        "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "aws_default",
        "AIRFLOW_CONN_AWS_DEFAULT": s3_connection(s3),
    }
    with celery_airflow(home, "s3://airflow-logs/celery", more) as one:
        one.start_worker("alpha", "common", 4)
        one.start_worker("bravo", "heavy", 6)

        def running() -> int:
            return len(one.rows(f"select task_id from task_instance where {FIRST_TRIES}"))

        _until(lambda: running() == 6, "six tasks on bravo")
        time.sleep(20)  # several heartbeats, and work that is lost
        one.kill_worker("bravo")
        one.start_worker("charlie", "heavy", 6)
        one.finish_runs({"common_work", "heavy_work", "queue_without_worker"})
        one.stop()
        pipeline = home / "windsock.toml"
        sources = sorted(str(path) for path in home.glob("*.out") if path.stem != "redis")
        pipeline.write_text(
            "[deployment]\nname = 'celery'\n[sources.task_logs]\nurl = 's3://airflow-logs/celery'\n"
            f"[sources.component_logs]\nurl = {json.dumps(sources)}\n[lake]\nurl = 'lake'\n[report]\nout = 'out'\n"
        )
        binary = windsock(interpreter("3.11"), "windsock-3.11") / "bin" / "windsock"
        ((began,),) = one.rows("select min(start_date) at time zone 'utc' from dag_run")
        week = str(Week.of(datetime.fromisoformat(str(began)).replace(tzinfo=UTC)))
        yield Seen(one, binary, pipeline, week)


def test_look(seen: Seen) -> None:
    print(seen.pipeline)
    s3 = boto3.client("s3")
    for one in s3.list_objects_v2(Bucket="airflow-logs", Prefix="celery/").get("Contents", []):
        print(one["Key"], one["Size"])
        path = seen.pipeline.parent / "s3" / one["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file("airflow-logs", one["Key"], str(path))
    for row in seen.airflow.rows("select dag_id, task_id, map_index, try_number, state, hostname, queue from task_instance"):
        print(row)
