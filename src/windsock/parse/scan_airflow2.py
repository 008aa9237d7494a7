"""The fast path for Airflow 2 text: record heads are found by eight-byte words at the beginnings of lines.

`[2026-11-23T15:22:59.673+0000] {file.py:12} INFO - ` has its parts at fixed offsets up to the file's name. A record is
quiet when its head has exactly this shape, its level is INFO, its file is none of Airflow's that tell of the ending,
and no traceback stands in it. Quiet records are counted; all others go to the exact reader, each with its lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from windsock.parse.airflow2 import is_head
from windsock.parse.reading import Passed
from windsock.parse.words import (
    Bools,
    Bytes,
    Ints,
    Needle,
    Shape,
    extremes,
    maybe_strange,
    places_of,
    word,
    words_at,
)

Told = tuple[int, bytes]
"""A record to decode, head and continuation, with its number."""

FILE_AT, WINDOW = 32, 48  # where the file's name begins; within how many bytes its closing brace must stand
PAD = bytes(FILE_AT + WINDOW + 16)  # so that every word looked at lies inside the buffer
_STAMP = (Shape(b"[0000-00"), Shape(b"-00T00:0"), Shape(b"0:00.000"))
_EAST, _WEST = Shape(b"+0000] {"), Shape(b"-0000] {")
_INFO, _RUNNING = word(b"} INFO -"), word(b"Running ")
# the files of Airflow whose records may tell of the ending, the host or the operator, by the first eight letters
_TELLING = tuple(
    word(name)
    for name in (b"taskinst", b"local_ta", b"standard", b"cgroup_t", b"task_com", b"cli_acti", b"base_tas")
)
_TRACEBACK = Needle(b"Traceback (most recent call last)", rare=10)


@dataclass(frozen=True, slots=True)
class _Heads:
    """Lines that begin a record, and which of those records are quiet."""

    lines: Ints
    quiet: Bools


def scan(data: bytes, ends: Sequence[int]) -> list[tuple[list[Told], Passed] | None]:
    """Segments of whole lines → the records to decode with their numbers, and what was passed over; None for a segment
    that does not begin with a record's head. `data` ends with a newline."""
    padded = data + PAD
    raw = np.frombuffer(padded, np.uint8)
    stops = places_of(raw, 10)
    starts = np.empty_like(stops)
    starts[0] = 0
    starts[1:] = stops[:-1] + 1
    bounds = np.searchsorted(stops, np.asarray(ends) - 1, side="right")
    heads = _heads(data, raw, starts, stops, bounds)
    at = words_at(raw)
    quiet_starts = starts[heads.lines[heads.quiet]]
    stamps = at(quiet_starts + 1), at(quiet_starts + 9), at(quiet_starts + 16)
    edges = np.searchsorted(heads.lines, bounds)
    loud = np.flatnonzero(~heads.quiet)
    cuts = np.searchsorted(loud, edges)
    spans = extremes(stamps, edges - cuts)
    results: list[tuple[list[Told], Passed] | None] = []
    first_line, first, cut = 0, 0, 0
    for bound, edge, next_cut, span in zip(
        bounds.tolist(), edges.tolist(), cuts.tolist(), spans, strict=True
    ):
        if edge == first or heads.lines[first] != first_line:
            results.append(None)
        else:
            ours = _Heads(heads.lines[first:edge], heads.quiet[first:edge])
            results.append(_segment(data, starts, ours, loud[cut:next_cut] - first, ends[len(results)], span))
        first_line, first, cut = bound, edge, next_cut
    return results


