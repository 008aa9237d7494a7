"""Which connections an attempt took, as each version of Airflow says it, on every way of reading."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt, airflow2, airflow3

from windsock.model import LogKey, Parsed
from windsock.parse.batch import LogObject, read_task_logs
from windsock.parse.connections import connection_in
from windsock.parse.stream import read_stream
from windsock.parse.task_log import read_task_log

CORPORA = Path(os.environ.get("WINDSOCK_CORPORA", Path(__file__).parents[3] / "shared" / "corpora"))
KEY = LogKey("orders", "scheduled__2026-11-17T02:00:00+00:00", "load", -1, 1)
AT = datetime(2026, 11, 17, 2, 0, 5, tzinfo=UTC)
FAILED = Attempt(KEY.dag_id, KEY.run_id, KEY.task_id, 1, 1, AT, 60, "failed", ("OperationalError", "lost"))


def readings(log: bytes) -> set[tuple[str, ...]]:
    """What each way of reading tells of the connections; one answer where all agree."""
    modified_at = AT + timedelta(minutes=5)
    one = partial(read_task_log, KEY, log, object_url="u", etag="e", modified_at=modified_at)
    many = [LogObject(KEY, log, "u", "e", modified_at)]
    pieces: Callable[..., Any] = partial(
        read_stream, KEY, lambda: [log], size=len(log), object_url="u", etag="e", modified_at=modified_at
    )
    told = [
        *(one(lines=lines) for lines in ("errors", "all")),
        *(read_task_logs(many, lines=lines)[0] for lines in ("errors", "all")),
        *(pieces(lines=lines, whole_bytes=1, piece_bytes=400) for lines in ("errors", "all")),
    ]
    return {tuple(outcome.rows["task_logs"][0]["connections"] or ()) for outcome in told if isinstance(outcome, Parsed)}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "conn_id"),
    [
        ("Retrieving connection 'warehouse'", "warehouse"),
        ("Using connection ID 'wh-main.2' for task execution.", "wh-main.2"),
        ("Using connection to: id: snow. Host: h, Port: None, Schema: , Login: x, Password: XXXX, extra: None", "snow"),
        ("Connection Retrieved 'warehouse'", "warehouse"),
        ("Connection Retrieved 'warehouse' (via task-sdk)", "warehouse"),
        ("AWS Connection (conn_id='aws_etl', conn_type='aws') credentials retrieved from login and password.", "aws_etl"),
        ("AWS Connection (conn_id='aws_etl', conn_type='aws') expected connection type 'aws', got 'http'.", None),
        ("Retrieving connection '***'", None),
        ("Retrieving connection ''", None),
        ("Using connection pool of size 5", None),
        ("I was Retrieving connection 'x'", None),
        ("Connection Retrieved 'two\nlines'", None),
    ],
)  # fmt: skip
def test_a_record_names_the_connection_that_was_taken(text: str, conn_id: str | None) -> None:
    assert connection_in(text) == conn_id


@pytest.mark.parametrize("write", [airflow2, airflow3])
@pytest.mark.parametrize("ending", ["failed", "success", "retry"])
def test_every_way_of_reading_tells_the_connection_of_an_attempt(
    write: Callable[[Attempt], bytes], ending: str
) -> None:
    one = Attempt(KEY.dag_id, KEY.run_id, KEY.task_id, 1, 1, AT, 60, ending, connection="warehouse")
    assert readings(write(one)) == {("warehouse",)}


@pytest.mark.parametrize("write", [airflow2, airflow3])
def test_an_attempt_that_names_none_tells_none(write: Callable[[Attempt], bytes]) -> None:
    assert readings(write(FAILED)) == {()}


def test_of_many_the_last_ones_are_kept_and_the_last_taken_stands_last() -> None:
    names = [*(f"c{number}" for number in range(12)), "c5"]
    more = "".join(
        f"[2026-11-17T02:00:07.{at:03d}+0000] {{base.py:84}} INFO - Retrieving connection '{name}'\n"
        for at, name in enumerate(names)
    )
    head, line, rest = airflow2(FAILED).decode().partition("[2026-11-17T02:00:06.000+0000]")
    assert readings((head + line + rest.replace("\n", "\n" + more, 1)).encode()) == {
        ("c4", "c6", "c7", "c8", "c9", "c10", "c11", "c5")
    }


def test_what_another_file_says_in_airflow_2_is_no_connection() -> None:
    log = airflow2(FAILED).replace(b"loading load for", b"Retrieving connection 'x' for")
    assert readings(log) == {()}


def test_the_debug_lines_of_newer_versions_are_read_where_there_are_any() -> None:
    line = {
        "timestamp": "2026-11-17T02:00:06.200000Z",
        "level": "debug",
        "event": "Connection Retrieved 'warehouse' (via task-sdk)",
        "logger": "airflow.sdk.bases.hook",
        "filename": "hook.py",
        "lineno": 62,
    }
    first, _, rest = airflow3(FAILED).partition(b"\n")
    log = first + b"\n" + json.dumps(line, separators=(",", ":")).encode() + b"\n" + rest
    assert readings(log) == {("warehouse",)}


def test_what_a_process_before_took_is_not_of_this_ones_failure() -> None:
    first = Attempt(
        KEY.dag_id, KEY.run_id, KEY.task_id, 1, 1, AT - timedelta(minutes=3), 60, "retry", connection="old"
    )
    assert readings(airflow2(first) + airflow2(FAILED)) == {()}
    assert readings(airflow3(first) + airflow3(FAILED)) == {()}


def test_a_secret_in_place_of_a_connection_is_not_stored() -> None:
    one = Attempt(
        KEY.dag_id, KEY.run_id, KEY.task_id, 1, 1, AT, 60, "failed", ("E", "m"),
        connection="postgresql://etl:fake-secret-of-a-test@dwh/prod",
    )  # fmt: skip
    for write in (airflow2, airflow3):
        assert "fake-secret-of-a-test" not in str(readings(write(one)))


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
def test_real_logs_tell_their_connections() -> None:
    logs = CORPORA / "airflow2/gcs/acme-airflow-logs/logs"
    told = {
        (path.parts[-4], conn_id)
        for path in logs.rglob("attempt=1.log")
        if b"Retrieving connection" in path.read_bytes()
        for names in [readings(path.read_bytes())]
        for conn_id in next(iter(names))
        if len(names) == 1
    }
    assert told == {("dag_id=noisy_logs", "warehouse"), ("dag_id=sensors_mixed", "fs_default")}
