"""The fast path for Airflow 3: whole columns of bytes decide which lines are worth decoding.

Airflow writes `{"timestamp":"…Z","level":"info","event":"…` in this order, so the head of a line lies at fixed offsets.
Lines that `airflow3.is_quiet` are counted by eight-byte words of their heads; all others are handed to the exact
reader. Several small objects are scanned as one buffer: the cost per call is paid once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from windsock.parse.airflow3 import STARTS
from windsock.parse.airflow3.lines import DULL_EVENTS, ERROR_DETAIL, EVENT_AT, TASK_LOGGER, moment
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
_GROUP, _PRE = word(b"::group:"), word(b"oup::Pre")


def scan(data: bytes, ends: Sequence[int], take: Take | None = None) -> list[tuple[list[Told], Passed]]:
    """Segments of whole lines (`ends` are their ends in `data`, each after a newline) → the lines to decode with their
    record numbers, and what was passed over. `data` ends with a newline; zeros may follow it. With `take`, only those
    quiet lines are passed over that it takes as columns."""
    raw = np.frombuffer(data, np.uint8)
    stops = places_of(raw, 10)
    starts = np.empty_like(stops)
    starts[0] = 0
    starts[1:] = stops[:-1] + 1
    bounds = np.searchsorted(stops, np.asarray(ends) - 1, side="right")
    quiet, stamps = _quiet(raw, starts, stops, bounds)
    if take is not None:
        taken = take(_told_apart(data, raw, starts, stops, bounds, quiet, stamps))
        quiet[quiet] = taken
        stamps = tuple(stamp[taken] for stamp in stamps)
    loud = np.flatnonzero(~quiet)
    cuts = np.searchsorted(loud, bounds)
    spans = extremes(stamps, bounds - cuts)
    places = list(zip(loud.tolist(), starts[loud].tolist(), stops[loud].tolist(), strict=True))
    results = []
    first, cut = 0, 0
    for bound, next_cut, (low, high) in zip(bounds.tolist(), cuts.tolist(), spans, strict=True):
        told, passed, first_quiet = _segment(data, first, bound, places[cut:next_cut])
        if passed.count:
            start = int(starts[first_quiet])
            first_text = data[start + 14 : start + 41].decode("ascii", "replace")
            passed.first_at = moment(first_text)
            passed.low_at = passed.first_at if _text(low) == first_text else moment(_text(low))
            passed.high_at = moment(_text(high))
        results.append((told, passed))
        first, cut = bound, next_cut
    return results


def _told_apart(
    data: bytes, raw: Bytes, starts: Ints, stops: Ints, bounds: Ints, quiet: Bools, stamps: tuple[Words, ...]
) -> Quiet:
    """The quiet lines with their segments and record numbers. Blank lines are no records."""
    lines = np.flatnonzero(quiet)
    may_be_blank = np.flatnonzero(raw[starts] <= ord(" ")).tolist()
    blank = np.array([i for i in may_be_blank if not data[starts[i] : stops[i]].strip()], np.int64)
    segments = np.searchsorted(bounds, lines, side="right")
    firsts = np.concatenate((np.zeros(1, np.int64), bounds[:-1]))[segments]
    before = np.searchsorted(blank, lines) - np.searchsorted(blank, firsts)
    return Quiet(data, starts[quiet], stops[quiet], segments, lines - firsts - before, stamps)


def _quiet(raw: Bytes, starts: Ints, stops: Ints, bounds: Ints) -> tuple[Bools, tuple[Words, ...]]:
    """Which lines are passed over, and the words of their time stamps: date, time of day, fraction."""
    long_enough = stops - starts >= SHORTEST
    if len(raw) <= SHORTEST:
        nothing = np.zeros(0, np.uint64)
        return np.zeros_like(long_enough), (nothing, nothing, nothing)
    safe = starts if long_enough.all() else np.where(long_enough, starts, 0)
    rows = Rows(raw, safe, SHORTEST)
    stamps = rows.word(16), rows.word(25), rows.word(33)
    wrong = _DATE.misfit(stamps[0]) | _TIME.misfit(stamps[1])
    wrong |= _FRACTION.misfit(stamps[2])
    for offset, text in _HEAD:
        wrong |= rows.word(offset) ^ text
    level = rows.word(51)
    is_info = (level == _INFO) & (rows.word(59) == _EVENT)
    quiet = long_enough & (raw[stops - 1] == ord("}")) & (wrong == 0) & (is_info | (level == _DEBUG))
    quiet[np.searchsorted(stops, _DETAIL.places(raw))] = False
    spoken = np.searchsorted(stops, _SPOKEN.places(raw))
    said = rows.word(EVENT_AT)
    is_dull = is_info[spoken] & ((said[spoken] == _DULL[0]) | (said[spoken] == _DULL[1]))
    quiet[spoken[~is_dull]] = False
    telling = np.flatnonzero(quiet & ((said == _STARTS[0]) | (said == _STARTS[1])))
    if len(telling):  # of a segment in which no group opens a process
        groups = spoken[(said[spoken] == _GROUP) & (rows.word(EVENT_AT + 4)[spoken] == _PRE)]
        segments = np.searchsorted(bounds, telling, side="right")
        firsts = np.concatenate((np.zeros(1, np.int64), bounds[:-1]))
        has_group = np.searchsorted(groups, bounds) > np.searchsorted(groups, firsts)
        quiet[telling[~has_group[segments]]] = False
    return quiet, stamps if quiet.all() else tuple(stamp[quiet] for stamp in stamps)


def _text(row: bytes) -> str:
    return f"20{row[:8].decode()}T{row[8:].decode()}"


def _segment(
    data: bytes, first: int, bound: int, places: list[tuple[int, int, int]]
) -> tuple[list[Told], Passed, int]:
    """One segment's lines to decode, the count of the others, and the first of those. A blank line is no record."""
    told: list[Told] = []
    passed = Passed()
    blank, expected, first_quiet = 0, first, -1
    for index, start, stop in places:
        if first_quiet < 0 and index > expected:
            first_quiet, passed.first_no = expected, expected - first - blank
        expected = index + 1
        line = data[start:stop]
        if line.strip():
            told.append((index - first - blank, line))
        else:
            blank += 1
    if first_quiet < 0 and bound > expected:
        first_quiet, passed.first_no = expected, expected - first - blank
    passed.count = bound - first - len(told) - blank
    return told, passed, first_quiet
