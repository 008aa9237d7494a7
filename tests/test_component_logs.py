"""A pipeline with component logs alone, from folder to answers; rotated, copied and growing files; one folder, two sources."""

import gzip
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from windsock import config as configs
from windsock import pipeline
from windsock.doctor import doctor
from windsock.output import Output
from windsock.setup import init
from windsock.week import Week

WEEK = Week.parse("2026-W48")
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
WRITTEN = NOW - timedelta(hours=1)
QUIET = Output(level=0)


def finished(
    number: int, state: str = "success", *, at: str = "15:24", try_number: int = 1, end: str | None = None
) -> str:
    ended = end or f"2026-11-23 {at}:41.344553+00:00"
    return (
        f"[2026-11-23T{at}:47.689+0000] {{scheduler_job_runner.py:813}} INFO - TaskInstance Finished: dag_id=etl, task_id=t{number}, "
        f"run_id=scheduled__2026-11-23T15:21:00+00:00, map_index=-1, run_start_date=2026-11-23 {at}:35.793906+00:00, "
        f"run_end_date={ended}, run_duration=5.5, state={state}, executor=CeleryExecutor(parallelism=8), "
        f"executor_state=success, try_number={try_number}, max_tries=0, job_id=64, pool=warehouse, queue=default, priority_weight=2, "
        f"operator=PythonOperator, queued_dttm=2026-11-23 {at}:30.962796+00:00, queued_by_job_id=62, pid=698\n"
    )


def took(second: int, seconds: float) -> str:
    return f"[2026-11-23T15:20:{second:02}.166+0000] {{processor.py:208}} INFO - Processing /dags/etl.py took {seconds} seconds\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    os.utime(path, (WRITTEN.timestamp(), WRITTEN.timestamp()))
    return path


def load(tmp_path: Path, sources: str) -> configs.Config:
    path = tmp_path / "prod.toml"
    path.write_text(f"[deployment]\nname = 'prod'\n{sources}\n[lake]\nurl = 'lake'\n")
    return configs.load(path, {})


@pytest.fixture
def only(tmp_path: Path) -> configs.Config:
    """Component logs are the only source."""
    return load(tmp_path, "[sources.component_logs]\nurl = 'logs'")


def pull(config: configs.Config, *, hours: int = 0) -> Any:
    return pipeline.pull(config, now=NOW + timedelta(hours=hours), week=WEEK, output=QUIET, full=True)


def ask(config: configs.Config, sql: str = "", question: str = "") -> tuple[dict[str, Any], ...]:
    return pipeline.ask(config, question=question, sql=sql, week=WEEK).rows


def test_a_pipeline_with_component_logs_alone_knows_tries_and_parse_time(
    tmp_path: Path, only: configs.Config
) -> None:
    write(tmp_path / "logs/scheduler.log", finished(1) + finished(2, "failed"))
    write(tmp_path / "logs/scheduler/2026-11-23/etl.py.log.gz", took(1, 2.5) + took(9, 7.5))
    done = pull(only)
    assert (done.read, done.rejected) == (2, 0)
    (row,) = ask(only, question="parse_time_by_file")
    assert (row["source"], row["dag_file"], row["samples"], row["median_s"]) == (
        "processor_log",
        "/dags/etl.py",
        2,
        5.0,
    )
    tries = ask(
        only,
        "select task_id, state, has_log, pool, executor, duration_s, week from task_tries order by task_id",
    )
    assert [(row["task_id"], row["state"], row["has_log"], row["pool"]) for row in tries] == [
        ("t1", "success", False, "warehouse"),
        ("t2", "failed", False, "warehouse"),
    ]
    assert tries[0]["duration_s"] == pytest.approx(5.550647)
    assert pull(only).read == 0


