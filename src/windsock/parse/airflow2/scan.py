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
from windsock.parse.columns import Quiet, Take
from windsock.parse.reading import Passed
from windsock.parse.words import (
    Bools,
    Bytes,
    Ints,
    Needle,
    OneOf,
    Rows,
    Shape,
    Words,
    bytes_equal,
    count_bytes,
    extremes,
    last_no_digit,
    lowest_byte,
    maybe_strange,
    places_of,
    word,
    words_at,
)

Told = tuple[int, bytes]
"""A record to decode, head and continuation, with its number."""

FILE_AT, WINDOW = 32, 48  # where the file's name begins; within how many bytes its closing brace must stand
PAD = bytes(FILE_AT + WINDOW + 32)  # so that every row looked at lies inside the buffer
_STAMP = (Shape(b"[0000-00"), Shape(b"-00T00:0"), Shape(b"0:00.000"))
_EAST, _WEST = Shape(b"+0000] {"), Shape(b"-0000] {")
_INFO, _NOTHING = word(b" INFO - "), np.uint64(0)
# how the records begin that may tell of a process, its host, its operator or its ending (`airflow2`, `ending2`)
_TELLING = OneOf(
    (b"Executin", b"Exportin", b"Started ", b"Running ", b"Marking ", b"marking ", b"Immediat", b"All retr", b"Task exi", b"Task is ",
     b"State of", b"Pausing ", b"Reschedu")
)  # fmt: skip
_TRACEBACK = Needle(b"Traceback (most recent call last)", rare=10)


@dataclass(frozen=True, slots=True)
class _Heads:
    """Lines that begin a record, and which of those records are quiet."""

    lines: Ints
    quiet: Bools


def scan(
    data: bytes, ends: Sequence[int], take: Take | None = None
) -> list[tuple[list[Told], Passed] | None]:
    """Segments of whole lines → the records to decode with their numbers, and what was passed over; None for a segment
    that does not begin with a record's head. `data` ends with a newline, and mostly PAD behind it. With `take`, only those quiet records are
    passed over that it takes as columns."""
    padded = data if data.endswith(PAD) else data + PAD
    raw = np.frombuffer(padded, np.uint8)
    stops = places_of(raw, 10)
    starts = np.empty_like(stops)
    starts[0] = 0
    starts[1:] = stops[:-1] + 1
    bounds = np.searchsorted(stops, np.asarray(ends) - 1, side="right")
    heads = _heads(data, raw, starts, stops, bounds)
    edges = np.searchsorted(heads.lines, bounds)
    if take is not None:
        heads.quiet[heads.quiet] = take(_told_apart(padded, starts, heads, edges, np.asarray(ends)))
    stamps = _stamps(raw, starts[heads.lines[heads.quiet]])
    loud = np.flatnonzero(~heads.quiet)
    cuts = np.searchsorted(loud, edges)
    spans = extremes(stamps, edges - cuts)
    found = _Found(data, heads, starts, edges, np.asarray(ends), loud)
    results: list[tuple[list[Told], Passed] | None] = []
    first_line, first, cut = 0, 0, 0
    for bound, edge, next_cut, span in zip(
        bounds.tolist(), edges.tolist(), cuts.tolist(), spans, strict=True
    ):
        is_whole = edge > first and found.lines[first] == first_line
        results.append(found.segment(first, edge, cut, next_cut, span) if is_whole else None)
        first_line, first, cut = bound, edge, next_cut
    return results


def _stamps(raw: Bytes, begins: Ints) -> tuple[Words, ...]:
    """The words of time stamps that stand at fixed places behind `begins`."""
    rows = Rows(raw, begins, 24)
    return rows.word(1), rows.word(9), rows.word(16)


def _told_apart(padded: bytes, starts: Ints, heads: _Heads, edges: Ints, ends: Ints) -> Quiet:
    """The quiet records with their segments and numbers; each ends before the newline that ends its last line."""
    begins = starts[heads.lines]
    stops = np.append(begins[1:], ends[-1:]) - 1
    last = edges > np.concatenate((np.zeros(1, np.int64), edges[:-1]))  # of every segment that has records
    stops[edges[last] - 1] = ends[last] - 1
    records = np.flatnonzero(heads.quiet)
    segments = np.searchsorted(edges, records, side="right")
    numbers = records - np.concatenate((np.zeros(1, np.int64), edges[:-1]))[segments]
    stamps = _stamps(np.frombuffer(padded, np.uint8), begins[records])
    return Quiet(padded, begins[records], stops[records], segments, numbers, stamps)


