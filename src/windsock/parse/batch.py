"""Many task logs at once: the fast path where it can prove itself, the exact path everywhere else.

Both paths give the same rows. The fast path scans the bytes of many objects as one buffer and decodes only the lines
that tell; an object for which that is not enough (a time that cannot be true, a failed command whose output names the
error, an unknown dialect) is read by the exact path. `task_logs.read_path` says which one it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from windsock.model import LogKey, Outcome, Row
from windsock.parse import airflow2, dialects
from windsock.parse.airflow2 import quick
from windsock.parse.airflow2 import scan as scan_airflow2
from windsock.parse.airflow2.columns import Airflow2Columns
from windsock.parse.airflow2.scan import PAD
from windsock.parse.airflow3 import scan as scan_airflow3
from windsock.parse.airflow3.columns import Airflow3Columns
from windsock.parse.airflow3.lines import structs
from windsock.parse.airflow3.quick import ToldLines, read_told, read_with_output
from windsock.parse.blame import Case, blame_all
from windsock.parse.columns import Take
from windsock.parse.events import Events
from windsock.parse.pieces import RECORD_BYTES, capped
from windsock.parse.reading import Passed, Reading
from windsock.parse.signing import sign_all
from windsock.parse.task_log import (
    MAX_MESSAGE_BYTES,
    Lines,
    as_rows,
    bounds_of,
    read_task_log,
    texts_of,
)
from windsock.redaction.bulk import learn
from windsock.signature import is_of_command

SCAN_BYTES = 2 << 20  # a scan's columns then stay in the processor's cache, and its calls are few
Told = tuple[Any, ...]
"""What a scan hands on: a record's number, its bytes, and what its dialect has seen of it."""


Segment = tuple[Any, Passed]
"""What a scan tells of whole records of one object: its dialect's list of those to look at, and the others. None stands
for one that it cannot account for."""


class LogObject(msgspec.Struct, frozen=True, gc=False):
    """One object as it was fetched."""

    key: LogKey
    data: bytes
    url: str
    etag: str
    modified_at: datetime


def read_task_logs(
    objects: Sequence[LogObject], *, lines: Lines = "errors", timezone: str = "UTC"
) -> list[Outcome]:
    """One outcome per object, in order."""
    outcomes: list[Outcome | None] = [None] * len(objects)
    events = Events() if lines == "all" else None
    cases: list[tuple[Row, Case]] = []
    readings = [*_accounted_for(objects, events)]
    learn(text for _place, reading in readings for text in texts_of(reading, lines))
    signed = sign_all(reading for _place, reading in readings)
    for place, reading in readings:
        one = objects[place]
        told = as_rows(
            one.key, reading, len(one.data), object_url=one.url, etag=one.etag,
            modified_at=one.modified_at, lines=lines, read_path="fast", cases=cases, signed=signed,
        )  # fmt: skip
        outcomes[place] = replace(told, columns={"log_events": events.slices(place)}) if events else told
    learn(())
    for (row, _case), blamed in zip(cases, blame_all([case for _row, case in cases]), strict=True):
        row["blame"] = blamed
    return [
        done
        or read_task_log(
            one.key, one.data, object_url=one.url, etag=one.etag, modified_at=one.modified_at,
            lines=lines, timezone=timezone,
        )
        for one, done in zip(objects, outcomes, strict=True)
    ]  # fmt: skip


def _accounted_for(objects: Sequence[LogObject], events: Events | None) -> Iterator[tuple[int, Reading]]:
    """(place, reading) of the objects for which the fast path is enough."""
    for place, reading in _scanned(objects, events):
        one = objects[place]
        if not _has_likely_times(reading.passed, one.modified_at):
            continue
        if (reading.failure or reading.records) and _tells_of_command(reading):
            if reading.passed.commands:
                continue
            if reading.dialect == "airflow3":
                if events is not None or len(one.data) > SCAN_BYTES:
                    continue
                reading = read_with_output(one.data, reading.passed)
        yield place, reading


def _has_likely_times(passed: Passed, modified_at: datetime) -> bool:
    """Whether all that was passed over has times that can be true: else only those of the others may count."""
    low_at, high_at = passed.low_at, passed.high_at
    if low_at is None or high_at is None:
        return not passed.has_times
    low, high = bounds_of(modified_at)
    return low <= low_at <= high_at <= high


def _tells_of_command(reading: Reading) -> bool:
    """Whether a command failed, so that its output tells the error. Nothing that was passed over is a command's word."""
    if reading.failure and is_of_command(reading.failure.message):
        return True
    for record in reading.records:
        if record.failure and record.failure is not reading.failure and is_of_command(record.failure.message):
            return True
    return False


