"""What the records that a scan hands on say together: as the exact reader says it, with less work for each.

The scan has judged the heads, so that of a plain one level and text are known. An INFO record is here for the word that
its text begins with: that word says who has to look at it, and for most of them the record itself is not wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from windsock.model import LogKey
from windsock.parse.airflow2 import (
    AIRFLOW_FILES,
    COMMAND_FILES,
    EXECUTING,
    HOST_FILES,
    MAX_SEEN,
    OLD_AIRFLOW_FILES,
    RUNNER,
    STARTED,
    STARTED_PROCESS,
    Following,
    level_of,
    process_start,
    split_record,
)
from windsock.parse.airflow2.ending import LEAVING
from windsock.parse.airflow2.heads import CRITICAL, ERROR, FILE_AT, INFO, NOT_PLAIN, WARNING
from windsock.parse.airflow2.scan import Told
from windsock.parse.connections import CONNECTION_FILES, CONNECTION_WORDS
from windsock.parse.heads import Raw, moment
from windsock.parse.heads import told as text_of
from windsock.parse.reading import ERRORS, KEEP_OUTPUT, WARNINGS, Passed, Reading
from windsock.parse.traceback import START

_UTC = ZoneInfo("UTC")  # the stamps carry their own
_NAMES = {INFO: "INFO", WARNING: "WARNING", ERROR: "ERROR", CRITICAL: "CRITICAL"}
_START = START.encode()
_COLOUR_WITHIN = 48  # bytes of a line in which `heads.head` takes a colour out
_AIRFLOW, _RUNS, _DESCRIBES, _COMMAND, _HOOK = 1, 2, 4, 8, 16
_NOBODY = 0, ""
_FILES = {
    name.encode(): (whose, name)
    for names, whose in ((COMMAND_FILES, _COMMAND), (CONNECTION_FILES, _HOOK))
    for name in names
} | {
    name.encode(): (_AIRFLOW * (name in AIRFLOW_FILES) | _RUNS * (name == RUNNER) | _DESCRIBES, name)
    for name in HOST_FILES | OLD_AIRFLOW_FILES
}
_STARTED, _STARTED_PROCESS = STARTED.encode(), STARTED_PROCESS.encode()
# by the first eight bytes of a text (those that a scan looks for): is it about a process, its surroundings, its ending?
_STARTS, _EXECUTES, _AROUND, _ENDING, _CONNECTS = range(1, 6)
_WORDS = {
    b"Executin": _EXECUTES, b"Started ": _STARTS, b"Running ": _AROUND, b"Exportin": _AROUND, b"Marking ": _ENDING,
    b"marking ": _ENDING, b"Immediat": _ENDING, b"All retr": _ENDING, b"Task exi": _ENDING, b"Task is ": _ENDING,
    b"State of": _ENDING, b"Pausing ": _ENDING, b"Reschedu": _ENDING,
    **dict.fromkeys(CONNECTION_WORDS, _CONNECTS),
}  # fmt: skip


def interpret(key: LogKey, told: Sequence[Told], passed: Passed, *, keep_all: bool) -> Reading | None:
    """A reading whose `records` are at least those of warnings, errors and exceptions, all of `told` with `keep_all`;
    None where the exact reader has to look."""
    starts: list[Told] = []
    reading = _interpret(key, told, passed, keep_all=keep_all, starts=starts, seen=None)
    if len(starts) > 1 and len({_start(one) for one in starts}) < len(
        starts
    ):  # segments are told more than once
        if reading is None or keep_all or reading.record_count > MAX_SEEN:
            return None
        return _interpret(key, told, passed, keep_all=False, starts=[], seen=set())
    return reading


def _interpret(
    key: LogKey,
    told: Sequence[Told],
    passed: Passed,
    *,
    keep_all: bool,
    starts: list[Told],
    seen: set[tuple[str, str, str]] | None,
) -> Reading | None:
    """`starts` takes the process starts. With `seen` each record counts, and is taken once (`airflow2.once`)."""
    reading = Reading("airflow2", passed=passed, record_count=len(told) + passed.count)
    following = Following(reading, key=key, zone=_UTC, keep_output=KEEP_OUTPUT)
    for one in told:
        _no, (record, level, text_at) = one
        about = _WORDS.get(record[text_at : text_at + 8]) if level == INFO and not keep_all else None
        if about and _START not in record:
            whose, file = _FILES.get(record[FILE_AT : record.index(b":", FILE_AT)], _NOBODY)
            if not whose:
                continue
            if whose != _COMMAND and seen is None:
                if about != _STARTS:
                    text = text_of(record[text_at:].decode("utf-8", "replace"))
                    _see_info(following, file, text, about, whose, record)
                elif record.startswith(_STARTED, text_at):
                    if whose & _RUNS:
                        starts.append(one)
                    if whose & _AIRFLOW and record.startswith(_STARTED_PROCESS, text_at):
                        following.begin(is_executing=False, at=_at(record) if reading.left else None)
                continue
        raw = _raw(one)
        if raw is None:
            return None
        name = level_of(raw)
        reading.warning_count += name in WARNINGS
        reading.error_count += name in ERRORS
        if seen is not None:
            if (identity := (raw.at_text, raw.file, raw.text)) in seen:
                continue
            seen.add(identity)
        if process_start(raw):
            starts.append(one)
        following.see(raw)
    following.conclude()
    return reading


def _see_info(following: Following, file: str, text: str, about: int, whose: int, record: bytes) -> None:
    """Take an INFO record that is of interest by its first word, from a file that is."""
    if whose == _HOOK:
        following.reading.connect(text)
        return
    if about == _ENDING:
        if whose & _AIRFLOW:
            following.ending.see_info(text)
            if text.startswith(LEAVING):
                following.leave(text, _at(record))
        return
    if about == _EXECUTES and whose & _AIRFLOW and text.startswith(EXECUTING):
        following.begin(is_executing=True, at=_at(record) if following.reading.left else None)
    following.describe(file, text)


def _at(record: bytes) -> datetime | None:
    """When a record with a plain head was written."""
    return moment(record[1:29].decode(), _UTC)


def _start(one: Told) -> tuple[str, str] | None:
    raw = _raw(one)
    return process_start(raw) if raw else None


def _raw(one: Told) -> Raw | None:
    """The record as the exact reader splits it; None where it holds more than one."""
    no, (record, level, text_at) = one
    if level == NOT_PLAIN or b"\x1b" in record[:_COLOUR_WITHIN]:
        raws = split_record(record, no=no)
        return raws[0] if len(raws) == 1 else None
    file = record[FILE_AT : record.index(b":", FILE_AT)].decode()
    text = text_of(record[text_at:].decode("utf-8", "replace"))
    return Raw(no, record[1:29].decode(), None, file, _NAMES[level], text)