def test_a_list_of_folders_and_a_list_of_wrappers_tell_each_fact_once(tmp_path: Path) -> None:
    """The same lines as file, as rotated copy, as gzip, and as docker's JSON."""
    config = load(tmp_path, "[sources.component_logs]\nurl = ['a', 'b']")
    text = (
        took(1, 2.5)
        + finished(1)
        + "[2026-11-23T15:30:00.000+0000] {scheduler_job_runner.py:1} INFO - Run r of etl has timed-out\n"
    )
    write(tmp_path / "a/scheduler.log", text)
    write(tmp_path / "a/scheduler.log.1", text + took(30, 4.0))
    write(tmp_path / "b/scheduler.log.2.gz", text)
    lines = (
        f'{{"log": "{line}\\n", "stream": "stdout", "time": "2026-11-23T15:30:00Z"}}\n'
        for line in text.splitlines()
    )
    write(tmp_path / "b/container.json", "".join(lines))
    assert pull(config).read == 4
    counts = "select (select count(*) from parse_samples), (select count(*) from task_instances), (select count(*) from component_events)"
    (row,) = ask(config, counts)
    assert tuple(row.values()) == (2, 1, 1)


def test_the_newest_telling_of_a_try_wins_whichever_file_holds_it(
    tmp_path: Path, only: configs.Config
) -> None:
    write(tmp_path / "logs/z-older.log", finished(1, "running", at="15:24", end="None"))
    write(tmp_path / "logs/a-newer.log", finished(1, "failed", at="15:24").replace("T15:24:47", "T15:26:10"))
    pull(only)
    (row,) = ask(only, "select state from task_tries")
    assert row["state"] == "failed"


def test_a_zombie_marked_in_the_processors_log_gives_its_try_a_state(
    tmp_path: Path, only: configs.Config
) -> None:
    write(tmp_path / "logs/scheduler.log", finished(1, "running", end="None"))
    write(
        tmp_path / "logs/scheduler/2026-11-23/etl.py.log",
        "[2026-11-23T15:26:17.996+0000] {logging_mixin.py:190} INFO - [2026-11-23T15:26:17.996+0000] {taskinstance.py:1242} INFO - "
        "Marking task as UP_FOR_RETRY. dag_id=etl, task_id=t1, run_id=scheduled__2026-11-23T15:21:00+00:00, "
        "execution_date=20261123T152100, start_date=20261123T152435, end_date=20261123T152617\n",
    )
    pull(only)
    (row,) = ask(only, "select state, pool from task_tries")
    assert (row["state"], row["pool"]) == ("up_for_retry", "warehouse")


def test_airflows_own_log_folder_may_be_both_sources(tmp_path: Path) -> None:
    config = load(tmp_path, "[sources.task_logs]\nurl = 'logs'\n[sources.component_logs]\nurl = 'logs'")
    key = "dag_id=etl/run_id=scheduled__2026-11-23T15:21:00+00:00/task_id=t1/attempt=1.log"
    task_log = (
        "[2026-11-23T15:24:36.000+0000] {standard_task_runner.py:60} INFO - Started process 1 to run task\n"
        "[2026-11-23T15:24:41.000+0000] {taskinstance.py:1240} INFO - Marking task as SUCCESS. dag_id=etl, task_id=t1, "
        "run_id=scheduled__2026-11-23T15:21:00+00:00, execution_date=20261123T152100, start_date=20261123T152435, end_date=20261123T152441\n"
    )
    write(tmp_path / "logs" / key, task_log)
    write(tmp_path / "logs/scheduler/2026-11-23/etl.py.log", took(1, 2.5))
    write(tmp_path / "logs/scheduler.log", finished(1) + finished(2, "failed"))
    done = pull(config)
    assert (done.listed, done.read, done.ignored, done.rejected) == (3, 3, 0, 0)
    ledger = ask(config, "select kind, outcome, count(*) as n from objects group by all order by all")
    assert [tuple(row.values()) for row in ledger] == [
        ("component_logs", "parsed", 2),
        ("task_logs", "parsed", 1),
    ]
    tries = ask(config, "select task_id, state, has_log, pool from task_tries order by task_id")
    assert [tuple(row.values()) for row in tries] == [
        ("t1", "success", True, "warehouse"),
        ("t2", "failed", False, "warehouse"),
    ]
    (lost,) = ask(config, question="lost_tries")
    assert (lost["task_id"], lost["event"]) == ("t2", None)
    assert pull(config).read == 0


