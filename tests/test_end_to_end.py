"""The main job on real parts: an S3-compatible server, a real SMTP server, hostile keys, secrets, bad input."""

import json
import os
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from tests.support.servers import aws_server
from tests.test_redaction import SECRETS
from windsock import config as configs
from windsock import pipeline
from windsock.errors import WindsockError
from windsock.output import Output
from windsock.store import Storage, open_store
from windsock.week import Week

ROOT = Path(__file__).parents[1]
WEEK = Week.parse("2026-W48")
NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
QUIET = Output(level=0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[Any, str]]:
    os.environ |= {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake", "AWS_DEFAULT_REGION": "us-east-1",
                   "AWS_EC2_METADATA_DISABLED": "true"}  # fmt: skip
    with aws_server() as endpoint:
        client = boto3.client("s3", endpoint_url=endpoint)
        for bucket in ("logs", "lake"):
            client.create_bucket(Bucket=bucket)
        yield client, endpoint


def write_pipeline(folder: Path, logs: str, lake: str, more: str = "") -> configs.Config:
    path = folder / "prod.toml"
    path.write_text(
        f"[deployment]\nname = 'prod'\n[sources.task_logs]\nurl = {logs!r}\n[lake]\nurl = {lake!r}\n[report]\nout = 'out'\n{more}"
    )
    return configs.load(path, {})


def real_logs() -> list[tuple[str, bytes]]:
    root = ROOT / "data/sample/real/airflow3"
    return [(str(path.relative_to(root)), path.read_bytes()) for path in sorted(root.rglob("*.log"))]


def test_a_bucket_gives_the_same_rows_as_a_folder(s3: tuple[Any, str], tmp_path: Path) -> None:
    client, endpoint = s3
    for key, body in real_logs():
        client.put_object(Bucket="logs", Key=f"prod/{key}", Body=body)
    client.put_object(
        Bucket="logs", Key="prod//odd/../dag_id=x/run_id=r/task_id=t/attempt=1.log", Body=real_logs()[0][1]
    )
    remote = write_pipeline(
        tmp_path, "s3://logs/prod", "s3://lake/prod", f"[storage.s3]\nendpoint_url = '{endpoint}'\n"
    )
    done = pipeline.pull(remote, now=NOW, week=WEEK, output=QUIET, full=True)
    assert done.rejected == 0
    assert done.listed == len(real_logs()) + 1

    local = tmp_path / "local"
    local.mkdir()
    here = write_pipeline(local, str(ROOT / "data/sample/real/airflow3"), "lake")
    pipeline.pull(here, now=NOW, week=WEEK, output=QUIET, full=True)
    sql = "select dag_id, run_id, task_id, map_index, try_number, state, error_signature from task_logs where dag_id <> 'x' order by all"
    bucket, folder = (pipeline.ask(one, question="", sql=sql, week=WEEK).rows for one in (remote, here))
    assert bucket == folder
    assert len(bucket) > 50
    again = pipeline.pull(remote, now=NOW, week=WEEK, output=QUIET, full=True)
    assert (again.read, again.skipped) == (0, done.listed)


@pytest.mark.parametrize("name", ["a b+c", "a\tb", "it's", 'q"q', "é=ü", "a%20b", "a//b", "x/../y"])
def test_hostile_keys_are_listed_and_read(s3: tuple[Any, str], name: str) -> None:
    client, endpoint = s3
    client.create_bucket(Bucket="hostile")
    client.put_object(Bucket="hostile", Key=f"p/{name}", Body=b"body")
    store = open_store("s3://hostile/p", Storage(s3_endpoint_url=endpoint))
    assert name in {obj.path for obj in store.list()}
    assert store.get(name) == b"body"


def airflow2_log(dag_id: str, line: str) -> bytes:
    """A failed attempt whose exception, and one record before it, hold `line`."""
    head = "[2026-11-24T10:00:00.000+0000] {"
    frame = 'Traceback (most recent call last):\n  File "/opt/dags/d.py", line 1, in f\nRuntimeError: '
    return (
        f"{head}standard_task_runner.py:72}} INFO - Started process 1 to run task\n"
        f"{head}logging_mixin.py:190}} INFO - {line}\n"
        f"{head}taskinstance.py:1}} ERROR - Task failed with exception\n{frame}{line}\n"
        f"{head}taskinstance.py:1}} INFO - Marking task as FAILED. dag_id={dag_id}, task_id=t, run_id=r\n"
    ).encode()


def airflow3_log(line: str) -> bytes:
    """The same as JSON lines."""
    at = {"timestamp": "2026-11-24T10:00:00.000000Z"}
    detail = {"exc_type": "RuntimeError", "exc_value": line, "exc_notes": [], "syntax_error": None, "is_cause": False,
              "frames": [{"filename": "/opt/dags/d.py", "lineno": 1, "name": "f"}], "is_group": False, "exceptions": []}  # fmt: skip
    records = [
        at | {"level": "info", "event": line, "logger": "task.stdout"},
        at
        | {
            "level": "error",
            "event": "Task failed with exception",
            "error_detail": [detail],
            "logger": "task",
        },
    ]
    return "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in records).encode()


