"""`[sources.airflow_config]`: from a file to the lake, the change ledger, the page; again and again without doubling."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from windsock import config as configs
from windsock import pipeline
from windsock.doctor import doctor
from windsock.output import Output
from windsock.week import Week

WEEK = Week.parse("2026-W47")
NOW = datetime(2026, 11, 18, 6, tzinfo=UTC)
QUIET = Output(level=0)
SECRET = "FAKE-password"
CFG = f"[database]\nsql_alchemy_conn = postgresql://airflow:{SECRET}@db/airflow\n[core]\nparallelism = 32\n"


@pytest.fixture
def config(tmp_path: Path) -> configs.Config:
    """A deployment with one task log and an airflow.cfg."""
    log = tmp_path / "logs/dag_id=a/run_id=scheduled__2026-11-18T00:00:00+00:00/task_id=t/attempt=1.log"
    log.parent.mkdir(parents=True)
    log.write_text(
        "[2026-11-18T00:00:01.000+0000] {taskinstance.py:1} INFO - Executing <Task(BashOperator): t> on 2026-11-18\n"
        "[2026-11-18T00:00:09.000+0000] {taskinstance.py:1} INFO - Marking task as SUCCESS. dag_id=a, task_id=t\n"
    )
    (tmp_path / "airflow.cfg").write_text(CFG)
    path = tmp_path / "prod.toml"
    path.write_text(
        "[deployment]\nname = 'prod'\n[sources.task_logs]\nurl = 'logs'\n[sources.airflow_config]\nurl = 'airflow.cfg'\n"
        "[report]\nout = 'out'\n"
    )
    return configs.load(path, {})


def pull(config: configs.Config, now: datetime = NOW, output: Output = QUIET) -> None:
    pipeline.pull(config, now=now, week=WEEK, output=output)


def facts(config: configs.Config) -> list[tuple[Any, ...]]:
    sql = (
        "select key, value, seen_at from deployments where starts_with(key, 'config.') order by key, seen_at"
    )
    return [tuple(row.values()) for row in pipeline.ask(config, question="", sql=sql, week=WEEK).rows]


def test_a_file_is_read_once_a_day_and_when_it_changes(config: configs.Config) -> None:
    pull(config)
    pull(config, NOW + timedelta(hours=1))
    assert facts(config) == [("config.core.parallelism", "32", NOW)]
    (config.path.parent / "airflow.cfg").write_text(CFG.replace("32", "48"))
    changed_at = NOW + timedelta(hours=2)
    pull(config, changed_at)
    assert facts(config) == [
        ("config.core.parallelism", "32", NOW),
        ("config.core.parallelism", "48", changed_at),
    ]
    changes = pipeline.ask(config, question="changes_of_week", sql="", week=WEEK).rows
    assert [(row["subject"], row["before"], row["after"]) for row in changes if row["kind"] == "setting"] == [
        ("core.parallelism", "32", "48")
    ]
    pull(config, NOW + timedelta(days=1))
    assert len(facts(config)) == 3
    held = pipeline.ask(config, question="settings_of_week", sql="", week=WEEK).rows
    assert next(row for row in held if row["setting"] == "parallelism") == next(iter(held))
    assert (held[0]["setting_value"], held[0]["origin"], held[0]["since_at"]) == (
        "48",
        "told by a file",
        changed_at,
    )


def test_no_secret_reaches_the_lake_or_the_report(config: configs.Config) -> None:
    pull(config)
    written = pipeline.report(config, week=WEEK, output=QUIET)
    files = [path for path in config.path.parent.rglob("*") if path.is_file() and path.name != "airflow.cfg"]
    assert files
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    assert "[core] parallelism" in (written.path.parent / "report.html").read_text()


@pytest.mark.parametrize(
    ("text", "why"),
    [(None, "is not there"), ("[core]\n# parallelism = \n", "--show-values"), ("9" * (5 << 20), "too large")],
)
def test_a_file_that_tells_nothing_is_said_and_costs_no_pull(
    config: configs.Config, capsys: pytest.CaptureFixture[str], text: str | None, why: str
) -> None:
    path = config.path.parent / "airflow.cfg"
    path.unlink() if text is None else path.write_text(text)
    pull(config, output=Output())
    assert why in capsys.readouterr().err
    assert facts(config) == []
    rows = [row for row in doctor(config, now=NOW) if row["what"] == "airflow_config"]
    assert [row["state"] for row in rows] == ["broken"]


def test_doctor_counts_what_a_file_tells_and_says_what_one_would_bring(config: configs.Config) -> None:
    (row,) = [row for row in doctor(config, now=NOW) if row["what"] == "airflow_config"]
    assert (row["state"], "1 setting" in row["detail"]) == ("ok", True)
    bare = config.path.with_name("bare.toml")
    bare.write_text("[deployment]\nname = 'prod'\n[sources.task_logs]\nurl = 'logs'\n")
    (row,) = [row for row in doctor(configs.load(bare, {}), now=NOW) if row["what"] == "airflow_config"]
    assert row["state"] == "missing"
    assert "airflow config list" in row["mend"]


def test_a_dead_setting_of_the_file_is_found(config: configs.Config) -> None:
    env = "AIRFLOW_VERSION=3.3.2\nAIRFLOW__SCHEDULER__PARSING_PROCESSES=8\n"
    (config.path.parent / "airflow.cfg").write_text(env)
    pull(config)
    written = pipeline.report(config, week=WEEK, output=QUIET)
    report = json.loads((written.path.parent / "report.json").read_text())
    (one,) = [one for one in report["findings"] if one["code"] == "WS614"]
    assert one["evidence"]["apply"] == "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES=8"


def test_an_upgrade_that_the_file_tells_is_told_with_what_it_changed(config: configs.Config) -> None:
    path = config.path.parent / "airflow.cfg"
    for version, days in (("2.11.2", -1), ("3.1.6", 0)):
        path.write_text(f"AIRFLOW_VERSION={version}\nAIRFLOW__CORE__PARALLELISM=32\n")
        pull(config, NOW + timedelta(days=days))
    written = pipeline.report(config, week=WEEK, output=QUIET)
    report = json.loads((written.path.parent / "report.json").read_text())
    (one,) = [one for one in report["findings"] if one["code"] == "WS621"]
    assert one["headline"].startswith("Airflow 2.11.2 → 3.1.6 changed the meaning of ")
    assert any(line.startswith("max_active_tasks, since 3.0.0: ") for line in one["evidence"]["meanings"])
    assert [
        one for one in report["findings"] if one["code"] == "WS620"
    ] == []  # a day of one run is not enough
