"""A log read in pieces gives the rows of the log read whole, however its bytes come; and a long record keeps its ends."""

import gzip
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parse.test_batch import (
    ENDINGS,
    KEY,
    LINES2,
    LINES3,
    NOW,
    SAMPLES,
    USER_LINES,
    comparable,
    exact,
    objects_below,
)
from tests.support.outcomes import rows_of
from windsock.model import LogKey, Outcome, Parsed, Reject
from windsock.parse.batch import LogObject, read_task_logs
from windsock.parse.pieces import CUT_TOLD, LINES, MARK, RECORD_BYTES, Pieces, joined
from windsock.parse.stream import read_stream
from windsock.scratch.overflow import Overflow

KEEP = st.sampled_from(["errors", "all"])


def in_chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def streamed(
    one: LogObject, *, chunk: int = 100, piece: int = 300, whole: int = 0, lines: Any = "errors"
) -> Outcome:
    return read_stream(
        one.key, lambda: in_chunks(one.data, chunk), size=len(one.data), object_url=one.url, etag=one.etag,
        modified_at=one.modified_at, lines=lines, whole_bytes=whole, piece_bytes=piece,
    )  # fmt: skip


def as_lists(outcome: Outcome) -> Any:
    """Rows that lie on the disk, read back."""
    told = comparable(outcome)
    return (
        (*told[:2], {name: list(rows) for name, rows in told[2].items()}) if isinstance(told, tuple) else told
    )


@pytest.mark.parametrize("lines", ["errors", "warnings", "all"])
@pytest.mark.parametrize("dialect", SAMPLES)
def test_real_logs_in_pieces_give_the_rows_of_the_whole(dialect: str, lines: Any) -> None:
    objects = objects_below(SAMPLES[dialect])
    found = [streamed(one, lines=lines, chunk=777, piece=1500) for one in objects]
    assert [as_lists(one) for one in found] == [as_lists(exact(one, lines)) for one in objects]
    fast = [
        one for one in found if isinstance(one, Parsed) and one.rows["task_logs"][0]["read_path"] == "fast"
    ]
    assert len(fast) > len(objects) / 3
    assert any(one.columns for one in fast) == (lines == "all")


def as_log(lines: list[bytes], ending: bytes) -> LogObject:
    return LogObject(KEY, b"\n".join(lines) + ending, "x", "e", NOW)


@pytest.mark.parametrize("kind", ["json", "text"])
def test_any_split_of_hostile_logs_gives_the_rows_of_the_whole(kind: str) -> None:
    records = LINES3 if kind == "json" else LINES2
    head = USER_LINES["airflow3" if kind == "json" else "airflow2"]

    @settings(max_examples=250, deadline=None)
    @given(
        st.lists(records, max_size=12), ENDINGS, st.integers(1, 400), st.integers(1, 700), st.booleans(), KEEP
    )
    def check(
        lines: list[bytes], ending: bytes, chunk: int, piece: int, starts_well: bool, keep: str
    ) -> None:
        one = as_log([head, *lines] if starts_well else lines or [head], ending)
        found, whole = streamed(one, chunk=chunk, piece=piece, lines=keep), exact(one, keep)
        if isinstance(found, Reject) and found.reason == "too_large":
            return
        assert as_lists(found) == as_lists(whole)

    check()


