"""`windsock doctor`: every row says what was looked at, how it is, and the cheapest step to mend it."""

import base64
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from tests.support.airflow_server import FakeAirflow
from tests.support.airflow_server import load as load_airflow
from tests.support.airflow_server import serve as serve_airflow
from tests.support.object_server import Fault, ObjectServer, Request
from tests.support.servers import aws_server, free_port
from tests.test_setup import MODERN, NOW, THREE, answering, lay
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
    assert rows["lateness"]["state"] == "missing"
    assert "airflow_api" in rows["lateness"]["mend"]
    assert rows["deliver"]["state"] == "missing"


def test_sections_tell_from_which_table_and_since_when(demo_folder: Path) -> None:
    found = doctor.doctor(config.load(demo_folder / "demo.toml", {}), now=NOW)
    sections = {row["what"]: row for row in found if row["kind"] == "section"}
    assert sections["failures"]["detail"] == "from task_logs since the week of 2026-09-28"
    assert sections["pools and waiting"]["detail"].startswith(
        "from pool_samples since the week of 2026-09-28"
    )
    assert sections["DAG parse time"]["state"] == "ok"
    assert sections["configuration and versions"]["detail"].startswith("from deployments since the week of")
    # the scheduler's log of the sample is that of its last week
    assert (
        sections["lateness"]["detail"] == "from dag_runs since the week of 2026-11-16, told by component_logs"
    )


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
        "task_logs: arriving"
    ]
    assert row["state"] == "broken"
    assert "clock" in row["mend"]


@pytest.mark.parametrize(
    ("zone", "set_to", "detail"),
    [
        (9, "", "9.0 hours later than their upload, read as UTC"),
        (-8, "", "8.0 hours earlier than their upload, read as UTC"),
        (5.5, "", "5.5 hours later"),
        (0, "", None),
        (9, "Asia/Tokyo", None),
        (0, "Asia/Tokyo", "9.0 hours earlier than their upload, read as Asia/Tokyo"),
    ],
)
def test_a_zone_that_nobody_told_is_noticed(
    look: Look, tmp_path: Path, zone: float, set_to: str, detail: str | None
) -> None:
    """Logs of Airflow 2.2 have local stamps without zone."""
    ended = [NOW - timedelta(days=days, minutes=7 * days) for days in range(1, 7)]
    _local_logs(tmp_path, [(at, at) for at in ended], zone)
    told = f"timezone = '{set_to}'\n" if set_to else ""
    rows = look(BASE + f"[sources.task_logs]\nurl = 'logs'\n{told}")
    found = rows.get("task_logs: clock")
    assert (found is not None) == (detail is not None)
    if found is not None and detail is not None:
        assert found["state"] == "watch" and detail in found["detail"] and "timezone" in found["mend"]


def test_a_copy_of_old_logs_is_no_zone(look: Look, tmp_path: Path) -> None:
    ended = [NOW - timedelta(days=days) for days in range(1, 7)]
    _local_logs(tmp_path, [(at, NOW) for at in ended], 0)
    assert "task_logs: clock" not in look(BASE + "[sources.task_logs]\nurl = 'logs'\n")


def _local_logs(root: Path, times: list[tuple[datetime, datetime]], zone: float) -> None:
    """Logs that end, and were uploaded, at these times, in a clock that is so many hours before UTC."""
    for ended_at, uploaded_at in times:
        stamp = f"{ended_at + timedelta(hours=zone):%Y-%m-%d %H:%M:%S},000"
        path = root / f"logs/etl/load/{ended_at.isoformat()}/1.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"[{stamp}] {{taskinstance.py:1018}} INFO - Starting attempt 1 of 1\n"
            f"[{stamp}] {{taskinstance.py:1211}} INFO - Marking task as SUCCESS. dag_id=etl, task_id=load, "
            f"execution_date={ended_at:%Y%m%dT%H%M%S}\n"
        )
        os.utime(path, (uploaded_at.timestamp(), uploaded_at.timestamp()))


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