def test_what_is_no_component_log_is_a_reject_and_the_pull_goes_on(
    tmp_path: Path, only: configs.Config
) -> None:
    write(tmp_path / "logs/scheduler.log", finished(1))
    write(tmp_path / "logs/airflow.cfg", "[core]\ndags_folder = /dags\n")
    done = pull(only)
    assert (done.read, done.rejected) == (1, 1)
    assert [reason for _url, reason in done.rejects] == ["not_component_log"]


def test_doctor_says_whether_a_folder_holds_component_logs(tmp_path: Path) -> None:
    config = load(tmp_path, "[sources.component_logs]\nurl = ['logs', 'any-name', 'empty']")
    write(tmp_path / "logs/scheduler.log", finished(1))
    write(tmp_path / "any-name/pod-7f.json", finished(1))
    (tmp_path / "empty").mkdir()
    rows = [row for row in doctor(config, now=NOW) if row["what"] == "component_logs"]
    assert [row["state"] for row in rows] == ["ok", "ok", "broken"]


def test_what_init_writes_for_airflows_log_folder_can_be_pulled(tmp_path: Path) -> None:
    key = "dag_id=etl/run_id=scheduled__2026-11-23T15:21:00+00:00/task_id=t1/attempt=1.log"
    write(
        tmp_path / "logs" / key,
        "[2026-11-23T15:24:36.000+0000] {standard_task_runner.py:60} INFO - Started process 1 to run task\n",
    )
    write(tmp_path / "logs/scheduler/2026-11-23/etl.py.log", took(1, 2.5))
    done = init([str(tmp_path / "logs")], name="prod", out=tmp_path / "made.toml", now=NOW)
    assert "[sources.component_logs]" in done.path.read_text()
    config = configs.load(done.path, {})
    assert pull(config).read == 2


def test_a_log_that_grows_is_read_on_and_keeps_what_it_told_when_it_is_truncated(
    tmp_path: Path, only: configs.Config
) -> None:
    path = tmp_path / "logs/scheduler.log"
    first, second = ("".join(finished(no) for no in numbers) for numbers in (range(2000), range(2000, 2100)))
    write(path, first)
    assert pull(only).read == 1
    write(path, first + second)
    assert pull(only, hours=1).read == 1
    parts = ask(only, "select size, rows from objects where kind = 'component_log_part' order by size desc")
    assert [tuple(row.values()) for row in parts] == [(len(first), 1999), (len(second), 100)]
    (row,) = ask(only, "select count(*) as n, count(distinct task_id) as tasks from task_tries")
    assert (row["n"], row["tasks"]) == (2100, 2100)
    write(path, finished(5000))
    pull(only, hours=2)
    (row,) = ask(only, "select count(*) as n from task_tries")
    assert row["n"] == 2100  # the last record of the old file stood open, and its rotated copy is not here
    assert pull(only, hours=3).read == 0


def test_the_known_head_of_a_log_is_not_fetched_again(tmp_path: Path, only: configs.Config) -> None:
    """Shown by a head that nobody could read any more: its bytes are gone from the disk, its facts are not."""
    path = tmp_path / "logs/scheduler.log"
    first, second = ("".join(finished(no) for no in numbers) for numbers in (range(2500), range(2500, 2600)))
    write(path, first)
    pull(only)
    path.write_bytes(b"\0" * 800_000 + (first + second).encode()[800_000:])
    summary = pull(only, hours=1)
    assert summary.read == 1
    assert summary.bytes < 400_000  # what is new, and some lines before it
    (row,) = ask(only, "select count(*) as n, count(distinct task_id) as tasks from task_tries")
    assert (row["n"], row["tasks"]) == (2600, 2600)


def test_a_log_of_the_same_size_with_another_text_is_read_whole(tmp_path: Path, only: configs.Config) -> None:
    path = tmp_path / "logs/scheduler.log"
    write(path, "".join(finished(no) for no in range(10_000, 12_500)))
    pull(only)
    path.write_text(
        "".join(finished(no) for no in range(20_000, 22_600))
    )  # rotated away: a later log has its name
    summary = pull(only, hours=1)
    assert summary.bytes == path.stat().st_size
    (row,) = ask(
        only,
        "select count(distinct task_id) as n from task_tries where cast(substr(task_id, 2) as integer) >= 20000",
    )
    assert row["n"] == 2600
