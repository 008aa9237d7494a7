"""windsock against one Airflow 3.3 with three executors at once: LocalExecutor for whatever names none, a CeleryExecutor with
one worker, an EdgeExecutor with two, of which one is killed in the middle of its tasks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.airflow import s3_connection
from tests.e2e.celery import CeleryAirflow, celery_airflow
from tests.e2e.test_airflow import s3 as s3  # the fixture
from tests.e2e.test_celery import Seen, _until, seen_by
from tests.support.statsd_capture import statsd_capture

pytestmark = pytest.mark.e2e
LOCAL, CELERY, EDGE = "LocalExecutor", "CeleryExecutor", "EdgeExecutor"
TRUTH = (
    f"select coalesce(executor, '{LOCAL}'), count(*), count(*) filter (where state = 'failed'), "
    "percentile_cont(0.5) within group (order by extract(epoch from end_date - start_date)), "
    "percentile_cont(0.5) within group (order by extract(epoch from start_date - queued_dttm)), "
    "percentile_cont(0.95) within group (order by extract(epoch from start_date - queued_dttm)) "
    "from task_instance group by 1"
)
KNOWN: dict[str, tuple[float, ...]] = {}
"""Executor → tries, failed ones, median seconds of work, median and 95th percentile of waiting: the database's own."""
DAGS = {"local_work", "celeryexecutor_work", "edgeexecutor_work", "edge_lost"}


def _play(one: CeleryAirflow) -> None:
    """Three tasks run on the edge worker field-1 when it is killed; the others end by themselves."""
    one.start_worker("alpha", "common", 2)
    one.start_edge_worker("field-1", "field", 3)
    one.start_edge_worker("plant-1", "plant", 2)
    sql = "select task_id from task_instance where hostname = 'field-1' and state = 'running'"
    _until(lambda: len(one.rows(sql)) == 3, "three tasks on field-1")
    time.sleep(75)  # gauges are kept by the minute: connected in one, gone in the next
    one.kill_worker("field-1")
    assert one.finish_runs(DAGS) == dict.fromkeys(DAGS, "failed")


@pytest.fixture(scope="module")
def seen(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    home = tmp_path_factory.mktemp("executors")
    edge = "airflow.providers.edge3.executors.EdgeExecutor"
    more = {
        "AIRFLOW__CORE__EXECUTOR": f"{LOCAL},{CELERY},{edge}",
        "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "aws_default",
        "AIRFLOW_CONN_AWS_DEFAULT": s3_connection(s3),
        "AIRFLOW__EDGE__HEARTBEAT_INTERVAL": "5",
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__EDGE__JOB_POLL_INTERVAL": "2",
    }
    with (
        statsd_capture() as heard,
        celery_airflow(
            home, "s3://airflow-logs/executors", more | {"AIRFLOW__METRICS__STATSD_PORT": str(heard.port)},
            dags="executors_dags", also=("edge3", "statsd"),
        ) as one,
    ):  # fmt: skip
        _play(one)
        (home / "metrics").mkdir()
        (home / "metrics" / "capture.statsd").write_bytes(heard.text())
        KNOWN.update({str(name): tuple(map(float, told)) for name, *told in one.rows(TRUTH)})  # type: ignore[arg-type]
        yield from seen_by(one, home, "executors")


def by_executor(seen: Seen) -> dict[str, dict[str, Any]]:
    return {row["executor"]: row for row in seen.ask("work_by_worker") if row["grain"] == "executor"}


def test_every_try_has_the_state_that_the_database_has(seen: Seen) -> None:
    rows = seen.ask("--sql", "select dag_id, run_id, task_id, map_index, try_number, state from task_tries")
    assert {tuple(v for k, v in row.items() if k != "state"): row["state"] for row in rows} == seen.truth


def test_failures_are_told_by_executor(seen: Seen) -> None:
    found = {name: (row["tries"], row["failed"]) for name, row in by_executor(seen).items()}
    assert found == {LOCAL: (8, 1), CELERY: (8, 2), EDGE: (11, 7)}
    assert found == {name: told[:2] for name, told in KNOWN.items()}


def test_durations_are_told_by_executor(seen: Seen) -> None:
    # a log begins and ends a little later than the database's row: 1.3 s in an edge worker, which reports by HTTP
    medians = {name: row["work_s"] for name, row in by_executor(seen).items()}
    assert medians == pytest.approx({name: told[2] for name, told in KNOWN.items()}, abs=2)


def test_waits_are_told_by_executor(seen: Seen) -> None:
    rows = by_executor(seen)
    assert {name: row["starts"] for name, row in rows.items()} == {LOCAL: 8, CELERY: 8, EDGE: 11}
    for name, (*_, median, high) in KNOWN.items():
        assert rows[name]["start_s"] == pytest.approx(median, abs=1)
        assert rows[name]["start_p95_s"] == pytest.approx(high, abs=1)
    # eight tasks of four seconds and more wait for two slots
    assert rows[EDGE]["start_p95_s"] > 8


def test_the_trust_box_tells_the_share_of_each_executor(seen: Seen) -> None:
    shares = {row["executor"]: row["tries"] for row in seen.ask("versions_and_executors")}
    assert shares == {LOCAL: 8, CELERY: 8, EDGE: 11}
    assert seen.report["trust"]["lines"]["Known to windsock's tests"] == "100 % of 27 tries"


def test_the_gauges_of_edge_workers_tell_when_each_was_there(seen: Seen) -> None:
    rows = {row["worker_name"]: row for row in seen.ask("edge_workers")}
    assert set(rows) == {"field-1", "plant-1"}
    lost, kept = rows["field-1"], rows["plant-1"]
    assert (lost["concurrency"], lost["losses"], lost["is_connected"]) == (3, 1, False)
    assert (kept["concurrency"], kept["losses"], kept["is_connected"]) == (2, 0, True)
    # by the minute, and the last one of a capture has no length
    assert kept["connected_hours"] >= lost["connected_hours"] > 0 == kept["offline_hours"]
    assert kept["last_at"] > lost["last_at"]


def test_the_edge_worker_that_was_killed_is_named_with_its_tasks(seen: Seen) -> None:
    missed = seen.ask("--sql", "select distinct hostname from component_events where event = 'worker_missed'")
    assert [row["hostname"] for row in missed] == ["field-1"]
    (lost,) = seen.findings("WS632")
    assert lost["subject"] == {"hostname": "field-1"}
    assert (lost["evidence"]["tries"], lost["evidence"]["lost"]) == (3, 3)
    assert seen.ask("--sql", "select object_url from objects where outcome = 'reject'") == []
