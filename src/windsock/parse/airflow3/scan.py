"""The fast path for Airflow 3: whole columns of bytes decide which lines are worth decoding.

Airflow writes `{"timestamp":"…Z","level":"info","event":"…` in this order, so the head of a line lies at fixed offsets.
Lines that `airflow3.is_quiet` are counted by eight-byte words of their heads; all others are handed to the exact
reader. Several small objects are scanned as one buffer: the cost per call is paid once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from windsock.parse.airflow3 import CONNECTS, STARTS
from windsock.parse.airflow3.lines import DULL_EVENTS, ERROR_DETAIL, EVENT_AT, TASK_LOGGER
from windsock.parse.columns import Quiet, Take
from windsock.parse.reading import Passed
from windsock.parse.words import (
    Bools,
    Bytes,
    Ints,
    Needle,
    Rows,
    Shape,
    Words,
    extremes,
    places_of,
    word,
)

SHORTEST = 80  # bytes; a shorter line is decoded, so that every word looked at lies inside its line
Told = tuple[int, bytes]
"""A line to decode, with its record number."""

_HEAD = ((0, word(b'{"timest')), (8, word(b'amp":"20')), (40, word(b'Z","leve')), (44, word(b'level":"')))
_DATE, _TIME, _FRACTION = Shape(b"00-00-00"), Shape(b"00:00:00"), Shape(b".000000Z")
_INFO, _EVENT, _DEBUG = word(b'"info","'), word(b'event":"'), word(b'"debug",')
_SPOKEN, _DETAIL = Needle(TASK_LOGGER, rare=13), Needle(ERROR_DETAIL, rare=6)
_DULL = tuple(word(text) for text in DULL_EVENTS)
_STARTS = tuple(word(text[:8]) for text in STARTS)
_CONNECTS = tuple(word(text) for text in CONNECTS)
_GROUP, _PRE = word(b"::group:"), word(b"oup::Pre")


class Look(NamedTuple):
    """Lines to decode, those of segment `i` from `cuts[i - 1]` to `cuts[i]`, and by segment what was passed over.
    `headed` are those that end as an object does, begin as Airflow writes them, and are not quiet; `groups` are the
    places of those that by their bytes open a process."""

    numbers: list[int]
    texts: list[bytes]
    headed: list[bool]
    groups: list[int]
    cuts: list[int]
    passed: list[Passed]


def scan(data: bytes, ends: Sequence[int], take: Take | None = None) -> list[tuple[list[Told], Passed]]:
    """As `look`, segment by segment."""
    seen = look(data, ends, take)
    told = [*zip(seen.numbers, seen.texts, strict=True)]
    cuts = zip([0, *seen.cuts[:-1]], seen.cuts, seen.passed, strict=True)
    return [(told[first:stop], passed) for first, stop, passed in cuts]


def look(data: bytes, ends: Sequence[int], take: Take | None = None) -> Look:
    """Segments of whole lines (`ends` are their ends in `data`, each after a newline) → the lines to decode with their
    record numbers, and what was passed over. `data` ends with a newline; zeros may follow it. With `take`, only those
    quiet lines are passed over that it takes as columns."""
    raw = np.frombuffer(data, np.uint8)
    stops = places_of(raw, 10)
    starts = np.empty_like(stops)
    starts[0] = 0
    starts[1:] = stops[:-1] + 1
    bounds = np.searchsorted(stops, np.asarray(ends) - 1, side="right")
    quiet, headed, groups, stamps = _quiet(raw, starts, stops, bounds)
    if take is not None:
        taken = take(_told_apart(data, raw, starts, stops, bounds, quiet, stamps))
        quiet[quiet] = taken
        stamps = tuple(stamp[taken] for stamp in stamps)
    loud = np.flatnonzero(~quiet)
    firsts = np.concatenate((np.zeros(1, np.int64), bounds[:-1]))
    quiet_bounds = bounds - np.searchsorted(loud, bounds)
    blank = _blank(data, raw, starts, stops, loud)
    if len(blank):
        loud = loud[~np.isin(loud, blank)]
    texts = [data[at:stop] for at, stop in zip(starts[loud].tolist(), stops[loud].tolist(), strict=True)]
    numbers = _numbers(loud, firsts[np.searchsorted(bounds, loud, side="right")], blank)
    passed = _passed(data, starts, quiet, firsts, quiet_bounds, blank, extremes(stamps, quiet_bounds))
    return Look(
        numbers.tolist(), texts, headed[loud].tolist(), np.searchsorted(loud, groups).tolist(),
        np.searchsorted(loud, bounds).tolist(), passed,
    )  # fmt: skip


def _blank(data: bytes, raw: Bytes, starts: Ints, stops: Ints, lines: Ints) -> Ints:
    """Those of some lines that are blank, and so no records."""
    may_be = lines[raw[starts[lines]] <= ord(" ")].tolist()
    return np.array([i for i in may_be if not data[starts[i] : stops[i]].strip()], np.int64)


def _numbers(lines: Ints, firsts: Ints, blank: Ints) -> Ints:
    """The record numbers of lines, by the first line of the segment of each."""
    if not len(blank):
        return lines - firsts
    return lines - firsts - (np.searchsorted(blank, lines) - np.searchsorted(blank, firsts))


def _passed(
    data: bytes,
    starts: Ints,
    quiet: Bools,
    firsts: Ints,
    bounds: Ints,
    blank: Ints,
    spans: list[tuple[bytes, bytes]],
) -> list[Passed]:
    """What was passed over in each segment; `bounds` are the ends of the segments among the quiet lines."""
    befores = np.concatenate((np.zeros(1, np.int64), bounds[:-1]))
    full = np.flatnonzero(bounds > befores)
    passed = [Passed() for _ in spans]
    first_quiet = np.flatnonzero(quiet)[befores[full]]
    numbers = _numbers(first_quiet, firsts[full], blank)
    counts = (bounds - befores)[full]
    for place, count, first_no, start in zip(
        full.tolist(), counts.tolist(), numbers.tolist(), starts[first_quiet].tolist(), strict=True
    ):
        low, high = spans[place]
        first_at = _time(data[start + 14 : start + 41].decode("latin-1"))
        is_first = data.startswith(low[:8], start + 16) and data.startswith(low[8:], start + 25)
        low_at = first_at if is_first else _time(_text(low))
        passed[place] = Passed(
            count, first_no, first_at, low_at, low_at if low == high else _time(_text(high))
        )
    return passed


def _told_apart(
    data: bytes, raw: Bytes, starts: Ints, stops: Ints, bounds: Ints, quiet: Bools, stamps: tuple[Words, ...]
) -> Quiet:
    """The quiet lines with their segments and record numbers. Blank lines are no records."""
    lines = np.flatnonzero(quiet)
    blank = _blank(data, raw, starts, stops, np.arange(len(starts)))
    segments = np.searchsorted(bounds, lines, side="right")
    firsts = np.concatenate((np.zeros(1, np.int64), bounds[:-1]))[segments]
    return Quiet(data, starts[quiet], stops[quiet], segments, _numbers(lines, firsts, blank), stamps)


def _quiet(
    raw: Bytes, starts: Ints, stops: Ints, bounds: Ints
) -> tuple[Bools, Bools, Ints, tuple[Words, ...]]:
    """Which lines are passed over, which others are headed (`Look`), which open a process, and the words of the time
    stamps of those passed over: date, time of day, fraction."""
    long_enough = stops - starts >= SHORTEST
    if len(raw) <= SHORTEST:
        nothing = np.zeros(0, np.uint64)
        nowhere = np.zeros_like(long_enough)
        return nowhere, nowhere, np.flatnonzero(nowhere), (nothing, nothing, nothing)
    safe = starts if long_enough.all() else np.where(long_enough, starts, 0)
    rows = Rows(raw, safe, SHORTEST)
    stamps = rows.word(16), rows.word(25), rows.word(33)
    wrong = _DATE.misfit(stamps[0]) | _TIME.misfit(stamps[1])
    wrong |= _FRACTION.misfit(stamps[2])
    for offset, text in _HEAD:
        wrong |= rows.word(offset) ^ text
    level = rows.word(51)
    is_info = (level == _INFO) & (rows.word(59) == _EVENT)
    headed = long_enough & (raw[stops - 1] == ord("}")) & (wrong == 0)
    quiet = headed & (is_info | (level == _DEBUG))
    quiet[np.searchsorted(stops, _DETAIL.places(raw))] = False
    spoken = np.searchsorted(stops, _SPOKEN.places(raw))
    said = rows.word(EVENT_AT)
    is_dull = is_info[spoken] & ((said[spoken] == _DULL[0]) | (said[spoken] == _DULL[1]))
    quiet[spoken[~is_dull]] = False
    headed &= ~quiet
    groups = spoken[long_enough[spoken] & (said[spoken] == _GROUP)]
    groups = groups[rows.word(EVENT_AT + 4)[groups] == _PRE]
    telling = np.flatnonzero(quiet & ((said == _STARTS[0]) | (said == _STARTS[1])))
    if len(telling):  # of a segment in which no group opens a process
        segments = np.searchsorted(bounds, telling, side="right")
        firsts = np.concatenate((np.zeros(1, np.int64), bounds[:-1]))
        has_group = np.searchsorted(groups, bounds) > np.searchsorted(groups, firsts)
        quiet[telling[~has_group[segments]]] = False
    for text in _CONNECTS:
        quiet[said == text] = False
    return quiet, headed, groups, stamps if quiet.all() else tuple(stamp[quiet] for stamp in stamps)


def _text(row: bytes) -> str:
    return f"20{row[:8].decode()}T{row[8:].decode()}"


def _time(text: str) -> datetime | None:
    """The time that a stamp in UTC spells, if there is such a day and hour."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
