"""Many task logs at once: the fast path where it can prove itself, the exact path everywhere else.

Both paths give the same rows. The fast path scans the bytes of many objects as one buffer and decodes only the lines
that tell; an object for which that is not enough (a time that cannot be true, a failed command whose output names the
error, an unknown dialect) is read by the exact path. `task_logs.read_path` says which one it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from windsock.model import LogKey, Outcome
from windsock.parse import airflow3, scan_airflow3
from windsock.parse.reading import Passed, Reading
from windsock.parse.task_log import Lines, as_rows, plausible, read_task_log
from windsock.signature import COMMAND

SCAN_BYTES = 1 << 20  # a scan's columns then stay in the processor's cache
AIRFLOW3 = b'{"timestamp":"'


@dataclass(frozen=True, slots=True)
class LogObject:
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
    if lines != "all":
        for place, reading in _scanned(objects):
            one = objects[place]
            if _is_enough(reading, one.modified_at):
                outcomes[place] = as_rows(
                    one.key, reading, len(one.data), object_url=one.url, etag=one.etag,
                    modified_at=one.modified_at, lines=lines, read_path="fast",
                )  # fmt: skip
    return [
        done
        or read_task_log(
            one.key, one.data, object_url=one.url, etag=one.etag, modified_at=one.modified_at,
            lines=lines, timezone=timezone,
        )
        for one, done in zip(objects, outcomes, strict=True)
    ]  # fmt: skip


def _is_enough(reading: Reading, modified_at: datetime) -> bool:
    """Whether what was passed over cannot matter to this object's rows."""
    passed, failure = reading.passed, reading.failure
    if passed.count and not (
        plausible(passed.low_at, modified_at) and plausible(passed.high_at, modified_at)
    ):
        return False
    return not (failure and COMMAND.search(failure.message))


def _scanned(objects: Sequence[LogObject]) -> Iterator[tuple[int, Reading]]:
    """(place, reading) of the objects that begin as Airflow 3 writes them."""
    told: dict[int, list[scan_airflow3.Told]] = {}
    passed: dict[int, Passed] = {}
    for data, owners, ends in _buffers(objects):
        for place, (lines, over) in zip(owners, scan_airflow3.scan(data, ends), strict=True):
            if place in told:
                _append(told[place], passed[place], lines, over)
            else:
                told[place], passed[place] = lines, over
    for place, lines in told.items():
        reading = Reading("airflow3", passed=passed[place])
        yield place, airflow3.interpret(reading, (airflow3.decode_line(text, no=no) for no, text in lines))


def _append(
    told: list[scan_airflow3.Told], passed: Passed, lines: list[scan_airflow3.Told], over: Passed
) -> None:
    """A further segment of the same object: its numbers go on where the segments before ended."""
    before = len(told) + passed.count
    told += ((no + before, text) for no, text in lines)
    passed.add(over, before=before)


def _buffers(objects: Sequence[LogObject]) -> Iterator[tuple[bytes, list[int], list[int]]]:
    """(buffer of whole lines, whose segments, their ends): small objects together, large ones in pieces."""
    parts: list[bytes] = []
    owners: list[int] = []
    ends: list[int] = []
    size = 0
    for place, one in enumerate(objects):
        if not one.data.startswith(AIRFLOW3):
            continue
        for piece in _pieces(one.data):
            if size and size + len(piece) > SCAN_BYTES:
                yield b"".join(parts), owners, ends
                parts, owners, ends, size = [], [], [], 0
            parts.append(piece)
            size += len(piece)
            owners.append(place)
            ends.append(size)
    if parts:
        yield b"".join(parts), owners, ends


def _pieces(data: bytes) -> Iterator[bytes]:
    """Whole lines, each piece about as large as one scan; the last line gets the newline it may lack."""
    if len(data) <= SCAN_BYTES:
        yield data if data.endswith(b"\n") else data + b"\n"
        return
    at = 0
    while at < len(data):
        stop = data.rfind(b"\n", at, at + SCAN_BYTES) + 1 or data.find(b"\n", at) + 1
        yield data[at:stop] if stop else data[at:] + b"\n"
        at = stop or len(data)