@pytest.mark.parametrize("lines", ["errors", "all"])
@pytest.mark.parametrize("dialect", SAMPLES)
def test_a_large_log_of_which_each_part_is_streamed_equals_the_batch(dialect: str, lines: Any) -> None:
    objects = [one for one in objects_below(SAMPLES[dialect]) if len(one.data) > 3000]
    done = zip(objects, read_task_logs(objects), strict=True)
    base = next(
        one
        for one, out in done
        if isinstance(out, Parsed) and out.rows["task_logs"][0]["read_path"] == "fast"
    )
    told = base.data.split(b"\n")
    middle = USER_LINES[dialect] + b"\n"
    data = b"\n".join(told[:3]) + b"\n" + middle * (5_000_000 // len(middle)) + b"\n".join(told[3:])
    one = LogObject(base.key, data, "x", "e", NOW)
    found = streamed(one, chunk=2 << 20, piece=1 << 20, lines=lines)
    assert isinstance(found, Parsed)
    assert as_lists(found) == as_lists(read_task_logs([one], lines=lines)[0])
    assert found.rows["task_logs"][0]["read_path"] == "fast"
    packed = LogObject(
        base.key, gzip.compress(data[:3_000_000]) + gzip.compress(data[3_000_000:]), "x", "e", NOW
    )
    unpacked = as_lists(streamed(packed, chunk=50_000, piece=1 << 20, lines=lines))
    assert unpacked == as_lists(exact(packed, lines))
    assert unpacked[2]["task_logs"][0]["record_count"] == found.rows["task_logs"][0]["record_count"]


def failed_command(dialect: str, output: int, between: int) -> LogObject:
    """`output` lines of a command that names its error, `between` lines of others, and the failure."""
    if dialect == "airflow3":
        head = b'{"timestamp":"2026-11-23T15:23:27.467692Z","level":"info","event":"%s","logger":"%s"}\n'
        text = head % (b"::group::Pre Execute", b"task")
        text += b"".join(head % (b"row %d" % no, b"airflow.x.SubprocessHook") for no in range(output - 1))
        text += head % (b"ModuleNotFoundError: No module named 'orders'", b"airflow.x.SubprocessHook")
        text += (head % (b"waiting", b"user")) * between
        text += b'{"timestamp":"2026-11-23T15:23:30.000001Z","level":"error","event":"Task failed with exception","logger":"task",'
        text += b'"error_detail":[{"exc_type":"AirflowException","exc_value":"Bash command failed. The command returned a non-zero exit code 1.","frames":[]}]}\n'
    else:
        head = b"[2026-11-23T15:22:59.673+0000] {%s} %s - %s\n"
        text = head % (b"standard_task_runner.py:72", b"INFO", b"Started process 1 to run task")
        text += b"".join(head % (b"subprocess.py:106", b"INFO", b"row %d" % no) for no in range(output - 1))
        text += head % (b"subprocess.py:106", b"INFO", b"ModuleNotFoundError: No module named 'orders'")
        text += (head % (b"user.py:1", b"INFO", b"waiting")) * between
        text += head % (
            b"taskinstance.py:3313", b"ERROR", b'Task failed with exception\nTraceback (most recent call last):\n  File "/d/d.py", '
            b"line 1, in f\nairflow.exceptions.AirflowException: Bash command failed. The command returned a non-zero exit code 1.",
        )  # fmt: skip
    return LogObject(KEY, text, "x", "e", NOW)


@pytest.mark.parametrize("dialect", SAMPLES)
@pytest.mark.parametrize(
    ("output", "between"), [(3, 1), (200, 1), (60_000, 20), (3, 60_000), (60_000, 60_000)]
)
def test_the_output_of_a_failed_command_is_found_wherever_it_stands(
    dialect: str, output: int, between: int
) -> None:
    one = failed_command(dialect, output, between)
    found, whole = streamed(one, chunk=1 << 20, piece=1 << 18), exact(one)
    assert as_lists(found) == as_lists(whole)
    assert isinstance(found, Parsed)
    assert "ModuleNotFoundError" in found.rows["task_logs"][0]["error_signature"]
    assert "ModuleNotFoundError" in next(iter(found.rows["log_events"]))["error_signature"]


def test_segments_that_are_repeated_are_told_once() -> None:
    head = b"[2026-11-23T15:22:%02d.673+0000] {%s} %s - %s\n"
    first = head % (1, b"standard_task_runner.py:72", b"INFO", b"Started process 1 to run task")
    first += head % (2, b"user.py:1", b"ERROR", b"odd") * 2
    second = head % (3, b"standard_task_runner.py:72", b"INFO", b"Started process 2 to run task")
    second += head % (4, b"taskinstance.py:1", b"INFO", b"Marking task as SUCCESS. dag_id=d, task_id=t")
    one = LogObject(KEY, first + first + second, "x", "e", NOW)
    found = streamed(one)
    assert as_lists(found) == as_lists(exact(one))
    assert isinstance(found, Parsed)
    assert len(list(found.rows["log_events"])) == 1


LONG3 = b'{"timestamp":"2026-11-23T15:23:27.467692Z","level":"%s","event":"%s","logger":"task.stdout"}\n'


@pytest.mark.parametrize("filling", [b"x", b"\\n", b"\\ud83d\\ude00", "ü".encode(), b"\\\\"], ids=repr)
@pytest.mark.parametrize("level", [b"info", b"error"])
def test_a_json_line_that_is_too_long_keeps_its_ends(filling: bytes, level: bytes) -> None:
    text = b"begin " + filling * (3_000_000 // len(filling)) + b" end"
    one = LogObject(
        KEY, USER_LINES["airflow3"] + b"\n" + LONG3 % (level, text) + USER_LINES["airflow3"], "x", "e", NOW
    )
    found = streamed(one, chunk=100_000, piece=1 << 20, lines="all")
    assert as_lists(found) == as_lists(exact(one, "all"))
    assert isinstance(found, Parsed)
    rows = rows_of(found)["log_events"]
    assert (found.partial, len(rows), rows[1]["level"]) == (CUT_TOLD, 3, level.decode())
    assert rows[1]["message"].startswith("begin ")
    assert rows[1]["logger"] == "task.stdout"


@pytest.mark.parametrize(
    "filling", [b"x", b"further line\n", b"[2, 3]" + b" and more" * 9 + b"\n"], ids=["x", "line", "bracket"]
)
def test_a_text_record_that_is_too_long_keeps_its_ends(filling: bytes) -> None:
    head = b"[2026-11-23T15:22:59.673+0000] {user.py:12} ERROR - begin "
    tail = b'\nTraceback (most recent call last):\n  File "/d/x.py", line 1, in f\nValueError: end\n'
    text = head + filling * (1_500_000 // len(filling)) + tail
    one = LogObject(KEY, USER_LINES["airflow2"] + b"\n" + text + USER_LINES["airflow2"], "x", "e", NOW)
    for found in (streamed(one, chunk=100_000, piece=1 << 20), read_task_logs([one])[0]):
        assert as_lists(found) == as_lists(exact(one))
        assert isinstance(found, Parsed)
        (row,) = found.rows["log_events"]
        assert (found.partial, row["exception_type"], found.rows["task_logs"][0]["record_count"]) == (
            CUT_TOLD,
            "ValueError",
            3,
        )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=8), st.integers(1, 500), st.integers(1, 1000))
def test_pieces_are_whole_lines_and_a_cut_is_counted(lengths: list[int], chunk: int, size: int) -> None:
    lines = [b"%05d" % no + bytes([97 + no]) * length + b"\n" for no, length in enumerate(lengths)]
    pieces = Pieces(in_chunks(b"".join(lines), chunk), LINES, size=size, most=1000, ends=300)
    found = list(pieces)
    whole = b"".join(found)
    assert all(piece.endswith(b"\n") for piece in found)
    assert max(map(len, found)) <= 1000
    kept = whole.splitlines(keepends=True)
    assert [line[:6] for line in kept] == [line[:6] for line in lines]
    assert pieces.cut_records == sum(len(line) > 1000 for line in lines) == whole.count(MARK)
    assert pieces.cut_bytes == len(b"".join(lines)) - len(whole)


def test_two_ends_are_joined_outside_of_escapes_and_characters() -> None:
    rng = random.Random(3)
    text = "".join(
        rng.choice(["a", "ü", "😀", "\\n", "\\ud83d\\ude00", '\\"', " "]) for _ in range(3000)
    ).encode()
    for _ in range(300):
        a, b = rng.randrange(100, len(text) - 100), rng.randrange(100, len(text) - 100)
        told = joined(b'{"event":"' + text[:a], text[b:] + b'"}')
        assert list(msgspec.json.decode(told)) == ["event"]


def test_bombs_and_junk_end_in_rejects() -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    big = gzip.compress(random.Random(1).randbytes(200_000) * 10)
    for data, reason in (
        (bomb, "too_large"),
        (big[:3000], "not_a_log"),
        (b"\x1f\x8bjunk" * 9, "bad_gzip"),
        (b" \n" * 9, "empty"),
    ):
        one = LogObject(LogKey("d", "r", "t", -1, 1), data, "x", "e", NOW)
        found = streamed(one, chunk=1000, whole=1 << 20)
        assert isinstance(found, Reject)
        assert found.reason == reason


def test_a_list_that_overflows_is_read_back_as_often_as_wanted() -> None:
    rows: Overflow[int] = Overflow(held_bytes=100)
    for no in range(1000):
        rows.append(no, size=7)
    assert list(rows) == list(range(1000)) == list(rows)
    assert [pair for pair in zip(rows, rows, strict=True) if pair[0] != pair[1]] == []
    assert len(rows) == 1000
    assert RECORD_BYTES == 1 << 20