def _heads(data: bytes, raw: Bytes, starts: Ints, stops: Ints, bounds: Ints) -> _Heads:
    """Every line that begins a record. Lines of another shape that may be heads are put to the exact reader's test."""
    initial = raw[starts]
    may_be = np.flatnonzero((initial == ord("[")) | (initial == 0x1B))
    begin = starts[may_be]
    rows = Rows(raw, begin, FILE_AT + WINDOW)
    # stamps of one segment compare as text only within one zone: that of its first line
    firsts = np.concatenate((np.zeros(1, np.int64), bounds[:-1]))
    zones = words_at(raw)(starts[np.minimum(firsts, len(starts) - 1)] + 24)
    odd = np.minimum(_EAST.misfit(zones), _WEST.misfit(zones))  # zero where either fits
    segments = np.searchsorted(bounds, may_be, side="right") if len(bounds) > 1 else 0
    wrong = (rows.word(24) ^ zones[segments]) | odd[segments]
    for offset, shape in zip((0, 8, 16), _STAMP, strict=True):
        wrong |= shape.misfit(rows.word(offset))
    shaped, telling = _shaped(raw, begin, rows)
    shaped &= wrong == 0
    heads, quiet = shaped.copy(), shaped & ~telling
    others = np.flatnonzero(~shaped)
    for place, start, stop in zip(
        others.tolist(), begin[others].tolist(), stops[may_be[others]].tolist(), strict=True
    ):
        heads[place] = is_head(data[start:stop])
    lines, quiet = may_be[heads], quiet[heads]
    for place in np.searchsorted(starts[lines], _TRACEBACK.places(raw), side="right").tolist():
        if place:
            quiet[place - 1] = False
    return _Heads(lines, quiet)


def _shaped(raw: Bytes, begin: Ints, rows: Rows) -> tuple[Bools, Bools]:
    """Of lines that begin with a stamp: is the rest `{name:digits} INFO - ` in plain letters; and may the text tell?"""
    brace, good = _closing_brace(rows, len(begin))
    tail = Rows(
        raw, begin + (FILE_AT - 8) + brace, 32
    )  # the eight bytes before the brace, the level, the text
    number, said = tail.word(0), tail.word(17)
    colon = last_no_digit(number)
    good &= (colon >= 1) & (colon <= 6)  # one to six digits
    shift = (8 * np.clip(colon, 0, 7)).astype(np.uint64)
    good &= (number >> shift) & np.uint64(0xFF) == ord(":")
    good &= tail.word(9) == _INFO
    good &= rows.byte(FILE_AT) != ord("{")
    # a colour inside the head is taken out before it is read: the text then begins behind it
    return good, _TELLING.holds(said) | (bytes_equal(said, 0x1B) != _NOTHING)


def _closing_brace(rows: Rows, count: int) -> tuple[Ints, Bools]:
    """How far behind the name's beginning the first brace closes; and whether all up to there is printable and holds one
    colon. Most names are short: each eight bytes are looked at where no brace was found before."""
    brace, good, colons = np.zeros(count, np.int64), np.ones(count, np.bool_), np.zeros(count, np.int64)
    left: Ints | slice = slice(None)  # all, until one has ended
    for at in range(0, WINDOW, 8):
        words = rows.word(FILE_AT + at)[left]
        good[left] &= ~maybe_strange(words)
        colons[left] += count_bytes(bytes_equal(words, ord(":")))
        closing = bytes_equal(words, ord("}"))
        ended = closing != _NOTHING
        if ended.any():
            places = np.arange(count)[left]
            brace[places[ended]] = at + lowest_byte(closing[ended])
            left = rest = places[~ended]
            if not len(rest):
                break
    good[left] = False
    return brace, good & (colons == 1)


class _Found:
    """The records of one buffer. Everything that is wanted per segment lies ready in lists: a segment is often small."""

    def __init__(self, data: bytes, heads: _Heads, starts: Ints, edges: Ints, ends: Ints, loud: Ints) -> None:
        begins = starts[heads.lines]
        stops = np.append(begins[1:], ends[-1:])
        last = edges > np.concatenate(
            (np.zeros(1, np.int64), edges[:-1])
        )  # of every segment that has records
        stops[edges[last] - 1] = ends[last]
        quiet = np.flatnonzero(heads.quiet)
        self._data = data
        self.lines = heads.lines
        self._loud = list(zip(loud.tolist(), begins[loud].tolist(), (stops[loud] - 1).tolist(), strict=True))
        self._quiet, self._quiet_begins = quiet, begins[quiet]

    def segment(
        self, first: int, edge: int, cut: int, next_cut: int, span: tuple[bytes, bytes]
    ) -> tuple[list[Told], Passed]:
        """The records `first` to `edge`, of which those to decode are `cut` to `next_cut`; the count and the times of the
        others."""
        data = self._data
        told = [(no - first, data[start:stop]) for no, start, stop in self._loud[cut:next_cut]]
        passed = Passed(edge - first - len(told))
        if passed.count:
            before = first - cut
            passed.first_no = int(self._quiet[before]) - first
            start = int(self._quiet_begins[before])
            zone = data[start + 24 : start + 29]
            times: dict[bytes, datetime | None] = {}
            low, high = (row[:16] + row[17:] for row in span)
            for stamp in (data[start + 1 : start + 24], low, high):
                if stamp not in times:
                    times[stamp] = _moment(stamp + zone)
            passed.first_at, passed.low_at, passed.high_at = (
                times[data[start + 1 : start + 24]], times[low], times[high]
            )  # fmt: skip
        return told, passed


def _moment(stamp: bytes) -> datetime | None:
    try:
        return datetime.fromisoformat(stamp.decode("ascii")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
