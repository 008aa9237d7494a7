"""One Prometheus, two Airflows: A's pool is full as every week, B's scheduler was dead for two hours. Pull to report."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.exposition import exposition, minutes, store
from windsock import config as configs
from windsock import pipeline
from windsock.errors import ConfigError
from windsock.output import Output
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W48")
TUESDAY = datetime(2026, 11, 24, tzinfo=UTC)
DEAD_FROM, DEAD_UNTIL = TUESDAY + timedelta(hours=2), TUESDAY + timedelta(hours=4, minutes=10)
NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
QUIET = Output(level=0)
DAGS = [f"feed_{letter}" for letter in "abcde"]
EVERY = timedelta(minutes=10)


def snapshots(folder: Path) -> None:
    """A look each minute of the Tuesday, and each ten minutes of the Tuesday a week before, as /federate shows them."""
    beats_a = beats_b = 1000
    looks = [TUESDAY - timedelta(days=7) + n * EVERY for n in range(120)] + minutes(
        TUESDAY, TUESDAY + timedelta(hours=20)
    )
    for at in looks:
        is_dead = DEAD_FROM < at <= DEAD_UNTIL
        beats_a, beats_b = beats_a + 12, beats_b + (0 if is_dead else 12)
        minute = (at.hour - 8) * 60 + at.minute
        is_busy = 0 <= minute < 600
        full, some, idle = (0, 128, 0, 20), (100, 20, 8, 0), (128, 0, 0, 0)
        pool_a = full if is_busy and minute % 100 < 63 else some if is_busy else idle
        pool_b = (0, 16, 0, 9) if is_dead or at == DEAD_FROM else (12, 4, 0, 0)
        store(
            folder,
            at,
            exposition({"scheduler_heartbeat": beats_a}, {"default_pool": pool_a}, {"namespace": "airflow-a"})
            + exposition(
                {"scheduler_heartbeat": beats_b}, {"default_pool": pool_b}, {"namespace": "airflow-b"}
            ),
        )


def task_logs(folder: Path, *, is_dead: bool) -> int:
    """A run of each DAG every ten minutes, each half a minute after it was due; how many a dead scheduler held back."""
    held = 0
    for day in (TUESDAY - timedelta(days=7), TUESDAY):
        for place, dag in enumerate(DAGS):
            for n in range(72):
                due = day + n * EVERY
                at = due + timedelta(seconds=30)
                if is_dead and DEAD_FROM < at <= DEAD_UNTIL:
                    at, held = DEAD_UNTIL + timedelta(minutes=1, seconds=3 * n + place), held + 1
                run = f"scheduled__{due.isoformat()}"
                path = folder / f"dag_id={dag}/run_id={run}/task_id=load/attempt=1.log"
                path.parent.mkdir(parents=True)
                path.write_text(_log(dag, run, at))
    return held


def _log(dag: str, run: str, at: datetime) -> str:
    def head(after_s: int) -> str:
        return f"[{at + timedelta(seconds=after_s):%Y-%m-%dT%H:%M:%S}.000+0000]"

    return (
        f"{head(0)} {{local_task_job_runner.py:123}} INFO - ::group::Pre task execution logs\n"
        f"{head(0)} {{taskinstance.py:2612}} INFO - Dependencies all met for dep_context=non-requeueable deps ti=<TaskInstance: {dag}.load {run} [queued]>\n"
        f"{head(1)} {{taskinstance.py:2865}} INFO - Starting attempt 1 of 1\n"
        f"{head(20)} {{taskinstance.py:352}} INFO - Marking task as SUCCESS. dag_id={dag}, task_id=load, run_id={run}, "
        f"execution_date={at:%Y%m%dT%H%M%S}, start_date={at:%Y%m%dT%H%M%S}, end_date={at:%Y%m%dT%H%M%S}\n"
        f"{head(21)} {{local_task_job_runner.py:266}} INFO - Task exited with return code 0\n"
    )


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("federated")
    snapshots(folder)
    yield folder


def deployment(folder: Path, metrics: Path, name: str, match: str) -> configs.Config:
    told = f"match = '{match}'\n" if match else ""
    path = folder / f"{name}.toml"
    path.write_text(
        f"[deployment]\nname = '{name}'\n[sources.task_logs]\nurl = '{folder / 'logs'}'\n[sources.metrics]\n"
        f"url = '{metrics}'\n{told}[lake]\nurl = '{folder / 'lake'}'\n[report]\nout = '{folder / 'out'}'\n"
    )
    return configs.load(path, {})


def reported(config: configs.Config) -> dict[str, Any]:
    pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, full=True)
    written = pipeline.report(config, week=WEEK, output=QUIET)
    told: dict[str, Any] = json.loads((written.path.parent / "report.json").read_text())
    told["mail"] = (written.path.parent / "email.txt").read_text()
    told["page"] = (written.path.parent / "report.html").read_text()
    return told


def test_without_match_the_labels_to_choose_from_are_named(metrics: Path, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    config = deployment(tmp_path, metrics, "either", "")
    with pytest.raises(ConfigError, match='namespace = "airflow-a", "airflow-b"'):
        pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, full=True)


def test_b_is_told_of_its_dead_scheduler_and_of_no_pool(metrics: Path, tmp_path: Path) -> None:
    held = task_logs(tmp_path / "logs", is_dead=True)
    told = reported(deployment(tmp_path, metrics, "b", '{namespace="airflow-b"}'))
    first = (
        f"The scheduler was silent for 2 h 10 min (Tue 24 Nov 02:00 to 04:10 UTC); {held} runs started late"
    )
    assert held == 5 * 13
    assert told["verdict"] == "worse"
    assert told["verdict_sentence"].startswith(f"Worse: {first}.")
    assert told["findings"][0]["headline"] == first
    assert told["findings"][0]["evidence"]["kind"] == "stall"
    assert first in " ".join(told["mail"].split())
    assert [one["code"] for one in told["findings"] if one["code"].startswith("WS3")] == []
    left_out = told["trust"]["lines"]["Hours left out"]
    assert "2.2 h" in left_out and "pool gauges of this time are not used" in left_out
    assert left_out.split(";")[0] in told["page"].replace("\u00a0", " ")


def test_a_is_told_of_its_pool_and_of_no_scheduler(metrics: Path, tmp_path: Path) -> None:
    assert task_logs(tmp_path / "logs", is_dead=False) == 0
    told = reported(deployment(tmp_path, metrics, "a", '{namespace="airflow-a"}'))
    assert [one["code"] for one in told["findings"] if one["code"] == "WS530"] == []
    (pool,) = [one for one in told["findings"] if one["code"] == "WS301"]
    assert pool["evidence"]["full_share"] == pytest.approx(0.63, abs=0.01)
    assert pool["headline"].startswith("Pool default_pool was full in 63 % of its busy hours")
    assert "Hours left out" not in told["trust"]["lines"]
