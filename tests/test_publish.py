"""From week to week through the lake: history on machines that forget, revisions, acceptances, the list of weeks."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from windsock import config as configs
from windsock import pipeline, publish
from windsock.config import Config
from windsock.errors import ConfigError
from windsock.model import Answer
from windsock.output import Output
from windsock.week import Week

pytestmark = pytest.mark.long

FIRST, SECOND = Week.parse("2026-W47"), Week.parse("2026-W48")
NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
QUIET = Output(level=0)


def write_log(root: Path, dag: str, at: datetime, *, is_failed: bool) -> None:
    run = f"scheduled__{at.isoformat()}"
    path = root / f"dag_id={dag}/run_id={run}/task_id=load/attempt=1.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"[{at:%Y-%m-%dT%H:%M:%S}.000+0000] {{"
    state = "FAILED" if is_failed else "SUCCESS"
    path.write_text(
        f"{head}standard_task_runner.py:72}} INFO - Started process 1 to run task\n"
        f"{head}taskinstance.py:1}} INFO - Marking task as {state}. dag_id={dag}, task_id=load, run_id={run}\n"
    )
    os.utime(path, (at.timestamp(), at.timestamp()))


@pytest.fixture
def made(tmp_path: Path) -> Config:
    """`etl` runs 30 times a week: fine in W43 to W46, half lost in W47 and W48."""
    for back in range(6):
        for number in range(30):
            at = SECOND.minus(back).from_at + timedelta(hours=5 * number)
            write_log(tmp_path / "logs", "etl", at, is_failed=back < 2 and number % 2 == 0)
    return load(tmp_path)


def load(folder: Path, more: str = "") -> Config:
    path = folder / "prod.toml"
    path.write_text(
        "[deployment]\nname = 'prod'\n[sources.task_logs]\nurl = 'logs'\n[lake]\nurl = 'lake'\n"
        f"[report]\nout = 'out'\n{more}\n[deliver.files]\nurl = 'shared'\n"
    )
    return configs.load(path, {})


def report(config: Config, week: Week, *, is_pulled: bool = True) -> dict[str, Any]:
    if is_pulled:
        pipeline.pull(config, now=NOW, week=week, output=QUIET, full=True)
    pipeline.report(config, week=week, output=QUIET)
    told: dict[str, Any] = json.loads((config.out / str(week) / "report.json").read_text())
    return told


def finding(body: dict[str, Any], code: str = "WS101") -> dict[str, Any]:
    (one,) = (one for one in body["findings"] if one["code"] == code)
    return dict(one)


@pytest.mark.parametrize("is_sent", [True, False], ids=["delivered", "only rendered"])
def test_a_machine_that_forgets_finds_last_week_in_the_lake(made: Config, is_sent: bool) -> None:
    assert finding(report(made, FIRST))["status"] == "new"
    if is_sent:
        pipeline.send([made], week=FIRST, now=NOW)
    shutil.rmtree(made.out)
    told = finding(report(made, SECOND, is_pulled=False))
    assert (told["status"], told["weeks"], told["since_week"]) == ("still", 2, "2026-W47")


def test_a_week_without_a_report_does_not_make_old_problems_new(made: Config) -> None:
    report(made, FIRST)
    later = FIRST.minus(-3)
    for number in range(30):
        write_log(
            made.path.parent / "logs",
            "etl",
            later.from_at + timedelta(hours=5 * number),
            is_failed=number % 2 == 0,
        )
    told = finding(report(made, later))
    assert (told["status"], told["weeks"]) == ("still", 4)


def test_late_logs_mark_a_delivered_week_as_revised_and_again_gives_the_same_bytes(made: Config) -> None:
    was = report(made, FIRST)
    pipeline.send([made], week=FIRST, now=NOW)
    assert report(made, FIRST) == was
    for number in range(6):
        at = FIRST.from_at + timedelta(hours=5 * number, minutes=7)
        write_log(made.path.parent / "logs", "etl", at, is_failed=True)
    now = report(made, FIRST)
    assert now["revised"] is True
    assert any("21 of 36" in one for one in now["revisions"])
    path = made.out / str(FIRST) / "report.html"
    first = path.read_bytes()
    report(made, FIRST)
    assert path.read_bytes() == first
    assert b"Revised" in first


def test_a_week_that_nobody_was_sent_is_no_revision(made: Config) -> None:
    report(made, FIRST)
    write_log(made.path.parent / "logs", "etl", FIRST.from_at + timedelta(minutes=7), is_failed=True)
    assert report(made, FIRST)["revised"] is False


def test_accepted_toml_is_read_beside_the_pipeline_file(made: Config) -> None:
    folder = made.path.parent
    (folder / "accepted.toml").write_text(
        '[[accepted]]\nid = "WS101:etl"\nreason = "known"\nuntil = 2027-01-01\nby = "ana"\n'
    )
    body = report(load(folder, "accepted = 'accepted.toml'"), FIRST)
    assert (finding(body)["status"], body["verdict"], body["actions"]) == ("accepted", "same", [])


def test_an_accepted_toml_that_is_not_there_is_told(made: Config) -> None:
    config = load(made.path.parent, "accepted = 'none.toml'")
    with pytest.raises(ConfigError, match=r"none\.toml: \[report\] accepted cannot be read"):
        report(config, FIRST)


def test_the_weeks_are_listed_newest_first(made: Config) -> None:
    report(made, FIRST)
    report(made, SECOND)
    (made.out / "2026-W01").mkdir()
    (made.out / "2026-W01/report.json").write_text("{")  # half a report must not spoil the list
    report(made, SECOND)
    listed = (made.out / "index.html").read_text()
    assert listed.index("2026-W48/report.html") < listed.index("2026-W47/report.html")
    assert "2026-W01" not in listed


def test_out_takes_the_four_files_and_nothing_else(made: Config, tmp_path: Path) -> None:
    pipeline.pull(made, now=NOW, week=FIRST, output=QUIET, full=True)
    pipeline.report(made, week=FIRST, output=QUIET, out=tmp_path / "here")
    names = {"report.html", "email.html", "email.txt", "report.json"}
    assert {path.name for path in (tmp_path / "here").iterdir()} == names
    assert not made.out.exists()


def owners_of(config: Config, dag_ids: list[str]) -> dict[str, str]:
    told = (("etl", "ops"), ("orders", "sales"))
    answers = {
        "failure_rate_by_dag": Answer("q", ("dag_id",), tuple({"dag_id": one} for one in dag_ids)),
        "dag_owners": Answer(
            "dag_owners", ("dag_id", "owner"), tuple({"dag_id": one, "owner": who} for one, who in told)
        ),
    }
    store = pipeline.open_lake(config, create=True).store
    return dict(publish.material(config, answers, store=store).owner_of)


def test_airflow_s_own_owners_stand_behind_those_of_the_pipeline_file(tmp_path: Path) -> None:
    config = load(tmp_path, "[owners]\n'etl*' = 'data@example.com'\n")
    assert owners_of(config, ["etl", "orders", "other"]) == {"etl": "data@example.com", "orders": "sales"}


def test_with_hashed_names_airflow_s_owners_stay_inside(tmp_path: Path) -> None:
    config = load(tmp_path, "hash_ids = true\n")
    assert owners_of(config, ["etl", "orders"]) == {}