# what a store answers → which row, and what its mend must name; answers are those of Amazon S3
REFUSALS = {
    "wrong region by redirect": ("list", Fault("status", 301, code="PermanentRedirect"), "task_logs", "region"),
    "wrong region by signature": (
        "list",
        Fault("status", 400, code="AuthorizationHeaderMalformed", message="the region 'us-east-1' is wrong; expecting 'eu-central-1'"),
        "task_logs",
        'region = "eu-central-1"',
    ),
    "no permission to list": ("list", Fault("status", 403), "task_logs", "s3:ListBucket"),
    "expired credentials": ("list", Fault("status", 400, code="ExpiredToken", message="The provided token has expired."), "task_logs", "renew"),
    "unknown key id": ("list", Fault("status", 403, code="InvalidAccessKeyId"), "task_logs", "get-caller-identity"),
    "clock of this machine": ("list", Fault("status", 403, code="RequestTimeTooSkewed"), "task_logs", "clock"),
    "archived objects": ("read", Fault("status", 403, code="InvalidObjectState", message="The operation is not valid for the object's storage class"),
                         "task_logs: permission", "restore"),
    "a key that cannot decrypt": ("read", Fault("status", 403, message="User: arn:aws:iam::1:user/FAKE is not authorized to perform: kms:Decrypt"),
                                  "task_logs: permission", "kms:Decrypt"),
    "a key that was disabled": ("read", Fault("status", 400, code="KMS.DisabledException"), "task_logs: permission", "kms:Decrypt"),
    "no permission to read": ("read", Fault("status", 403), "task_logs: permission", "s3:GetObject"),
}  # fmt: skip


@pytest.mark.parametrize(("on", "fault", "what", "mend"), REFUSALS.values(), ids=REFUSALS.keys())
def test_each_refusal_of_a_store_is_told_with_its_mend(
    look: Look, bucket: ObjectServer, on: str, fault: Fault, what: str, mend: str
) -> None:
    def refuse(one: Request) -> Fault | None:
        return fault if one.bucket == "logs" and one.is_listing == (on == "list") else None

    bucket.on_request = refuse
    row = look(on_s3(bucket), now=datetime.now(UTC))[what]
    assert row["state"] == "broken"
    assert mend in row["mend"]


def test_an_empty_bucket_is_told_as_remote_logging_that_is_off(look: Look, bucket: ObjectServer) -> None:
    bucket.delete("logs", f"prod/{MODERN}")
    row = look(on_s3(bucket), now=datetime.now(UTC))["task_logs"]
    assert row["state"] == "broken"
    assert "no object at all" in row["detail"]
    assert "remote_logging = True" in row["mend"]


def test_old_logs_in_an_archive_are_found_behind_readable_new_ones(look: Look, bucket: ObjectServer) -> None:
    """Real S3 semantics by moto would need a clock; the server here refuses what is old, as Glacier does."""
    old = "dag_id=etl/run_id=scheduled__2020-01-01T00:00:00+00:00/task_id=load/attempt=1.log"
    bucket.put("logs", f"prod/{old}", THREE, modified_at=datetime(2020, 1, 1, tzinfo=UTC))
    archived = Fault("status", 403, code="InvalidObjectState")
    bucket.on_request = lambda one: archived if "2020" in one.key else None
    rows = look(on_s3(bucket), now=NOW)
    assert rows["task_logs"]["state"] == "ok"
    assert rows["task_logs: permission"]["detail"].startswith("1 of 2 logs lie in archive storage")
    assert rows["task_logs: dialect"]["detail"].startswith("written by airflow3")


def test_objects_in_glacier_are_told_by_a_real_s3_interface(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "FAKE")
    with aws_server() as url:
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        client.create_bucket(Bucket="logs")
        client.create_bucket(Bucket="lake")
        client.put_object(Bucket="logs", Key=f"prod/{MODERN}", Body=THREE, StorageClass="GLACIER")
        toml = BASE + (
            "[sources.task_logs]\nurl = 's3://logs/prod'\n[lake]\nurl = 's3://lake'\n"
            f"[storage.s3]\nendpoint_url = '{url}'\n"
        )
        row = look(toml, now=datetime.now(UTC))["task_logs: permission"]
    assert row["state"] == "broken"
    assert "Glacier" in row["detail"]


def test_a_session_token_in_the_environment_is_watched(
    look: Look, bucket: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "FAKE")
    row = look(on_s3(bucket), now=datetime.now(UTC))["task_logs: credentials"]
    assert row["state"] == "watch"
    assert "role" in row["mend"]
    assert "FAKE" not in json.dumps(row)


def metrics_of(folder: Path, text: str) -> str:
    lay(folder / "m", {"2026-11-24/120000.prom": text.encode()})
    return BASE + "[sources.metrics]\nurl = 'm'\n"