def test_no_labelled_secret_reaches_lake_page_json_or_mail(tmp_path: Path) -> None:
    """Every spelling of tests/redaction/secrets.yaml in both dialects, every record kept; one line of each kind fails
    in eight DAGs, so that it is told in the report."""
    seeded = [
        one for one in SECRETS
        # not what is too short to be looked for, nor a key's bare line, which stands alone or is none
        if re.search("FAKE|fa4e", one[1], re.IGNORECASE) and not re.fullmatch(r"[A-Za-z0-9+/]{60,}", one[1])
    ]  # fmt: skip
    first_of_kind = {kind: (secret, line) for kind, secret, line in reversed(seeded)}
    lines = [line for _, _, line in seeded] + [line for _, line in first_of_kind.values()] * 7
    for number, line in enumerate(lines):
        for dialect, body in (("two", airflow2_log(f"two{number}", line)), ("three", airflow3_log(line))):
            key = f"dag_id={dialect}{number}/run_id=scheduled__2026-11-24T00:00:00+00:00/task_id=t/attempt=1.log"
            path = tmp_path / "logs" / key
            path.parent.mkdir(parents=True)
            path.write_bytes(body)
    config = write_pipeline(tmp_path, "logs", "lake")
    text = config.path.read_text().replace("[lake]", "lines = 'all'\n[lake]")
    config.path.write_text(text)
    config = configs.load(config.path, {})
    pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, full=True)
    pipeline.report(config, week=WEEK, output=QUIET)
    dumped = "".join(
        str(duckdb.execute(f"from read_parquet('{path}')").fetchall())
        for path in (tmp_path / "lake").rglob("*.parquet")
    )
    out = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.suffix for path in out} >= {".html", ".txt", ".json"}
    dumped += "".join(path.read_text() for path in out)
    assert dumped.count("RuntimeError") > len(seeded)
    assert "***" in dumped
    leaked = [(kind, line) for kind, secret, line in seeded if secret in dumped]
    assert leaked == []


def test_hostile_ids_stay_text_in_the_report(tmp_path: Path) -> None:
    evil = "<script>alert(1)<"
    for number in range(30):
        for week, state in ((0, "FAILED"), (1, "SUCCESS")):
            day = 24 - 7 * week
            key = f"dag_id={evil}/run_id=scheduled__2026-11-{day}T00:00:{number:02d}+00:00/task_id=t/attempt=1.log"
            path = tmp_path / "logs" / key
            path.parent.mkdir(parents=True)
            head = f"[2026-11-{day}T10:00:{number:02d}.000+0000] {{"
            path.write_text(
                f"{head}standard_task_runner.py:72}} INFO - Started process 1 to run task\n"
                f"{head}taskinstance.py:1}} INFO - Marking task as {state}. dag_id={evil}, task_id=t, run_id=r\n"
            )
    config = write_pipeline(tmp_path, "logs", "lake")
    pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, full=True)
    assert pipeline.report(config, week=WEEK, output=QUIET).verdict == "worse"
    for name in ("report.html", "email.html"):
        text = (tmp_path / "out/prod/2026-W48" / name).read_text()
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)&lt;" in text


class Mailbox(Message):
    """Keeps what arrives."""

    def __init__(self) -> None:
        super().__init__(EmailMessage)
        self.messages: list[EmailMessage] = []

    def handle_message(self, message: Any) -> None:
        self.messages.append(message)


def test_a_report_is_mailed_once(tmp_path: Path) -> None:
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        more = (
            f"[deliver.email]\nto = ['ops@example.com']\nsmtp_host = '127.0.0.1'\nsmtp_port = {server.port}\n"
        )
        config = write_pipeline(tmp_path, str(ROOT / "data/sample/real/airflow3"), "lake", more)
        pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, full=True)
        pipeline.report(config, week=WEEK, output=QUIET)
        assert "would send" in pipeline.send([config], week=WEEK, now=NOW, dry_run=True)[0]
        assert mailbox.messages == []
        pipeline.send([config], week=WEEK, now=NOW)
        assert "was sent before" in pipeline.send([config], week=WEEK, now=NOW)[0]
    finally:
        server.stop()
    (message,) = mailbox.messages
    assert str(message["Subject"]).startswith("Airflow prod, week 48: ")
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


@pytest.mark.parametrize(
    ("logs", "lake", "says"),
    [
        ("nowhere", "lake", "no such folder"),
        ("s3://no-such-bucket-here/x", "lake", "no such bucket"),
        ("ftp://x/y", "lake", "unknown scheme"),
        ("logs", "/proc/nope/lake", "cannot be"),
    ],
)
def test_bad_places_are_one_line_with_the_mend(
    s3: tuple[Any, str], tmp_path: Path, logs: str, lake: str, says: str
) -> None:
    (tmp_path / "logs").mkdir()
    config = write_pipeline(tmp_path, logs, lake, f"[storage.s3]\nendpoint_url = '{s3[1]}'\n")
    with pytest.raises(WindsockError) as caught:
        pipeline.pull(config, now=NOW, week=WEEK, output=QUIET)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_source_and_an_empty_week_cannot_tell(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    config = write_pipeline(tmp_path, "logs", "lake")
    assert pipeline.pull(config, now=NOW, week=WEEK, output=QUIET).read == 0
    written = pipeline.report(config, week=WEEK, output=QUIET)
    assert written.verdict == "cannot_tell"
