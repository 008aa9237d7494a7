"""Whatever the bytes: no reader raises, rows have their declared types, and records are counted as a plain count does."""

import gzip
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windsock.model import LogKey, Outcome, Parsed, Reject
from windsock.parse import read_task_log
from windsock.parse.traceback import last_exception
from windsock.schema import STATES, TABLES

KEY = LogKey("d", "r", "t", -1, 1)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
REJECTS = {"empty", "not_a_log", "bad_gzip", "too_large"}
HEAD = "[2026-11-23T15:21:0{}.000+0000] {{{}:7}} {} - {}"
FILES = ["taskinstance.py", "local_task_job_runner.py", "standard_task_runner.py", "x.py", "subprocess.py"]
# pieces of real logs, put together as no Airflow would
PIECES = [
    "Marking task as FAILED. dag_id=d, task_id=t, run_id=r",
    "Marking task as SUCCESS.dag_id=***, task_id=(, run_id=r",
    "Task exited with return code -9",
    "Task exited with return code 0",
    "Started process 1 to run task",
    "Executing <Task(A): t> on 2026-99-99",
    "State of this instance has been externally set to None",
    'Task failed with exception\nTraceback (most recent call last):\n  File "/a.py", line 1, in f\nE: \x00',
    "Failed to execute job 1 for task t (",
    "Traceback (most recent call last):",
    "@-@{",
    "Job 7: Subtask t [2026",
    "\x1b[34m[2026-11-23 15:21:00,000] {x.py:1} INFO - ",
    "::group::Post Execute",
]
texts = st.one_of(st.sampled_from(PIECES), st.text(max_size=30))
text_lines = st.one_of(
    texts,
    st.builds(
        HEAD.format,
        st.integers(0, 9),
        st.sampled_from(FILES),
        st.sampled_from(["INFO", "ERROR", "WARNING", "Level 25"]),
        texts,
    ),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "timestamp",
    "level",
    "event",
    "logger",
    "error_detail",
    "exit_code",
    "detail",
    "lineno",
    "chan",
    "asctime",
    "levelname",
]
WRAPPERS = [
    "message",
    "filename",
    "line",
    "log",
    "textPayload",
    "_source",
    "content",
    "continuation_token",
    "values",
    "data",
]
objects = st.dictionaries(
    st.sampled_from(NAMES + WRAPPERS),
    values | st.sampled_from(["task", "error", "Task failed with exception"]),
    max_size=6,
)
json_lines = st.one_of(objects.map(json.dumps), values.map(json.dumps), texts)


def read(data: bytes) -> Outcome:
    return read_task_log(KEY, data, object_url="mem://x", etag="e", modified_at=NOW, lines="all")


def check(outcome: Outcome) -> None:
    if isinstance(outcome, Reject):
        assert outcome.reason in REJECTS
        return
    assert isinstance(outcome, Parsed)
    for table, rows in outcome.rows.items():
        columns = TABLES[table].columns
        for row in rows:
            assert set(row) <= set(columns), set(row) - set(columns)
            for name, value in row.items():
                assert is_typed(columns[name], value), (name, columns[name], value)
    (log,) = outcome.rows["task_logs"]
    assert log["state"] in STATES
    assert log["record_count"] >= log["warning_count"] >= log["error_count"] >= 0
    assert [e["record_no"] for e in outcome.rows["log_events"]] == sorted(
        e["record_no"] for e in outcome.rows["log_events"]
    )
    if log["state"] not in ("failed", "up_for_retry"):
        assert log["exception_type"] is None and log["exception_message"] is None


def is_typed(declared: str, value: Any) -> bool:
    """Whether a value can be stored in its column without losing anything."""
    if value is None:
        return True
    kind = declared.lower()
    if "timestamp" in kind:
        return isinstance(value, datetime) and value.tzinfo is not None
    if "int32" in kind or kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31
    if "int" in kind:
        return isinstance(value, int) and not isinstance(value, bool)
    if "double" in kind:
        return isinstance(value, int | float)
    return isinstance(value, str) and value.encode("utf-8") is not None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    check(read(data))
    check(read(b"\x1f\x8b" + data))


