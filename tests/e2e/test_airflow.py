"""windsock against a real Airflow 3 and a real Airflow 2.11 with LocalExecutor on PostgreSQL: the logs they write to an
S3-compatible server, the states they hold to be true, and the weekly DAG that their scheduler runs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.e2e.airflow import Airflow, airflow, free_port, s3_connection
from tests.e2e.environments import ROOT, interpreter, run, windsock
from tests.support import serialized_dags
from tests.support.statsd_capture import statsd_capture
from windsock import config as configs
from windsock import pipeline
from windsock.output import Output
from windsock.week import Week

pytestmark = pytest.mark.e2e
BROKEN = {f"broken_load_{number}" for number in range(8)}
SHARDS = 3


@dataclass(frozen=True, slots=True)
class Fleet:
    """An Airflow whose DAGs have all run, and a pipeline file that points at its logs."""

    airflow: Airflow
    windsock: Path
    pipeline: Path
    week: str

    def ask(self, sql: str) -> list[dict[str, object]]:
        command = [
            str(self.windsock),
            "-q",
            "ask",
            "--sql",
            sql,
            "-p",
            str(self.pipeline),
            "--format",
            "json",
        ]
        return list(json.loads(run([*command, "--week", self.week])))


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    fake = {"AWS_ACCESS_KEY_ID": "FAKE", "AWS_SECRET_ACCESS_KEY": "FAKE", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": f"http://{host}:{port}"}  # fmt: skip
    before = {name: os.environ.get(name) for name in fake}
    os.environ |= fake
    for bucket in ("airflow-logs", "airflow-metrics"):
        boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket=bucket)
    yield f"http://{host}:{port}"
    server.stop()
    for name, value in before.items():
        os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


@pytest.fixture(scope="module", params=["3", "2"], ids=["airflow-3", "airflow-2.11"])
def fleet(
    request: pytest.FixtureRequest, s3: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    major, home = request.param, tmp_path_factory.mktemp("airflow")
    logs = f"s3://airflow-logs/prod-{major}"
    pipeline = home / "windsock.toml"
    pipeline.write_text(
        f"[deployment]\nname = 'e2e'\n[sources.task_logs]\nurl = '{logs}'\n"
        f"[sources.metrics]\nurl = 's3://airflow-metrics/prod-{major}'\n"
        f"[lake]\nurl = 'lake'\nshards = {SHARDS}\n[report]\nout = 'out'\n[deliver.files]\nurl = 'delivered'\n"
    )
    binary = windsock(interpreter("3.11"), "windsock-3.11") / "bin" / "windsock"
    more = {
        "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "aws_default",
        "AIRFLOW_CONN_AWS_DEFAULT": s3_connection(s3),
        "WINDSOCK_AWS_CONN_ID": "aws_default",
        "WINDSOCK_BIN": str(binary),
        "WINDSOCK_PIPELINE": str(pipeline),
        "WINDSOCK_SHARDS": str(SHARDS),
        "AIRFLOW__CORE__COMPRESS_SERIALIZED_DAGS": str(major == "2"),  # one of either form
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
    }
    with (
        statsd_capture() as heard,
        airflow(
            major, home, logs, more | {"AIRFLOW__METRICS__STATSD_PORT": str(heard.port)}, extras=("statsd",)
        ) as one,
    ):
        states = one.finish_runs(BROKEN | {"endings"})
        assert set(states.values()) == {"failed"}
        ((started_at,),) = one.rows("select min(start_date) from dag_run where dag_id = 'endings'")
        assert isinstance(started_at, datetime)
        boto3.client("s3", endpoint_url=s3).put_object(
            Bucket="airflow-metrics", Key=f"prod-{major}/capture.statsd", Body=heard.text()
        )
        yield Fleet(one, binary, pipeline, str(Week.of(started_at)))


def test_the_scheduler_runs_the_weekly_dag_over_shards_and_its_report_names_the_broken_dags(
    fleet: Fleet,
) -> None:
    one, run_id = fleet.airflow, "manual__e2e"
    # only now, when all logs are there; the scheduler then runs it by itself too, for the week before
    shutil.copy(ROOT / "pipelines" / "windsock_weekly.py", one.home / "dags")
    one.serializes("windsock_weekly")
    one.command(
        "dags", "trigger", "windsock_weekly", "--run-id", run_id, "--conf", json.dumps({"week": fleet.week})
    )
    assert one.finish_run("windsock_weekly", run_id) == "success"
    sql = (
        "select task_id, map_index, state, start_date, end_date from task_instance "
        f"where dag_id = 'windsock_weekly' and run_id = '{run_id}' order by task_id, map_index"
    )
    tasks = one.rows(sql)
    assert [row[:3] for row in tasks] == [
        ("check", -1, "success"),
        *(("pull", shard, "success") for shard in range(SHARDS)),
        ("report", -1, "success"),
        ("send", -1, "success"),
    ]
    pulls = [(start, end) for task_id, _, _, start, end in tasks if task_id == "pull"]
    # a pull of so few logs takes a second or two: which of them overlap is the scheduler's choice, that some do is ours
    assert any(one[0] < other[1] and other[0] < one[1] for one, other in combinations(pulls, 2)), pulls
    (delivered,) = (fleet.pipeline.parent / "delivered").rglob(f"{fleet.week}/report.json")
    report = json.loads(delivered.read_text())
    assert (report["deployment"], report["week"]) == ("e2e", fleet.week)
    told = json.dumps(report["findings"])
    assert "AuthenticationError" in told
    assert report["verdict_sentence"].startswith("First week"), report["verdict_sentence"]
    assert sum(dag_id in told for dag_id in BROKEN) >= 3


def test_the_scheduler_runs_it_by_itself_for_the_week_before(fleet: Fleet) -> None:
    ((run_id,),) = fleet.airflow.rows(
        "select run_id from dag_run where dag_id = 'windsock_weekly' and run_type = 'scheduled'"
    )
    assert fleet.airflow.finish_run("windsock_weekly", str(run_id)) == "success"
    before = str(Week.parse(fleet.week).minus(1))
    (delivered,) = (fleet.pipeline.parent / "delivered").rglob(f"{before}/report.json")
    assert json.loads(delivered.read_text())["week"] == before


def test_its_own_metrics_tell_of_its_pool_and_that_its_scheduler_was_alive(fleet: Fleet) -> None:
    sizes = fleet.ask("select distinct total_slots from pool_samples where pool = 'default_pool'")
    assert sizes == [{"total_slots": 128}]
    names = {row["name"] for row in fleet.ask("select distinct name from metric_samples")}
    assert "scheduler_heartbeat" in names


def test_states_agree_with_the_database(fleet: Fleet) -> None:
    run([str(fleet.windsock), "-q", "pull", str(fleet.pipeline), "--week", fleet.week])
    truth = {
        key: state
        for key, state in fleet.airflow.tries().items()
        # a task that never started has no log; what windsock did in there is not under test
        if state not in ("upstream_failed", "None") and key[0] != "windsock_weekly"
    }
    rows = fleet.ask(
        "select dag_id, run_id, task_id, map_index, try_number, state from task_tries where dag_id <> 'windsock_weekly'"
    )
    read = {tuple(v for k, v in row.items() if k != "state"): row["state"] for row in rows}
    assert len(truth) >= 20
    assert {state for key, state in truth.items() if key[0] == "endings"} >= {"success", "failed", "skipped"}
    assert read == truth


def test_every_object_is_accounted_for(fleet: Fleet) -> None:
    rows = fleet.ask("select outcome, reject_reason, count(*) as n from objects group by all order by all")
    assert {row["outcome"] for row in rows} <= {"parsed", "ignored"}
    assert fleet.ask("select count(*) as n from task_logs where state = 'unknown'") == [{"n": 0}]


def test_its_api_tells_the_tasks_of_each_dag_as_its_database_does(fleet: Fleet, tmp_path: Path) -> None:
    one = fleet.airflow
    secrets = {"DB": one.database, "LOOKER": "viewer", "FAKE": "fake-password-of-a-test"}
    if one.major == "3":
        api = f"url = '{one.more['AIRFLOW__API__BASE_URL']}'"
    else:
        api = (
            f"url = '{one.serve_to_viewer(secrets['FAKE'])}'\nusername_env = 'LOOKER'\npassword_env = 'FAKE'"
        )
    found = []
    for name, source in (("api", f"[sources.airflow_api]\n{api}\n"),
                         ("db", "[sources.airflow_db]\nurl_env = 'DB'\n")):  # fmt: skip
        folder = tmp_path / name
        folder.mkdir()
        path = folder / "prod.toml"
        path.write_text(f"[deployment]\nname = 'e2e'\n{source}")
        config, week = configs.load(path, secrets), Week.parse(fleet.week)
        pipeline.pull(config, now=datetime.now(UTC), week=week, output=Output(level=0))
        sql = (
            "select dag_id, task_id, operator, trigger_rule, depends_on_past, is_mapped, pool, start_date, downstream_task_ids "
            "from tasks_now order by all"
        )
        found.append(
            [tuple(row.values()) for row in pipeline.ask(config, question="", sql=sql, week=week).rows]
        )
        sql = "select key, json_extract_string(value, '$.start_date') as at from deployments where key like 'dag_detail.%' order by 1"
        found.append(
            [tuple(row.values()) for row in pipeline.ask(config, question="", sql=sql, week=week).rows]
        )
    assert {row[0] for row in found[0]} > BROKEN
    assert found[:2] == found[2:]


def test_its_serialised_dags_tell_whose_failures_nobody_hears_of(fleet: Fleet, tmp_path: Path) -> None:
    one, major = fleet.airflow, int(fleet.airflow.major)
    shutil.copy(ROOT / "tests" / "data" / "serialized_dags" / "told.py", one.home / "dags")
    expected = serialized_dags.truth(major)
    for dag_id in expected:
        one.serializes(dag_id)
    column = "data_compressed" if major == 2 else "data"
    assert one.rows(f"select count(*) from serialized_dag where {column} is null") == [(0,)]
    path = tmp_path / "db.toml"
    path.write_text("[deployment]\nname = 'e2e'\n[sources.airflow_db]\nurl_env = 'DB'\n")
    config, week, quiet = configs.load(path, {"DB": one.database}), Week.parse(fleet.week), Output(level=0)
    pipeline.pull(config, now=datetime.now(UTC), week=week, output=quiet)
    sql = "select key, value from deployments where starts_with(key, 'dag_alerts.')"
    told = {
        row["key"].removeprefix("dag_alerts."): json.loads(row["value"])
        for row in pipeline.ask(config, question="", sql=sql, week=week).rows
    }
    assert {dag_id: told[dag_id] for dag_id in expected} == expected
    sql = "select task_id, downstream_task_ids, depends_on_past, max_active_tis_per_dag from tasks_now where dag_id = 'shaped' order by 1"
    made = [tuple(row.values()) for row in pipeline.ask(config, question="", sql=sql, week=week).rows]
    assert made == [("each", ["load"], 0, 2), ("extract", ["each", "load"], 1, None), ("load", [], 0, None)]
    rows = pipeline.ask(config, question="failure_alerts", sql="", week=week).rows
    known = {row["dag_id"]: (row["lost"], row["told_by"], row["has_alert"]) for row in rows}
    nobody = dict.fromkeys(BROKEN, (1, "nothing", False))
    assert {dag_id: known[dag_id] for dag_id in BROKEN} == nobody | {
        "broken_load_6": (1, "callback of the DAG", True),
        "broken_load_7": (1, "each task", True),
    }
    assert known["endings"][1:] == ("nothing", False)
    assert "dag_callback" not in known, "what never ran fails nobody"