def _scanned(objects: Sequence[LogObject], events: Events | None) -> Iterator[tuple[int, Reading]]:
    """(place, reading) of the objects that begin as Airflow writes them and that their scan can account for. What is
    passed over goes to `events`, if there are any to be."""
    for dialect in (_Airflow3(), _Airflow2(keep_all=events is not None)):
        taker = dialect.columns(events.names, longest=MAX_MESSAGE_BYTES) if events else None
        long: dict[int, Segment | None] = {}  # objects of several segments, as far as they are scanned
        for data, owners, ends in _buffers(objects, dialect):
            segments = dialect.scan(data, ends, taker.take if taker else None)
            before = [0] * len(owners)
            for at, place in enumerate(owners):
                if len(objects[place].data) > SCAN_BYTES:
                    before[at] = _record_count(long.get(place))
                    long[place] = _joined(long[place], segments[at]) if place in long else segments[at]
            if events and taker and taker.taken:
                told = [(place, objects[place].key, objects[place].url) for place in owners]
                events.add(taker.taken, told, before=before)
            for place, segment in zip(owners, segments, strict=True):
                if segment is None or place in long:
                    continue
                if reading := dialect.interpret(objects[place].key, *segment):
                    yield place, reading
        for place, segment in long.items():
            if segment and (reading := dialect.interpret(objects[place].key, *segment)):
                yield place, reading


class _Airflow3:
    """JSON lines."""

    borders = dialects.BORDERS["airflow3"]

    def begins(self, data: bytes) -> bool:
        return dialects.begins_as_airflow3(data)

    columns = Airflow3Columns
    _keeps_all = False

    def scan(self, data: bytes, ends: Sequence[int], take: Take | None) -> Sequence[Segment | None]:
        self._keeps_all = take is not None
        seen = scan_airflow3.look(data, ends, take)
        told = ToldLines(seen.numbers, seen.texts, structs(seen.texts, seen.headed))
        odd = [at for at in seen.groups if not told.opens_group(at)]
        results: list[Segment | None] = []
        first = 0
        for stop, passed in zip(seen.cuts, seen.passed, strict=True):
            # by its bytes the first of a process: what tells that without was passed over
            is_odd = bool(odd) and any(first <= at < stop for at in odd)
            results.append(None if is_odd else (told.part(first, stop), passed))
            first = stop
        return results

    def cut(self, data: bytes, at: int) -> int:
        """Where a piece that begins at `at` ends: behind a whole line."""
        return data.rfind(b"\n", at, at + SCAN_BYTES) + 1 or data.find(b"\n", at) + 1 or len(data)

    def interpret(self, key: LogKey, told: ToldLines, passed: Passed) -> Reading:
        return read_told(told, passed, keep_all=self._keeps_all)


class _Airflow2:
    """Text records."""

    def __init__(self, *, keep_all: bool) -> None:
        self._keep_all = keep_all

    borders = dialects.BORDERS["airflow2"]

    def begins(self, data: bytes) -> bool:
        return data.startswith(b"[2") and data[11:12] == b"T" and dialects.begins_as_airflow2(data)

    columns = Airflow2Columns

    def scan(self, data: bytes, ends: Sequence[int], take: Take | None) -> Sequence[Segment | None]:
        return scan_airflow2.scan(data, ends, take)

    def cut(self, data: bytes, at: int) -> int:
        """Where a piece that begins at `at` ends: before a record's head."""
        stop = data.rfind(b"\n[2", at + 1, at + SCAN_BYTES) + 1
        while stop > at and not airflow2.is_head(data[stop : stop + 200].split(b"\n", 1)[0]):
            stop = data.rfind(b"\n[2", at + 1, stop - 1) + 1
        return stop or len(data)

    def interpret(self, key: LogKey, told: list[scan_airflow2.Told], passed: Passed) -> Reading | None:
        return quick.interpret(key, told, passed, keep_all=self._keep_all)


def _record_count(segment: Segment | None) -> int:
    """How many records of its object a segment accounts for."""
    return len(segment[0]) + segment[1].count if segment else 0


def _joined(before: Segment | None, segment: Segment | None) -> Segment | None:
    """A further segment of the same object: its numbers go on where the segments before ended."""
    if before is None or segment is None:
        return None
    count = _record_count(before)
    before[0].extend((no + count, *rest) for no, *rest in segment[0])
    before[1].add(segment[1], before=count)
    return before


def _buffers(
    objects: Sequence[LogObject], dialect: _Airflow3 | _Airflow2
) -> Iterator[tuple[bytes, list[int], list[int]]]:
    """(buffer of whole lines with the scans' padding behind, whose segments, their ends): small objects together, large
    ones in pieces. A last line gets the newline it may lack. Each byte is copied once."""
    parts: list[bytes | memoryview] = []
    owners: list[int] = []
    ends: list[int] = []
    size = 0
    for place, one in enumerate(objects):
        data = one.data
        if not dialect.begins(data) or (len(data) > RECORD_BYTES and capped(data, dialect.borders)[1]):
            continue
        for piece in (data,) if len(data) <= SCAN_BYTES else _pieces(data, dialect):
            if size and size + len(piece) > SCAN_BYTES:
                yield b"".join((*parts, PAD)), owners, ends
                parts, owners, ends, size = [], [], [], 0
            parts.append(piece)
            size += len(piece)
            if piece[-1] != 10:
                parts.append(b"\n")
                size += 1
            owners.append(place)
            ends.append(size)
    if parts:
        yield b"".join((*parts, PAD)), owners, ends


def _pieces(data: bytes, dialect: _Airflow3 | _Airflow2) -> Iterator[memoryview]:
    """Whole records, each piece about as large as one scan."""
    view = memoryview(data)
    at = 0
    while at < len(data):
        stop = len(data) if len(data) - at <= SCAN_BYTES else dialect.cut(data, at)
        yield view[at:stop]
        at = stop
