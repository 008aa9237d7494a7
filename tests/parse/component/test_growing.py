"""A file that grows is read on from where it ended; what was told stays told, and is told once."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windsock.model import Outcome, Parsed, Reject, Row, SourceObject
from windsock.parse.component import (
    Part,
    last_parts,
    part_of,
    read_component_log,
    read_growing,
    read_grown,
)
from windsock.parse.component import facts as facts_module
from windsock.parse.component.component_log import NOT_COMPONENT_LOG
from windsock.parse.component.growing import CONTEXT_BYTES

NOW = datetime(2026, 11, 24, tzinfo=UTC)
AT = datetime(2026, 11, 23, 15, tzinfo=UTC)
FILE = SourceObject("file:///logs/scheduler.log", "scheduler.log", 0, NOW, "")
TABLE = """\
================================================================================
DAG File Processing Stats

File Path      PID  Runtime      # DAGs    # Errors  Last Runtime    Last Run
-----------  -----  ---------  --------  ----------  --------------  -------------------
/dags/a.py                            1           0  0.35s           2026-11-23T15:22:43
/dags/b.py                            1           0  1.35s           2026-11-23T15:22:44
================================================================================
"""
Rows = dict[str, dict[str, list[Row]]]


def records(count: int) -> list[str]:
    """Records of several shapes, in order of time."""
    told = []
    for no in range(count):
        at = (AT + timedelta(seconds=no)).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
        texts = (
            f"{{scheduler_job_runner.py:1}} INFO - Run r{no} of d has timed-out\n",
            f"{{processor.py:925}} INFO - DAG(s) 'x', 'y' retrieved from /dags/{no + 1}.py\n",
            f"{{processor.py:208}} INFO - Processing /dags/{no}.py took {no}.5 seconds\n",
            f"{{manager.py:997}} INFO - \n{TABLE}",
            f"{{dagbag.py:387}} ERROR - Failed to import: /dags/{no}.py\nTraceback (most recent call last):\n"
            f"  File \"/dags/{no}.py\", line 4, in <module>\n    import nope\nModuleNotFoundError: No module named 'nope{no}'\n",
        )
        told.append(f"[{at}] {texts[no % len(texts)]}")
    return told


def facts(outcomes: list[tuple[SourceObject, Outcome]], lake: Rows) -> Rows:
    """What a lake holds after them: the rows of a read object take the place of its old ones."""
    for obj, outcome in outcomes:
        assert isinstance(outcome, Parsed), outcome
        lake[obj.url] = {name: list(rows) for name, rows in outcome.rows.items()}
    return lake


def flat(lake: Rows) -> set[str]:
    """All facts, each once, as the lake keeps them."""
    return {
        f"{name} {sorted(row.items(), key=str)}"
        for tables in lake.values()
        for name, rows in tables.items()
        for row in rows
    }


def whole(data: bytes) -> set[str]:
    outcome = read_component_log(data, path=FILE.path, modified_at=NOW)
    assert isinstance(outcome, Parsed)
    return flat({"": {name: list(rows) for name, rows in outcome.rows.items()}})


def grow(ends: list[int], data: bytes, part_bytes: int = 1_000_000) -> tuple[Rows, list[list[str]]]:
    """Read the file each time it has grown to one of `ends`."""
    lake: Rows = {}
    known: list[Part] = []
    read: list[list[str]] = []
    for end in ends:
        outcomes = list(read_growing(FILE, (data[:end],), known=known, min_bytes=1, part_bytes=part_bytes))
        facts(outcomes, lake)
        read.append([obj.url for obj, _ in outcomes])
        known += [found[1] for obj, _ in outcomes if (found := part_of(obj.url, obj.etag, is_current=True))]
    return lake, read


@settings(deadline=None, max_examples=150)
@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=6), st.integers(300, 20_000))
def test_a_file_read_as_it_grows_tells_what_the_whole_file_tells(cuts: list[int], part_bytes: int) -> None:
    data = "".join(records(40)).encode()
    ends = sorted({min(max(cut, 90), len(data)) for cut in cuts} | {len(data)})
    lake, _ = grow(ends, data, part_bytes)
    assert flat(lake) == whole(data)
    assert all(part_of(url, "", is_current=True) or url == FILE.url for url in lake)


def read_on(data: bytes, known: list[Part], part_bytes: int) -> list[tuple[SourceObject, Outcome]]:
    """As a pull reads a file: only its end where the known head shows, else all of it."""
    for part in last_parts(known, len(data)):
        if part.shows(data[part.shown_from : part.end]):
            start = max(0, part.end - CONTEXT_BYTES)
            return list(read_grown(FILE, (data[start:],), start=start, done=part.end, part_bytes=part_bytes))
    return list(read_growing(FILE, (data,), known=known, min_bytes=1, part_bytes=part_bytes))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=6), st.integers(300, 20_000))
def test_the_end_alone_tells_what_the_whole_file_tells(cuts: list[int], part_bytes: int) -> None:
    data = "".join(records(40)).encode()
    lake: Rows = {}
    known: list[Part] = []
    for end in sorted({min(max(cut, 90), len(data)) for cut in cuts} | {len(data)}):
        outcomes = read_on(data[:end], known, part_bytes)
        facts(outcomes, lake)
        known += [found[1] for obj, _ in outcomes if (found := part_of(obj.url, obj.etag, is_current=True))]
    assert flat(lake) == whole(data)


def test_a_head_that_was_replaced_or_was_read_by_another_parser_does_not_show() -> None:
    data = "".join(records(40)).encode()
    known = [
        found[1]
        for obj, _ in read_growing(FILE, (data,), known=[], min_bytes=1, part_bytes=4000)
        if (found := part_of(obj.url, obj.etag, is_current=True))
    ]
    ends = [part.end for part in last_parts(known, len(data))]
    assert ends == sorted((part.end for part in known), reverse=True)
    assert len(ends) > 1
    last = last_parts(known, len(data))[0]
    assert last.shows(data[last.shown_from : last.end])
    assert not last.shows(data[last.shown_from + 1 : last.end + 1])
    assert last_parts(known, known[0].end) == known[:1]  # a truncated file
    assert last_parts(known[1:], len(data)) == []  # its first part is not known
    assert last_parts([replace(part, is_current=False) for part in known], len(data)) == []


def test_the_head_is_not_parsed_again() -> None:
    data = "".join(records(40)).encode()
    half = data[: len(data) // 2].rfind(b"\n[") + 1
    lake, read = grow([half, len(data)], data)
    assert read == [
        [f"{FILE.url}#bytes=0-{half}", FILE.url],
        [f"{FILE.url}#bytes={half}-{len(data)}", FILE.url],
    ]
    first, second = (lake[urls[0]] for urls in read)
    runs = [[row["run_id"] for row in one["dag_runs"]] for one in (first, second)]
    assert runs[0] == [f"r{no}" for no in range(0, 40, 5)][: len(runs[0])]
    assert not set(runs[0]) & set(runs[1])


def test_what_a_rotated_file_told_stays_when_another_takes_its_name() -> None:
    old, new = "".join(records(30)).encode(), "".join(records(60)[30:]).encode()
    lake: Rows = {}
    first = list(read_growing(FILE, (old,), known=[], min_bytes=1))
    known = [found[1] for obj, _ in first if (found := part_of(obj.url, obj.etag, is_current=True))]
    facts(first, lake)
    facts(list(read_growing(FILE, (new,), known=known, min_bytes=1)), lake)
    # the last record of the old file stood open when it was read, and is told by the rotated copy alone
    assert whole(old) - flat(lake) <= whole("".join(records(30)[-1:]).encode())
    assert whole(new) <= flat(lake)


def test_another_version_of_the_parser_reads_each_part_again() -> None:
    data = "".join(records(40)).encode()
    half = data[: len(data) // 2].rfind(b"\n[") + 1
    lake, read = grow([half, len(data)], data)
    digests: list[tuple[str, str]] = []
    known: list[Part] = []
    for end in (half, len(data)):
        for obj, _ in read_growing(FILE, (data[:end],), known=known, min_bytes=1):
            if found := part_of(obj.url, obj.etag, is_current=True):
                known.append(found[1])
                digests.append((obj.url, obj.etag))
    stale = [replace(part, is_current=False) for part in known]
    again = list(read_growing(FILE, (data,), known=stale, min_bytes=1))
    assert [obj.url for obj, _ in again] == [read[0][0], read[1][0], FILE.url]
    assert flat(facts(again, {})) == flat(lake)


def test_a_line_without_an_end_is_told_and_then_replaced() -> None:
    lines = records(3)
    data = (
        "".join(lines).encode()
        + b"[2026-11-23T15:20:00.000+0000] {scheduler_job_runner.py:1} INFO - Run r9 of d has timed-out"
    )
    (_part, (obj, outcome)) = read_growing(FILE, (data,), known=[], min_bytes=1)
    assert obj.url == FILE.url
    assert isinstance(outcome, Parsed)
    assert [row["run_id"] for row in outcome.rows["dag_runs"]] == ["r9"]


def test_small_files_are_read_whole() -> None:
    data: Any = "".join(records(5)).encode()
    assert [obj.url for obj, _ in read_growing(FILE, (data,), known=[])] == [FILE.url]
    assert [obj.url for obj, _ in read_growing(FILE, (gzip.compress(data),), known=[])] == [FILE.url]


def test_a_large_zipped_file_is_told_in_parts() -> None:
    """Rows of one part are in memory at a time, whatever an object unpacks to."""
    data = "".join(records(60)).encode()
    outcomes = list(read_growing(FILE, (gzip.compress(data),), known=[], min_bytes=1, part_bytes=2000))
    assert len(outcomes) > 5
    assert flat(facts(outcomes, {})) == whole(data)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.integers(1, 4000), min_size=1, max_size=40),
    st.integers(300, 20_000),
    st.booleans(),
    st.booleans(),
)
def test_it_makes_no_difference_how_the_bytes_come(
    sizes: list[int], part_bytes: int, is_zipped: bool, is_known: bool
) -> None:
    data = "".join(records(40)).encode()
    head = list(read_growing(FILE, (data[:3000],), known=[], min_bytes=1, part_bytes=part_bytes))
    known = [found[1] for obj, _ in head if (found := part_of(obj.url, obj.etag, is_current=True))]
    sent = gzip.compress(data, mtime=0) if is_zipped else data
    chunks, at = [], 0
    while at < len(sent):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(sent[at : at + size])
        at += size
    told = [
        list(read_growing(FILE, some, known=known * is_known, min_bytes=1, part_bytes=part_bytes))
        for some in ((sent,), chunks)
    ]
    assert told[0] == told[1]


def test_a_line_longer_than_a_part_is_cut_where_the_part_ends() -> None:
    """Else a file without newlines would be held whole."""
    data = (
        b"".join(one.encode() for one in records(3))
        + b"x" * 20_000
        + b"\n"
        + "".join(records(9)[3:]).encode()
    )
    outcomes = list(read_growing(FILE, (data,), known=[], min_bytes=1, part_bytes=4000))
    sizes = [obj.size for obj, _ in outcomes if obj.url != FILE.url]
    assert max(sizes) == 4000
    assert flat(facts(outcomes, {})) == whole(data)


def test_a_long_file_that_no_component_wrote_is_one_reject() -> None:
    data = b"GET /health 200\n" * 2000
    assert list(read_growing(FILE, (data,), known=[], min_bytes=1, part_bytes=4000)) == [
        (FILE, NOT_COMPONENT_LOG)
    ]


def test_parts_before_the_first_record_are_told_when_it_comes() -> None:
    data = b"GET /health 200\n" * 2000 + "".join(records(5)).encode()
    outcomes = list(read_growing(FILE, (data,), known=[], min_bytes=1, part_bytes=4000))
    assert len(outcomes) > 8
    assert flat(facts(outcomes, {})) == whole(data)


def test_a_broken_zip_is_a_reject_behind_what_could_be_read() -> None:
    data = "".join(records(400)).encode()
    sent = bytearray(gzip.compress(data))
    sent[len(sent) // 2 : len(sent) // 2 + 50] = b"\xff" * 50
    *read, (last, outcome) = read_growing(FILE, (bytes(sent),), known=[], min_bytes=1, part_bytes=2000)
    assert last == FILE
    assert isinstance(outcome, Reject)
    assert outcome.reason == "bad_gzip"
    assert all(isinstance(told, Parsed) for _, told in read)


def test_what_is_known_of_tries_does_not_grow_with_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_module, "KNOWN_TRIES", 10)
    one = facts_module.Facts()
    for number in range(50):
        key = ("d", f"r{number}", "t", -1, 1)
        one.latest[key[:4]] = key
        one.told(key, {"state": "running", "started_at": AT}, AT)
        one.close(key, AT)
        assert one.is_lost_anew(key)
        assert not one.is_lost_anew(key)
    assert len(one.tries) == len(one.latest) == len(one.closed) == len(one.lost) == 10
    assert len(one.told_tries) == 50, "what is told waits for its part to be handed on"
