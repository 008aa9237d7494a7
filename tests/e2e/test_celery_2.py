"""windsock against a real CeleryExecutor of Airflow 2.11: the same killed worker, told by logs alone, without any API."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.celery import celery_airflow
from tests.e2e.environments import interpreter, run, windsock
from tests.e2e.test_celery import Seen, _play
from windsock.week import Week

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    home = tmp_path_factory.mktemp("celery2")
    binary = windsock(interpreter("3.11"), "windsock-3.11") / "bin" / "windsock"
    with celery_airflow(home, "", {"AIRFLOW__LOGGING__REMOTE_LOGGING": "False"}, major="2") as one:
        _play(one)
        ((began,),) = one.rows("select min(start_date) at time zone 'utc' from dag_run")
        week = str(Week.of(datetime.fromisoformat(str(began)).replace(tzinfo=UTC)))
        pipeline, parts = home / "windsock.toml", home / "components"
        parts.mkdir()
        for path in home.glob("*.out"):
            if path.stem != "redis":
                shutil.copy(path, parts / f"{path.stem}.log")
        pipeline.write_text(
            f"[deployment]\nname = 'celery2'\n[sources.task_logs]\nurl = '{home / 'logs'}'\n"
            "[sources.component_logs]\nurl = 'components'\n[lake]\nurl = 'lake'\n[report]\nout = 'out'\n"
        )
        run([str(binary), "-q", "pull", str(pipeline), "--week", week])
        run([str(binary), "-q", "report", str(pipeline), "--week", week])
        (report,) = (home / "out").rglob("report.json")
        yield Seen(one.tries(), binary, pipeline, week, json.loads(Path(report).read_text()))


def test_the_report_names_the_killed_worker(seen: Seen) -> None:
    (lost,) = seen.findings("WS632")
    evidence = lost["evidence"]
    assert (lost["subject"], evidence["queue"]) == ({"hostname": "bravo"}, "heavy")
    assert (evidence["tries"], evidence["lost"]) == (6, 1)


def test_the_report_names_the_queue_that_nobody_consumes(seen: Seen) -> None:
    (dead,) = seen.findings("WS633")
    assert (dead["subject"]["queue"], dead["evidence"]["failed"]) == ("nobody", 1)


def test_workers_and_their_work_are_told_from_logs_alone(seen: Seen) -> None:
    sql = "select distinct hostname from component_events where event = 'worker_ready' order by hostname"
    assert [row["hostname"] for row in seen.ask("--sql", sql)] == ["alpha", "bravo", "charlie"]
    hosts = {
        row["hostname"]: (row["tries"], row["failed"])
        for row in seen.ask("work_by_worker")
        if row["grain"] == "host"
    }
    assert (hosts["alpha"], hosts["charlie"]) == ((12, 0), (5, 0))


def test_a_lost_try_is_told_as_lost_or_as_never_ended_and_never_as_a_success(seen: Seen) -> None:
    """The scheduler of 2.11 may say `state=running, executor_state=failed` of a lost try and no more of it: without an API
    it then stays running here."""
    rows = seen.ask("--sql", "select task_id, try_number, state from task_tries where hostname = 'bravo'")
    assert [row["state"] for row in rows if row["task_id"] == "alone"] == ["failed"]
    crunched = [row["state"] for row in rows if row["task_id"] == "crunch"]
    assert len(crunched) == 5
    assert set(crunched) <= {"up_for_retry", "running"}
