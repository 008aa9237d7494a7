"""`windsock doctor`: every row says what was looked at, how it is, and the cheapest step to mend it."""

import json
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from tests.support.object_server import Fault, ObjectServer, Request
from tests.test_setup import MODERN, NOW, THREE, lay
from windsock import cli, config, doctor
from windsock.model import Row

BASE = '[deployment]\nname = "prod"\n'
Look = Callable[..., dict[str, Row]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """The rows of a pipeline file, by what they are about."""

    def rows(toml: str, *, now: datetime = NOW, environ: dict[str, str] | None = None) -> dict[str, Row]:
        path = tmp_path / "w.toml"
        path.write_text(toml, encoding="utf-8")
        found = doctor.doctor(config.load(path, environ or {}), now=now)
        assert all(tuple(row) == doctor.COLUMNS for row in found)
        assert all(row["mend"] for row in found if row["state"] in ("broken", "missing")), found
        return {row["what"]: row for row in found}

    return rows


def test_a_value_is_told_with_its_origin(look: Look) -> None:
    toml = BASE + "[lake]\nshards = 2\n"
    rows = look(toml, environ={"WINDSOCK_LAKE_MEMORY_MB": "1024", "WINDSOCK_REPORT_OUT": "/tmp/out"})
    told = {key: (row["state"], row["detail"]) for key, row in rows.items() if row["kind"] == "value"}
    assert told["lake.shards"] == ("file", "2")
    assert told["lake.memory_mb"] == ("WINDSOCK_LAKE_MEMORY_MB", "1024")
    assert told["report.out"] == ("WINDSOCK_REPORT_OUT", "/tmp/out")
    assert told["lake.url"] == ("default", "./lake")


def test_secrets_are_never_shown(look: Look) -> None:
    toml = (
        BASE
        + '[deliver.slack]\nwebhook_env = "HOOK"\n[storage.s3]\nendpoint_url = "http://u:hunter2FAKE@127.0.0.1:9"\n'
    )
    rows = look(toml, environ={"HOOK": "https://hooks.slack.com/services/T0/B0/FAKEFAKE"})
    assert "FAKE" not in json.dumps(list(rows.values()), default=str)
    assert rows["deliver: slack"]["state"] == "ok"


def test_an_empty_pipeline_is_told_what_to_set_first(look: Look) -> None:
    rows = look(BASE)
    assert rows["task_logs"]["state"] == "missing"
    assert "[sources.task_logs] url" in rows["failures"]["mend"]
    assert "snapshot" in rows["pools and waiting"]["mend"]
    assert rows["deliver"]["state"] == "missing"


def test_sections_tell_from_which_table_and_since_when(demo_folder: Path) -> None:
    found = doctor.doctor(config.load(demo_folder / "demo.toml", {}), now=NOW)
    sections = {row["what"]: row for row in found if row["kind"] == "section"}
    assert sections["failures"]["detail"] == "from task_logs since the week of 2026-09-28"
    assert sections["pools and waiting"]["detail"].startswith(
        "from pool_samples since the week of 2026-09-28"
    )
    assert sections["DAG parse time"]["state"] == "ok"
    assert sections["configuration and versions"]["state"] == "missing"
    assert "airflow_api" in sections["configuration and versions"]["mend"]


def test_a_folder_without_logs_says_what_lies_there_instead(look: Look, tmp_path: Path) -> None:
    lay(tmp_path / "m", {"x.prom": b"airflow_x 1\n"})
    row = look(BASE + "[sources.task_logs]\nurl = 'm'\n")["task_logs"]
    assert row["state"] == "broken"
    assert "metric snapshots" in row["detail"]


def test_a_layout_of_ones_own_is_told_its_template(look: Look, tmp_path: Path) -> None:
    lay(tmp_path / "logs", {"etl/load/scheduled__2026-11-24T00:00:00+00:00/1.log": THREE})
    row = look(BASE + "[sources.task_logs]\nurl = 'logs'\n")["task_logs"]
    assert row["state"] == "broken"
    assert "{{ ti.dag_id }}" in row["mend"]


def test_a_clock_that_is_behind_is_noticed(look: Look, tmp_path: Path) -> None:
    lay(tmp_path / "logs", {MODERN: THREE})
    row = look(BASE + "[sources.task_logs]\nurl = 'logs'\n", now=datetime(2020, 1, 1, tzinfo=UTC))[
        "task_logs"
    ]
    assert row["state"] == "broken"
    assert "clock" in row["mend"]


def test_a_lake_that_cannot_be_made_is_broken(look: Look, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    rows = look(BASE + "[lake]\nurl = 'file/lake'\n")
    assert "broken" in {rows["lake"]["state"], rows.get("lake: permission", {"state": ""})["state"]}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "FAKE")
    with ObjectServer() as server:
        server.put("logs", f"prod/{MODERN}", THREE, modified_at=NOW)
        server.bucket("lake")
        yield server


def on_s3(server: ObjectServer) -> str:
    return BASE + (
        "[sources.task_logs]\nurl = 's3://logs/prod'\n[lake]\nurl = 's3://lake/prod'\n"
        f"[storage.s3]\nendpoint_url = '{server.url}'\n"
    )


def test_a_bucket_is_checked_for_credentials_reading_writing_and_the_clock(
    look: Look, bucket: ObjectServer
) -> None:
    rows = look(on_s3(bucket), now=datetime.now(UTC))
    for what in ("task_logs", "task_logs: permission", "lake: permission", "clock"):
        assert rows[what]["state"] == "ok", rows[what]
    assert rows["task_logs: credentials"]["detail"] == "from env"
    assert rows["lake"]["state"] == "missing"
    assert bucket.keys("lake", prefix="", after="") == []  # what was written to learn that is gone
    late = look(on_s3(bucket), now=datetime.now(UTC) - timedelta(minutes=10))
    assert late["clock"]["state"] == "broken"


def test_what_may_be_listed_but_not_read_is_told_apart(look: Look, bucket: ObjectServer) -> None:
    bucket.on_request = lambda one: (
        Fault("status", 403) if one.method == "GET" and not one.is_listing else None
    )
    rows = look(on_s3(bucket), now=datetime.now(UTC))
    assert rows["task_logs"]["state"] == "ok"
    assert rows["task_logs: permission"]["state"] == "broken"
    assert "GetObject" in rows["task_logs: permission"]["mend"]


def test_a_lake_that_may_only_be_read_is_told(look: Look, bucket: ObjectServer) -> None:
    def read_only(one: Request) -> Fault | None:
        return Fault("status", 403) if one.method == "PUT" else None

    bucket.on_request = read_only
    assert look(on_s3(bucket), now=datetime.now(UTC))["lake: permission"]["state"] == "broken"


def test_a_mail_server_is_greeted_and_sent_nothing(look: Look) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(Sink(), hostname="127.0.0.1", port=port)
    server.start()
    mail = BASE + "[deliver.email]\nto = ['a@example.com']\nsmtp_host = '127.0.0.1'\nsmtp_port = {}\n"
    try:
        assert look(mail.format(port))["deliver: email"]["state"] == "ok"
    finally:
        server.stop()
    row = look(mail.format(port))["deliver: email"]
    assert row["state"] == "broken"
    assert "smtp_host" in row["mend"]


def test_what_is_broken_ends_with_status_2_and_json_holds_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(toml: str) -> tuple[int, list[Row]]:
        (tmp_path / "w.toml").write_text(toml)
        monkeypatch.setattr(sys, "argv", ["windsock", "doctor", str(tmp_path / "w.toml"), "--format", "json"])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return int(caught.value.code or 0), json.loads(capsys.readouterr().out)

    status, rows = run(BASE + "[sources.task_logs]\nurl = 'nowhere'\n")
    assert status == 2
    assert {row["kind"] for row in rows} == {"value", "check", "section"}
    (broken,) = (row for row in rows if row["state"] == "broken")
    assert (broken["what"], "no such folder" in broken["detail"]) == ("task_logs", True)
    assert run(BASE)[0] == 0
