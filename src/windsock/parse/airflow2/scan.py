"""The fast path for Airflow 2 text: record heads are found and judged as whole columns (`heads`).

A record is quiet when its head is plain, its level is INFO, its text does not begin as those of Airflow's that tell of
the ending, and no traceback stands in it. Quiet records are counted; all others are handed on, each with its lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from windsock.parse.airflow2.heads import ERROR, INFO, NOT_PLAIN, PAD, Heads, find
from windsock.parse.columns import Quiet, Take
from windsock.parse.connections import CONNECTION_WORDS
from windsock.parse.reading import Passed
from windsock.parse.words import Bools, Bytes, Ints, Needle, OneOf, bytes_equal, extremes

__all__ = ["PAD", "Told", "scan"]

Told = tuple[int, tuple[bytes, int, int]]
"""A record to decode: its number; and its bytes (head and continuation), the level of its head (of `heads`), and where
its text begins, if the head is plain."""

# how the records begin that may tell of a process, its host, its operator, its connections or its ending (`quick`, `ending`)
_TELLING = OneOf(
    (b"Executin", b"Exportin", b"Started ", b"Running ", b"Marking ", b"marking ", b"Immediat", b"All retr", b"Task exi", b"Task is ",
     b"State of", b"Pausing ", b"Reschedu", *CONNECTION_WORDS)
)  # fmt: skip
_TRACEBACK = Needle(b"Traceback (most recent call last)", rare=10)
# how the files begin whose records are the output of commands (`airflow2`), and perhaps some others
_COMMANDS = OneOf(
    (b"subproce", b"bash.py:", b"bash_ope", b"pod_mana", b"pod_laun", b"ssh_oper", b"docker.p", b"docker_o", b"spark_su",
     *(b"%b.py:%d" % (name, digit) for name in (b"pod", b"ssh") for digit in range(10)))
)  # fmt: skip
_MOST_OUTPUT = 200  # records of a segment; what has more is left to the exact path
_ZERO = np.zeros(1, np.int64)


def scan(
    data: bytes, ends: Sequence[int], take: Take | None = None
) -> list[tuple[list[Told], Passed] | None]:
    """Segments of whole lines → the records to decode, and what was passed over; None for a segment that does not begin
    with a record's head. `data` ends with a newline, and mostly PAD behind it. With `take`, only those quiet records
    are passed over that it takes as columns."""
    padded = data if data.endswith(PAD) else data + PAD
    raw = np.frombuffer(padded, np.uint8)
    stops = np.asarray(ends)
    heads = find(padded, raw, stops)
    quiet = _quiet(heads, raw)
    edges = np.searchsorted(heads.begins, stops)  # behind the last record of each segment
    firsts = np.concatenate((_ZERO, edges[:-1]))
    ending = np.append(heads.begins[1:], stops[-1:])
    has_records = edges > firsts
    ending[edges[has_records] - 1] = stops[has_records]
    output, left = _output(heads, quiet, edges, firsts)
    quiet[output] = False
    if take is not None:
        quiet[quiet] = take(_told_apart(padded, heads, np.flatnonzero(quiet), ending - 1, edges, firsts))
    is_whole = has_records.copy()
    starts = np.concatenate((_ZERO, stops[:-1]))
    is_whole[has_records] = heads.begins[firsts[has_records]] == starts[has_records]
    loud = np.flatnonzero(~quiet)
    cuts = np.searchsorted(loud, edges)
    told = _told(padded, heads, loud, ending, np.repeat(firsts, np.diff(cuts, prepend=0)))
    results: list[tuple[list[Told], Passed] | None] = []
    passed = _passed(padded, heads, edges, firsts, cuts)
    for segment in np.flatnonzero(left).tolist():
        passed[segment].commands = int(left[segment])
    cut = 0
    for whole, next_cut, one in zip(is_whole.tolist(), cuts.tolist(), passed, strict=True):
        results.append((told[cut:next_cut], one) if whole else None)
        cut = next_cut
    return results


def _quiet(heads: Heads, raw: Bytes) -> Bools:
    said = heads.said
    # a colour near the head is taken out before it is read: the text then begins behind it
    telling = _TELLING.holds(said) | (bytes_equal(said, 0x1B) != 0)
    quiet = np.asarray((heads.levels == INFO) & ~telling, np.bool_)
    places = _TRACEBACK.places(raw)
    if len(places):
        within = np.searchsorted(heads.begins, places, side="right") - 1
        quiet[within[within >= 0]] = False
    return quiet


def _output(heads: Heads, quiet: Bools, edges: Ints, firsts: Ints) -> tuple[Bools, Ints]:
    """Of quiet records those that a command may have said, where an error is told, too: if that is the command's failure,
    its words name the error. And how many are left quiet in each segment."""
    output: Bools = quiet & _COMMANDS.holds(heads.files)
    counts = _counted(output, firsts, edges)
    if counts.any():
        is_told = (_counted(heads.levels >= ERROR, firsts, edges) > 0) & (counts <= _MOST_OUTPUT)
        output &= np.repeat(is_told, edges - firsts)
        counts[is_told] = 0
    return output, counts


def _counted(flags: Bools, firsts: Ints, edges: Ints) -> Ints:
    """How many flags are set in each segment."""
    before = np.zeros(len(flags) + 1, np.int64)
    np.cumsum(flags, out=before[1:])
    return np.asarray(before[edges] - before[firsts], np.int64)


def _told_apart(padded: bytes, heads: Heads, records: Ints, stops: Ints, edges: Ints, firsts: Ints) -> Quiet:
    """The quiet records with their segments and numbers; each ends before the newline that ends its last line."""
    segments = np.searchsorted(edges, records, side="right")
    stamps = tuple(one[records] for one in heads.stamps)
    return Quiet(padded, heads.begins[records], stops[records], segments, records - firsts[segments], stamps)


def _told(data: bytes, heads: Heads, loud: Ints, ending: Ints, firsts: Ints) -> list[Told]:
    """The records to decode; `firsts` are those of their segments."""
    begins = heads.begins[loud]
    columns = (loud - firsts, begins, ending[loud] - 1, heads.levels[loud], heads.texts[loud] - begins)
    return [
        (no, (data[begin:stop], level, text))
        for no, begin, stop, level, text in zip(*(one.tolist() for one in columns), strict=True)
    ]


def _passed(data: bytes, heads: Heads, edges: Ints, firsts: Ints, cuts: Ints) -> list[Passed]:
    """What is told of the records of each segment without decoding them: how many are quiet, and the times of all whose
    head is plain."""
    stamps, plain = heads.stamps, heads.levels != NOT_PLAIN
    if plain.all():
        bounds, first_plain = edges, firsts
        places = heads.begins
        numbers = np.zeros_like(firsts)
    else:
        rows = np.flatnonzero(plain)
        stamps = tuple(one[rows] for one in stamps)
        bounds = np.searchsorted(rows, edges)
        first_plain = np.concatenate((_ZERO, bounds[:-1]))
        places = heads.begins[rows]
        numbers = rows[np.minimum(first_plain, len(rows) - 1)] - firsts if len(rows) else firsts
    sizes, timed = edges - firsts - np.diff(cuts, prepend=0), bounds - first_plain
    beginnings = places[np.minimum(first_plain, len(places) - 1)] if len(places) else first_plain
    results = []
    for count, of, number, begin, (low, high) in zip(
        sizes.tolist(), timed.tolist(), numbers.tolist(), beginnings.tolist(), extremes(stamps, bounds), strict=True
    ):  # fmt: skip
        passed = Passed(count, timed=of)
        if of:
            passed.first_no = number
            first, zone = data[begin + 1 : begin + 24], data[begin + 24 : begin + 29]
            low, high = low[:16] + low[17:], high[:16] + high[17:]
            passed.first_at = _moment(first + zone)
            passed.low_at = passed.first_at if low == first else _moment(low + zone)
            passed.high_at = passed.first_at if high == first else _moment(high + zone)
        results.append(passed)
    return results


def _moment(stamp: bytes) -> datetime | None:
    try:
        at = datetime.fromisoformat(stamp.decode("ascii"))
        return at if at.tzinfo is UTC else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