HEART = "airflow_scheduler_heartbeat 7\n"
POOLS = 'airflow_pool_open_slots{pool="db"} 3\nairflow_pool_scheduled_slots{pool="db"} 1\n'
PARSES = 'airflow_dag_processing_last_duration{dag_file="etl"} 0.4\n'
METRICS = {
    "whole": (HEART + POOLS + PARSES, {}),
    "no pools": (HEART + PARSES, {"metrics: pools": "metrics_allow_list"}),
    "pools without names": (HEART + "airflow_pool_open_slots 3\n", {"metrics: pools": "pool_name"}),
    "a mapping that drops parse time": (
        HEART + POOLS + 'airflow_dag_processing_last_run_seconds_ago{dag_file="etl"} 12\n',
        {"metrics: parse time": "last_duration"},
    ),
    "files mixed": (HEART + POOLS + "airflow_dag_processing_last_duration 0.4\n", {"metrics: parse time": "file_name"}),
    "no heartbeat": (POOLS + PARSES, {"metrics: heartbeat": "metrics_allow_list"}),
    "an Airflow before 2.10": (HEART + 'airflow_pool_open_slots{pool="db"} 3\n' + PARSES, {"metrics: waiting": "2.10"}),
    "two Airflows": (
        'airflow_scheduler_heartbeat{namespace="a"} 7\nairflow_scheduler_heartbeat{namespace="b"} 7\n' + POOLS + PARSES,
        {"metrics: deployments": "match = '{namespace=\"a\"}'"},
    ),
    "somebody else's": ("node_cpu_seconds_total 4\n", {"metrics: heartbeat": "emit it"}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "mends"), METRICS.values(), ids=METRICS.keys())
def test_what_metrics_lack_is_told_with_its_mend(
    look: Look, tmp_path: Path, text: str, mends: dict[str, str]
) -> None:
    rows = look(metrics_of(tmp_path, text))
    lacking = {
        what: row["mend"]
        for what, row in rows.items()
        if what.startswith("metrics: ") and row["state"] != "ok" and row["what"] != "metrics: arriving"
    }
    for what, mend in mends.items():
        assert mend in lacking[what]
    if not mends:
        assert lacking == {}


def jwt(ends_at: datetime) -> str:
    """A token as Airflow 3 makes them; the signature is not ours to check."""
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "1", "exp": ends_at.timestamp()}).encode())
    return f"e30.{claims.decode().rstrip('=')}.FAKE"


@pytest.mark.parametrize(
    ("lasts", "state"),
    [(timedelta(days=-1), "broken"), (timedelta(hours=24), "watch"), (timedelta(days=90), "ok")],
)
def test_a_token_that_ends_before_the_next_report_is_told(look: Look, lasts: timedelta, state: str) -> None:
    toml = BASE + f"[sources.airflow_api]\nurl = 'http://127.0.0.1:{free_port()}'\ntoken_env = 'T'\n"
    token = jwt(NOW + lasts)
    # nobody listens there: the token is judged by what it says itself
    row = _without_waiting(look, toml, {"T": token})["airflow_api: token"]
    assert row["state"] == state
    assert token not in json.dumps(row)


def _without_waiting(look: Look, toml: str, environ: dict[str, str]) -> dict[str, Row]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("windsock.sources.airflow_api.client.BACKOFF_S", (0.0,))
        return look(toml, environ=environ)


@pytest.mark.parametrize("major", [2, 3])
def test_airflow_that_says_remote_logging_is_off_is_believed(look: Look, tmp_path: Path, major: int) -> None:
    fake = load_airflow(major)
    off = {"name": "logging", "options": [{"key": "remote_logging", "value": "False"}]}
    fake.single["config"]["sections"].append(off)
    lay(tmp_path / "logs", {MODERN: THREE})
    row = _with_api(look, fake)["task_logs: arriving"]
    assert row["state"] == "broken"
    assert "remote_logging = False" in row["detail"]


def test_runs_without_logs_are_told_as_remote_logging_that_fails(look: Look, tmp_path: Path) -> None:
    fake = load_airflow(3)
    fake.single["config"] = {"sections": []}
    began = max(one["start_date"] for one in fake.lists["dag_runs"] if one["start_date"])
    lay(tmp_path / "logs", {MODERN: THREE})
    os.utime(tmp_path / "logs" / MODERN, (0, 0))
    now = datetime.fromisoformat(began) + timedelta(hours=12)
    row = _with_api(look, fake, now=now)["task_logs: arriving"]
    assert row["state"] == "broken"
    assert "Airflow began a run at" in row["detail"]
    assert "remote_log_conn_id" in row["mend"]


def test_the_clock_of_airflow_is_compared(look: Look, tmp_path: Path) -> None:
    fake = load_airflow(3)
    fake.clock = NOW + timedelta(minutes=10)
    lay(tmp_path / "logs", {MODERN: THREE})
    row = _with_api(look, fake)["airflow_api: clock"]
    assert row["state"] == "broken"
    assert "600 s behind" in row["detail"]