@settings(max_examples=300, deadline=None)
@given(st.lists(text_lines, max_size=12), st.sampled_from(["\n", "\r\n", "\n\n", "\u2028", "\x0c"]))
def test_any_text_built_of_pieces(lines: list[str], end: str) -> None:
    check(read(end.join(lines).encode("utf-8", "surrogatepass")))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(json_lines, max_size=8),
    st.sampled_from(["", "w-1  | ", "    ", "2026-11-23T15:21:00Z stdout F "]),
)
def test_any_json_built_of_pieces(lines: list[str], prefix: str) -> None:
    check(read("\n".join(prefix + line for line in lines).encode("utf-8", "surrogatepass")))


@settings(max_examples=100, deadline=None)
@given(values)
def test_any_json_document(value: Any) -> None:
    check(read(json.dumps(value, indent=1).encode()))


@settings(max_examples=200, deadline=None)
@given(st.lists(text_lines, min_size=1, max_size=20))
def test_text_records_are_counted_as_a_plain_count_does(lines: list[str]) -> None:
    text = "\n".join([HEAD.format(0, "x.py", "INFO", "first"), *lines])
    heads = len(
        re.findall(
            r"(?m)^(?:\x1b\[\d+m)?\[2026-11-23[T ]15:21:0\d[.,]000(?:\+0000)?\] \{[a-z_]+\.py:\d\} (?:INFO|ERROR|WARNING|Level 25) -",
            text,
        )
    )
    outcome = read(text.encode("utf-8", "surrogatepass"))
    assert isinstance(outcome, Parsed)
    assert outcome.rows["task_logs"][0]["record_count"] == heads


@settings(max_examples=200, deadline=None)
@given(st.lists(objects, min_size=1, max_size=10))
def test_json_records_are_counted_as_a_plain_count_does(bodies: list[dict[str, Any]]) -> None:
    first = {"timestamp": "2026-11-23T15:21:00Z", "event": "x", "level": "info", "logger": "x"}
    lines = [json.dumps(body) for body in [first, *bodies, *[first] * len(bodies)]]
    outcome = read("\n".join(lines).encode("utf-8", "surrogatepass"))
    assert isinstance(outcome, Parsed)
    assert outcome.rows["task_logs"][0]["record_count"] == len(lines)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            texts,
            st.sampled_from(
                [
                    "  | x",
                    "  + Exception Group Traceback (most recent call last):",
                    "During handling of the above exception, another exception occurred:",
                    "",
                ]
            ),
        ),
        max_size=12,
    )
)
def test_any_traceback(lines: list[str]) -> None:
    found = last_exception("\n".join(lines))
    assert found is None or (found.type and "." not in found.type)


def test_deep_and_long_input_is_read_in_one_go() -> None:
    check(read(b"[" * 200_000))
    check(read(b'{"event":' * 100_000))
    check(read(b'{"line":"' + b"x" * 2_000_000 + b'"}'))
    check(read(gzip.compress(b"\n" * 3_000_000)))
    check(
        read(
            (
                HEAD.format(0, "taskinstance.py", "ERROR", "x")
                + "\nTraceback (most recent call last):" * 20_000
            ).encode()
        )
    )
    check(
        read(
            (
                HEAD.format(
                    0, "taskinstance.py", "ERROR", "Failed to execute job 1 for task " + "(; " * 50_000
                )
            ).encode()
        )
    )
    check(read(b"[2026-01-15 17:37:29] ERROR - " + b" a=" * 100_000 + b" source=task"))
    check(read(b"[2026-01-15 17:37:29] ERROR - x source=task\n" + b'"' * 300_000))


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_log_cut_anywhere_keeps_what_was_whole(cut: int) -> None:
    line = b'{"timestamp":"2026-11-23T15:21:00Z","level":"error","event":"x","logger":"y"}\n'
    whole = line * 6
    outcome = read(whole[: len(line) + cut])
    assert isinstance(outcome, Parsed)
    assert outcome.rows["task_logs"][0]["error_count"] == (len(line) + cut + 1) // len(line)
