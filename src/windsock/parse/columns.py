"""Quiet records as whole columns, for `lines = "all"`: what both text forms share.

A scan knows where the quiet records of a buffer lie. Their texts are gathered from the buffer in one pass, without a
Python object each, and are equal to what the exact path reads. A record for which that is not certain (an escape, an
invalid byte, a time that is none, a text to be cut) is left to the exact path: `take` says which it took.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from windsock.parse.words import Bools, Ints, Words
from windsock.redaction import redact

MAX_BUFFER_BYTES = 2**31 - 1  # offsets of Arrow's strings are 32 bits wide
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Quiet:
    """The quiet records of one buffer: from where to where, in which segment, as which record of it, and the words of
    their time stamps."""

    data: bytes
    starts: Ints
    stops: Ints
    segments: Ints
    numbers: Ints
    stamps: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """The records that were taken, in order. Codes point into `names` and `LEVELS`; messages are not yet redacted."""

    segments: Ints
    numbers: Ints
    at_us: Ints
    levels: Ints
    loggers: Ints
    messages: pa.Array


LEVELS = ("info", "debug")
Take = Callable[[Quiet], Bools]


class Names:
    """Loggers by number, redacted; distinct ones are few."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, name: str) -> int:
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = len(self.all)
            self.all.append(redact(name))
        return code


def texts(data: bytes, starts: Ints, stops: Ints) -> pa.Array:
    """The pieces of `data` as strings, in order and not overlapping: text and gap in turn, then every second."""
    if not len(starts):
        return pa.array([], pa.string())
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[0:-1:2], offsets[1::2] = starts, stops
    offsets[-1] = stops[-1]
    both = pa.StringArray.from_buffers(2 * len(starts), pa.py_buffer(offsets), pa.py_buffer(data))
    return both.take(pa.array(np.arange(0, 2 * len(starts), 2)))


def coded(data: bytes, starts: Ints, stops: Ints, code_of: Callable[[bytes], int]) -> Ints:
    """A number for each piece; `code_of` is asked once for each distinct one."""
    pieces = texts(data, starts, stops).cast(pa.binary()).dictionary_encode()
    told = np.array([code_of(piece) for piece in pieces.dictionary.to_pylist()], np.int64)
    return told[pieces.indices.to_numpy()] if len(told) else told


def is_text(data: bytes, starts: Ints, stops: Ints) -> Bools:
    """Which pieces are valid UTF-8."""
    good = np.ones(len(starts), np.bool_)
    if data.isascii():
        return good
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        for place, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
            try:
                data[start:stop].decode("utf-8")
            except UnicodeDecodeError:
                good[place] = False
    return good


def holding(places: Ints, starts: Ints, stops: Ints) -> Bools:
    """Which pieces hold one of some places."""
    return np.asarray(np.searchsorted(places, starts) != np.searchsorted(places, stops), np.bool_)


def next_place(places: Ints, starts: Ints, stops: Ints) -> tuple[Ints, Bools]:
    """The first of some places at or behind each start, and whether it lies before the stop."""
    if not len(places):
        return starts, np.zeros(len(starts), np.bool_)
    found = places[np.minimum(np.searchsorted(places, starts), len(places) - 1)]
    return found, (found >= starts) & (found < stops)


def two_digits(stamp: Words, at: int) -> Ints:
    """The number that stands at byte `at` of each word, as two ASCII digits."""
    digits = stamp.view(np.uint8).reshape(-1, 8)
    return (digits[:, at].astype(np.int64) - 48) * 10 + digits[:, at + 1] - 48


def moments(
    dates: Sequence[Words], day_of: Callable[[int], int | None], seconds: Ints, micros: Ints
) -> tuple[Ints, Bools]:
    """Microseconds since 1970, and which are times. Days repeat for thousands of records: `day_of` is asked for the
    date of a row (as days since 1970, None if it is no date) only where it differs from the row before."""
    count = len(seconds)
    changes = np.zeros(count, np.bool_)
    changes[:1] = True
    for words in dates:
        changes[1:] |= words[1:] != words[:-1]
    firsts = np.flatnonzero(changes)
    told = [day_of(row) for row in firsts.tolist()]
    sizes = np.diff(np.append(firsts, count))
    days = np.repeat(np.array([0 if day is None else day for day in told], np.int64), sizes)
    good = np.repeat(np.array([day is not None for day in told], np.bool_), sizes)
    return days * _DAY_US + seconds * 1_000_000 + micros, good