@pytest.mark.parametrize("major", [2, 3])
def test_what_the_api_may_not_tell_is_named_with_what_is_lost(look: Look, tmp_path: Path, major: int) -> None:
    fake = load_airflow(major)
    fake.forbidden = {"/pools"}
    lay(tmp_path / "logs", {MODERN: THREE})
    found = _with_api(look, fake)
    assert found["airflow_api"]["state"] == "ok"
    row = found["airflow_api: permission"]
    assert row["state"] == "missing"
    assert "pools: answered 403" in row["detail"].lower()
    assert "needs can read on Pools (role Viewer)" in row["detail"]
    assert row["mend"].startswith("without it: ")


def _with_api(look: Look, fake: FakeAirflow, *, now: datetime = NOW) -> dict[str, Row]:
    with serve_airflow(fake):
        toml = (
            BASE
            + f"[sources.task_logs]\nurl = 'logs'\n[sources.airflow_api]\nurl = '{fake.url}'\ntoken_env = 'T'\n"
        )
        return look(toml, now=now, environ={"T": sorted(fake.tokens)[-1]})


def test_a_section_tells_its_input_and_where_it_never_exists(demo_folder: Path) -> None:
    found = doctor.doctor(config.load(demo_folder / "demo.toml", {}), now=NOW)
    sections = {row["what"]: row for row in found if row["kind"] == "section"}
    pools = sections["pools and waiting"]
    assert (pools["answered_from"], pools["since_week"]) == ("metrics", "2026-09-28")
    assert "before 3.3" in sections["DAG parse time"]["never_on"]
    assert (sections["lateness"]["answered_from"], sections["lateness"]["since_week"]) == (
        "component_logs",
        "2026-11-16",
    )


def test_people_read_marks_mends_and_a_sum(look: Look, tmp_path: Path) -> None:
    lay(tmp_path / "logs", {MODERN: THREE})
    rows = list(look(BASE + "[sources.task_logs]\nurl = 'logs\\u001b[31m'\n").values())
    text = doctor.shown(rows, width=80, colour=False)
    assert "✗ task_logs" in text
    assert "→ " in text
    assert "1 to mend" in text.splitlines()[-1]
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 130  # only what must stay whole is wider than asked
    assert "\x1b[31m✗" in doctor.shown(rows, width=80, colour=True)


@pytest.mark.parametrize(
    ("key", "version"),
    [
        ("etl/load/2026-11-24/1.log", "1.10 to 2.2"),
        ("team/etl/load/2026-11-24/try_1.log", "1.10 to 2.2"),
        ("dag_id=etl/run=17/task_id=load/attempt=1.log", "2.3 and newer"),
        ("dag_id=etl/task_id=load/attempt=1.log", "2.3 and newer"),
    ],
)
def test_an_unknown_layout_is_told_by_a_key_and_the_nearest_template(
    look: Look, tmp_path: Path, key: str, version: str
) -> None:
    lay(tmp_path / "logs", {key: THREE, "readme.txt": b"x"})
    row = look(BASE + "[sources.task_logs]\nurl = 'logs'\n")["task_logs"]
    assert row["state"] == "broken"
    assert f"for example {key}; nearest is that of Airflow {version}" in row["detail"]
    assert "log_filename_template" in row["mend"]


@pytest.mark.parametrize(
    ("body", "what", "state"),
    [
        ((HEART + POOLS).encode(), "scrape", "ok"),
        ((HEART + PARSES).encode(), "metrics: pools", "broken"),
        (b"node_cpu_seconds_total 4\n", "scrape", "broken"),
        (b"<html>login</html>", "scrape", "broken"),
    ],
)
def test_the_endpoint_of_snapshots_is_tried(
    look: Look, tmp_path: Path, body: bytes, what: str, state: str
) -> None:
    with answering({"/metrics": body}) as url:
        toml = BASE + f"[sources.metrics]\nscrape = '{url}/metrics'\nsnapshot_url = 'kept'\n"
        rows = look(toml)
    assert rows[what]["state"] == state
    if rows["scrape"]["state"] == "ok":
        assert rows["scrape: permission"]["state"] == "ok"
    assert not (tmp_path / "kept").exists()


def test_snapshots_that_cannot_be_kept_are_told(look: Look, bucket: ObjectServer) -> None:
    bucket.on_request = lambda one: Fault("status", 403) if one.method == "PUT" else None
    with answering({"/metrics": (HEART + POOLS).encode()}) as url:
        rows = look(
            BASE
            + f"[sources.metrics]\nscrape = '{url}/metrics'\nsnapshot_url = 's3://lake/m'\n"
            + f"[storage.s3]\nendpoint_url = '{bucket.url}'\n"
        )
    assert rows["scrape: permission"]["state"] == "broken"
    assert "s3:PutObject" in rows["scrape: permission"]["mend"]
