"""A log that a collector wrapped, too large to be held: read by pieces it gives the rows of a reading of the whole."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parse.test_batch import KEY, LINES2, LINES3, NOW, SAMPLES, USER_LINES, exact, objects_below
from tests.parse.test_cut_lines import FORMS, cut, written
from tests.parse.test_stream import as_lists, in_chunks, streamed
from tests.parse.test_task_log import CASES
from windsock.model import LogKey, Outcome, Parsed, Reject
from windsock.parse import order
from windsock.parse.batch import LogObject
from windsock.parse.stream import LINE_BYTES, read_stream

AT = 1795447300
Wrap = Callable[[list[str]], bytes]


def _objects(values: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def in_order(lines: list[str]) -> bytes:
    return _objects([{"line": line + "\n", "timestamp": AT + no} for no, line in enumerate(lines)])


def newest_first(lines: list[str]) -> bytes:
    told = [
        {"textPayload": line, "timestamp": f"2026-11-23T15:30:00.{no:06}Z"} for no, line in enumerate(lines)
    ]
    return _objects(told[::-1])


def shuffled(lines: list[str]) -> bytes:
    told = [{"message": line, "timestamp": AT + no} for no, line in enumerate(lines)]
    random.Random(7).shuffle(told)
    return _objects(told)


def stream_by_stream(lines: list[str]) -> bytes:
    told = [{"line": line, "ts": AT + no} for no, line in enumerate(lines)]
    return _objects(told[::2] + told[1::2])


def without_times(lines: list[str]) -> bytes:
    return _objects([{"log": line + "\n", "stream": "stdout"} for line in lines])


def some_without_times(lines: list[str]) -> bytes:
    return _objects(
        [{"log": line} | ({"time": AT - no} if no % 5 != 3 else {}) for no, line in enumerate(lines)]
    )


def twice(lines: list[str]) -> bytes:
    return shuffled([json.dumps({"log": line, "ts": AT - no}) for no, line in enumerate(lines[::-1])])


def compose(lines: list[str]) -> bytes:
    return "".join(f"worker-1  | {line}\n" for line in lines).encode()


def kubectl(lines: list[str]) -> bytes:
    return "".join(f"2026-11-23T15:23:27.467692Z {line}\n" for line in lines).encode()


def indented(lines: list[str]) -> bytes:
    return "".join(f"    {line}\n" for line in lines).encode()


def runtime_in_objects(lines: list[str]) -> bytes:
    return in_order([f"2026-11-23T15:23:27.467692Z stdout F {line}" for line in lines])


def with_strays(lines: list[str]) -> bytes:
    return in_order(lines[:3]) + b"nobody's\n\n" + in_order(lines[3:]).removesuffix(b"\n")


def document(lines: list[str]) -> bytes:
    return json.dumps(
        {"events": [{"message": line, "timestamp": AT + no} for no, line in enumerate(lines)]}, indent=1
    ).encode()


WRAPS: list[Wrap] = [
    in_order, newest_first, shuffled, stream_by_stream, without_times, some_without_times, twice, compose, kubectl, indented,
    runtime_in_objects, with_strays, document,
]  # fmt: skip


@pytest.fixture(autouse=True)
def small_runs() -> Iterator[None]:
    """Runs of some lines each, so that small logs are sorted as large ones are."""
    with patch.object(order, "_BATCH_BYTES", 500), patch("windsock.parse.collected.RUN_BYTES", 2000):
        yield


@pytest.mark.parametrize("lines", ["errors", "all"])
@pytest.mark.parametrize("wrap", WRAPS, ids=lambda wrap: wrap.__name__)
@pytest.mark.parametrize("dialect", SAMPLES)
def test_real_logs_in_any_wrapper_give_the_rows_of_the_whole(dialect: str, wrap: Wrap, lines: Any) -> None:
    read = 0
    for one in objects_below(SAMPLES[dialect])[::3]:
        log = LogObject(one.key, wrap(one.data.decode().split("\n")), "x", "e", NOW)
        found = streamed(log, lines=lines, chunk=777, piece=1500)
        assert as_lists(found) == as_lists(exact(log, lines))
        read += isinstance(found, Parsed)
    assert read > 10


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("kind", ["json", "text"])
def test_hostile_logs_in_parts_give_the_rows_of_the_whole(kind: str, form: Callable[..., str]) -> None:
    records = LINES3 if kind == "json" else LINES2
    head = USER_LINES["airflow3" if kind == "json" else "airflow2"].decode()

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(records, max_size=10), st.lists(st.lists(st.integers(1, 300), max_size=2), max_size=12),
        st.integers(1, 400), st.integers(1, 700), st.sampled_from(["errors", "all"]),
    )  # fmt: skip
    def check(lines: list[bytes], places: list[list[int]], chunk: int, piece: int, keep: Any) -> None:
        texts = [head, *(line.decode("utf-8", "replace") for line in lines)]
        where = [[], *places, *[[]] * len(texts)]
        parts = [
            (("stdout", "stderr")[no % 7 == 3], cut(text, at))
            for no, (text, at) in enumerate(zip(texts, where, strict=False))
        ]
        one = LogObject(KEY, written(parts, form, together=bool(piece % 2)), "x", "e", NOW)
        assert as_lists(streamed(one, chunk=chunk, piece=piece, lines=keep)) == as_lists(exact(one, keep))

    check()


@pytest.mark.parametrize("wrap", WRAPS, ids=lambda wrap: wrap.__name__)
def test_hostile_logs_in_any_wrapper_give_the_rows_of_the_whole(wrap: Wrap) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(LINES3 | LINES2, max_size=10), st.integers(1, 400), st.integers(1, 700))
    def check(lines: list[bytes], chunk: int, piece: int) -> None:
        texts = [USER_LINES["airflow2"].decode(), *(line.decode("utf-8", "replace") for line in lines)]
        one = LogObject(KEY, wrap(texts), "x", "e", NOW)
        assert as_lists(streamed(one, chunk=chunk, piece=piece)) == as_lists(exact(one))

    check()


@pytest.mark.parametrize(
    "case", [one for one in CASES if "copies" in str(one.id) or "cut_lines" in str(one.id)]
)
def test_the_golden_cases_give_the_rows_of_the_whole(case: dict[str, Any]) -> None:
    data = case["log"].encode(case.get("encoding", "utf-8"), "surrogatepass")
    if case.get("line_ends") == "crlf":
        data = data.replace(b"\n", b"\r\n")
    one = LogObject(
        LogKey("d", "r", "t", -1, 1), gzip.compress(data) if case.get("gzip") else data, "x", "e", NOW
    )
    for chunk, piece in ((50, 100), (1000, 5000)):
        assert as_lists(streamed(one, chunk=chunk, piece=piece)) == as_lists(exact(one))


def read(data: bytes, *, chunk: int = 1 << 20) -> Outcome:
    return read_stream(
        KEY, lambda: in_chunks(data, chunk), size=len(data), object_url="x", etag="e", modified_at=NOW
    )


@cache
def many_lines() -> tuple[str, ...]:
    return tuple(told(no, "error" if no % 10_000 == 7 else "info") for no in range(170_000))


def told(no: int, level: str = "info") -> str:
    at = f"2026-11-23T15:{no // 60_000:02}:{no // 1000 % 60:02}.{no % 1000:03}001Z"
    return json.dumps(
        {"timestamp": at, "level": level, "event": f"row {no} {'x' * 80}", "logger": "user"},
        separators=(",", ":"),
    )


@pytest.mark.parametrize(
    "wrap",
    # everyday, newest_first is sorted on disk by the same runs, and hostile logs come shuffled
    [in_order, pytest.param(shuffled, marks=pytest.mark.long), newest_first, compose, runtime_in_objects],
    ids=lambda wrap: wrap.__name__,
)
def test_a_log_that_was_too_large_before_is_read_by_the_fast_path(wrap: Wrap) -> None:
    """34 to 40 MB, which nothing but a reading of the whole could take up to 32 MB."""
    with patch("windsock.parse.collected.RUN_BYTES", 4 << 20):
        found = read(wrap(list(many_lines())))
    assert isinstance(found, Parsed)
    (row,) = found.rows["task_logs"]
    assert (row["record_count"], row["error_count"], row["read_path"]) == (170_000, 17, "fast")
    assert [one["record_no"] for one in found.rows["log_events"]] == [no * 10_000 + 7 for no in range(17)]
    assert (row["started_at"].minute, row["ended_at"].minute) == (0, 2)


def test_a_line_of_a_collector_that_is_too_long_to_be_held_keeps_its_ends() -> None:
    long = json.dumps(
        {
            "timestamp": "2026-11-23T15:23:27.467692Z",
            "level": "error",
            "event": "x" * (LINE_BYTES + 1000),
            "logger": "user",
        }
    )
    found = read(in_order([told(1), long, told(2)]))
    assert isinstance(found, Parsed)
    assert (found.partial, found.rows["task_logs"][0]["record_count"]) == (
        "a record of more than 1 MB was cut",
        3,
    )
    assert found.rows["task_logs"][0]["error_count"] == 1


def test_what_cannot_be_sorted_is_a_reject_with_its_reason() -> None:
    data = shuffled([told(no) for no in range(200)])
    with patch("windsock.parse.collected.MOST_RUNS", 3):
        found = streamed(LogObject(KEY, data, "x", "e", NOW))
    assert isinstance(found, Reject)
    assert (found.reason, found.kind) == ("out_of_order", "task_logs")


def test_one_document_that_is_too_large_to_be_held_is_a_reject() -> None:
    data = document([told(no) for no in range(200)])
    with patch("windsock.parse.stream.UNCUT_BYTES", 10_000):
        found = streamed(LogObject(KEY, data, "x", "e", NOW))
    assert isinstance(found, Reject)
    assert found.reason == "too_large"