def _heads(data: bytes, raw: Bytes, starts: Ints, stops: Ints, bounds: Ints) -> _Heads:
    """Every line that begins a record. Lines of another shape that may be heads are put to the exact reader's test."""
    initial = raw[starts]
    may_be = np.flatnonzero((initial == ord("[")) | (initial == 0x1B))
    at = words_at(raw)
    begin = starts[may_be]
    zone = at(begin + 24)
    wrong = np.minimum(_EAST.misfit(zone), _WEST.misfit(zone))  # zero where either fits
    for offset, shape in zip((0, 8, 16), _STAMP, strict=True):
        wrong |= shape.misfit(at(begin + offset))
    # stamps of one segment compare as text only within one zone: that of its first line
    firsts = np.concatenate((np.zeros(1, np.int64), bounds[:-1]))
    zones = at(starts[np.minimum(firsts, len(starts) - 1)] + 24)
    wrong |= zone ^ (zones[np.searchsorted(bounds, may_be, side="right")] if len(bounds) > 1 else zones)
    quiet = wrong == 0
    quiet[quiet] = _is_quiet_head(raw, begin[quiet])
    others = np.flatnonzero(~quiet)
    heads = quiet.copy()
    for place, start, stop in zip(
        others.tolist(), begin[others].tolist(), stops[may_be[others]].tolist(), strict=True
    ):
        heads[place] = is_head(data[start:stop])
    lines, quiet = may_be[heads], quiet[heads]
    for place in np.searchsorted(starts[lines], _TRACEBACK.places(raw), side="right").tolist():
        if place:
            quiet[place - 1] = False
    return _Heads(lines, quiet)


def _is_quiet_head(raw: Bytes, begin: Ints) -> Bools:
    """Of lines that begin with a stamp: is the rest `{name:digits} INFO -`, and the name none that tells?"""
    at = words_at(raw)
    name_at = begin + FILE_AT
    window = np.lib.stride_tricks.sliding_window_view(raw, WINDOW)[name_at]
    brace, colon = (window == ord("}")).argmax(axis=1), (window == ord(":")).argmax(axis=1)
    count = brace - colon - 1
    good = (colon > 0) & (count >= 1) & (count <= 6) & (window[:, 0] != ord("{"))
    eights = window.view("<u8")
    doubtful = brace > 24
    for column in range(3):
        doubtful |= maybe_strange(eights[:, column])
    good[doubtful] &= ~_has_strange(window[doubtful], brace[doubtful])
    shift = (8 * (8 - np.clip(count, 1, 7))).astype(np.uint64)
    number = at(name_at + brace - 8) >> shift
    ones = word(b"\1" * 8) >> shift
    good &= (number & (ones * np.uint64(0xF0))) == ones * np.uint64(0x30)
    good &= ((number + ones * np.uint64(6)) & (ones * np.uint64(0xF0))) == ones * np.uint64(0x30)
    good &= at(name_at + brace) == _INFO
    good &= at(name_at + brace + 9) != _RUNNING
    name = eights[:, 0]
    for telling in _TELLING:
        good &= name != telling
    return np.asarray(good, np.bool_)


def _has_strange(window: Bytes, brace: Ints) -> Bools:
    """Whether a byte that is no printable ASCII stands before the closing brace: the exact reader decides then."""
    strange = (window < 0x20) | (window >= 0x7F)
    return np.asarray((strange & (np.arange(window.shape[1]) < brace[:, None])).any(axis=1), np.bool_)


def _segment(
    data: bytes, starts: Ints, heads: _Heads, loud: Ints, end: int, span: tuple[bytes, bytes]
) -> tuple[list[Told], Passed]:
    """One segment's records to decode; the count and the times of the others."""
    count = len(heads.lines)
    offsets = starts[heads.lines[np.concatenate((loud, np.minimum(loud + 1, count - 1)))]].tolist()
    told: list[Told] = []
    for place, no in enumerate(loud.tolist()):
        stop = end if no + 1 == count else offsets[len(loud) + place]
        told.append((no, data[offsets[place] : stop - 1]))
    passed = Passed(count - len(told))
    if passed.count:
        passed.first_no = int(np.argmax(heads.quiet))
        start = int(starts[heads.lines[passed.first_no]])
        zone = data[start + 24 : start + 29]
        passed.first_at = _moment(data[start + 1 : start + 24] + zone)
        passed.low_at, passed.high_at = (_moment(row[:16] + row[17:] + zone) for row in span)
    return told, passed


def _moment(stamp: bytes) -> datetime | None:
    try:
        return datetime.fromisoformat(stamp.decode("ascii")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
