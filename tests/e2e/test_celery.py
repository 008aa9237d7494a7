"""windsock against a real CeleryExecutor: two workers, one of them killed in the middle of its tasks, one queue that
nobody consumes. Task logs come from S3, hosts from the API, what happened to the killed tasks from the scheduler's output."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.airflow import s3_connection
from tests.e2e.celery import CeleryAirflow, celery_airflow
from tests.e2e.environments import interpreter, run, windsock
from tests.e2e.test_airflow import s3 as s3  # the fixture
from windsock.week import Week

pytestmark = pytest.mark.e2e
TOKEN = "WINDSOCK_E2E_CELERY_TOKEN"
DAGS = {"common_work", "heavy_work", "queue_without_worker"}


@dataclass(frozen=True, slots=True)
class Seen:
    """The Airflow as it was at the end, and what windsock made of it."""

    truth: dict[tuple[str, str, str, int, int], str]
    windsock: Path
    pipeline: Path
    week: str
    report: dict[str, Any]

    def ask(self, *question: str) -> list[dict[str, Any]]:
        words = ["-q", "ask", *question, "-p", str(self.pipeline), "--week", self.week, "--format", "json"]
        return list(json.loads(run([str(self.windsock), *words])))

    def findings(self, code: str) -> list[dict[str, Any]]:
        return [one for one in self.report["findings"] if one["code"] == code]


def _until(is_done: Callable[[], bool], what: str, patience_s: int = 600) -> None:
    for _ in range(patience_s):
        if is_done():
            return
        time.sleep(1)
    pytest.fail(f"waited {patience_s} s for {what}")


def _play(one: CeleryAirflow) -> None:
    """Six tasks run on bravo when it is killed; charlie takes their second tries."""
    one.start_worker("alpha", "common", 4)
    one.start_worker("bravo", "heavy", 6)
    sql = "select task_id from task_instance where hostname = 'bravo' and state = 'running'"
    _until(lambda: len(one.rows(sql)) == 6, "six tasks on bravo")
    time.sleep(15)  # heartbeats, and work to be lost
    one.kill_worker("bravo")
    one.start_worker("charlie", "heavy", 6)
    assert one.finish_runs(DAGS) == {
        "common_work": "success",
        "heavy_work": "failed",
        "queue_without_worker": "failed",
    }


@pytest.fixture(scope="module")
def seen(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    home = tmp_path_factory.mktemp("celery")
    more = {
        "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "aws_default",
        "AIRFLOW_CONN_AWS_DEFAULT": s3_connection(s3),
    }
    with celery_airflow(home, "s3://airflow-logs/celery", more) as one:
        _play(one)
        yield from seen_by(one, home, "celery")


def seen_by(one: CeleryAirflow, home: Path, name: str) -> Iterator[Seen]:
    """What a windsock as users install it makes of this Airflow: task logs, components' output and API."""
    binary = windsock(interpreter("3.11"), "windsock-3.11") / "bin" / "windsock"
    ((began,),) = one.rows("select min(start_date) at time zone 'utc' from dag_run")
    week = str(Week.of(datetime.fromisoformat(str(began)).replace(tzinfo=UTC)))
    pipeline, parts = home / "windsock.toml", home / "components"
    parts.mkdir()
    for path in home.glob("*.out"):
        if path.stem != "redis":
            shutil.copy(path, parts / f"{path.stem}.log")
    pipeline.write_text(
        f"[deployment]\nname = '{name}'\n[sources.task_logs]\nurl = 's3://airflow-logs/{name}'\n"
        "[sources.component_logs]\nurl = 'components'\n[lake]\nurl = 'lake'\n[report]\nout = 'out'\n"
        + ("[sources.metrics]\nurl = 'metrics'\n" if (home / "metrics").is_dir() else "")
        + f"[sources.airflow_api]\nurl = '{one.more['AIRFLOW__API__BASE_URL']}'\ntoken_env = '{TOKEN}'\n"
    )
    os.environ[TOKEN] = one.token()
    try:
        run([str(binary), "-q", "pull", str(pipeline), "--week", week])
        run([str(binary), "-q", "report", str(pipeline), "--week", week])
        (report,) = (home / "out").rglob("report.json")
        yield Seen(one.tries(), binary, pipeline, week, json.loads(report.read_text()))
    finally:
        del os.environ[TOKEN]


def test_every_try_has_the_state_that_the_database_has(seen: Seen) -> None:
    rows = seen.ask("--sql", "select dag_id, run_id, task_id, map_index, try_number, state from task_tries")
    assert {tuple(v for k, v in row.items() if k != "state"): row["state"] for row in rows} == seen.truth
    assert sorted(seen.truth.values()).count("up_for_retry") == 5


def test_the_report_names_what_the_killed_worker_cost(seen: Seen) -> None:
    (lost,) = seen.findings("WS632")
    evidence = lost["evidence"]
    assert lost["subject"] == {"hostname": "bravo"}
    assert lost["severity"] == "warning"
    assert (evidence["tries"], evidence["retried"], evidence["lost"], evidence["no_log"]) == (6, 5, 1, 6)
    assert evidence["queue"] == "heavy"
    assert 6 * 15 <= evidence["lost_hours"] * 3600 <= 6 * 600
    # the same six tries are not told again as mismatches, zombies or missing logs
    assert not {"WS510", "WS511", "WS516"} & {one["code"] for one in seen.report["findings"]}
    assert [one["subject"]["issue"] for one in seen.findings("WS115")] == []


def test_the_report_names_the_queue_that_nobody_consumes(seen: Seen) -> None:
    (dead,) = seen.findings("WS633")
    assert (dead["subject"]["queue"], dead["evidence"]["failed"], dead["evidence"]["begun"]) == (
        "nobody",
        1,
        0,
    )
    assert dead["evidence"]["dag_ids"] == ["queue_without_worker"]


def test_work_is_told_by_executor_queue_and_host(seen: Seen) -> None:
    rows = seen.ask("work_by_worker")
    hosts = {row["hostname"]: (row["tries"], row["failed"]) for row in rows if row["grain"] == "host"}
    assert hosts == {"alpha": (12, 0), "bravo": (6, 6), "charlie": (5, 0)}
    queues = {row["queue"]: row for row in rows if row["grain"] == "queue"}
    assert (queues["common"]["tries"], queues["heavy"]["tries"]) == (12, 11)
    assert queues["common"]["starts"] == 12
    assert queues["common"]["start_s"] > 0
    # neither the API nor a task log names the default executor: the scheduler's log does
    (ran,) = seen.ask("versions_and_executors")
    assert (ran["airflow_version"], ran["executor"]) == ("3.3.2", "CeleryExecutor")
    assert seen.report["trust"]["lines"]["Known to windsock's tests"] == "100 % of 24 tries"


def test_workers_say_when_they_are_ready(seen: Seen) -> None:
    sql = "select distinct hostname from component_events where event = 'worker_ready' order by hostname"
    assert [row["hostname"] for row in seen.ask("--sql", sql)] == ["alpha", "bravo", "charlie"]
    rejected = "select object_url, reject_reason from objects where outcome = 'reject'"
    assert seen.ask("--sql", rejected) == []
