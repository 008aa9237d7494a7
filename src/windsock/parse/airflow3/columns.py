"""Quiet lines of Airflow 3 as columns: the event stands at a fixed place, and what follows it is the same line after line.

A line is `{"timestamp":"…Z","level":"info","event":"` + text + tail. A text without escapes, control characters or
invalid bytes is its own value. The tail (`","logger":"x","lineno":3}`) has few distinct forms in a log; each is decoded
once, and proves there that the line is JSON, whose event it is, and by which logger.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from windsock.parse.airflow3.lines import EVENT_AT, as_object
from windsock.parse.columns import (
    MAX_BUFFER_BYTES,
    Columns,
    Names,
    Quiet,
    coded,
    holding,
    is_text,
    moments,
    next_place,
    texts,
    two_digits,
)
from windsock.parse.words import Bools, Bytes, Ints, Words, word, words_at

_MAX_TAILS = 20_000  # distinct tails held at a time; structured logs may have a new one every line
_EVENT = word(b'"event":')
_EPOCH = date(1970, 1, 1).toordinal()
_ODD = -1


class Airflow3Columns:
    """Takes the quiet lines of one buffer after the other; what it learnt of tails it keeps."""

    def __init__(self, names: Names, *, longest: int) -> None:
        self._names, self._longest = names, longest
        self.taken: Columns | None = None
        self._tails: dict[bytes, int] = {}

    def take(self, quiet: Quiet) -> Bools:
        """Which lines were taken, and their columns in `taken`."""
        self.taken = None
        data, starts, stops = quiet.data, quiet.starts, quiet.stops
        if not len(starts) or len(data) > MAX_BUFFER_BYTES:
            return np.zeros(len(starts), np.bool_)
        raw = np.frombuffer(data, np.uint8)
        is_info = raw[starts + 52] == ord("i")
        begins = starts + np.where(is_info, EVENT_AT, EVENT_AT + 1)
        good: Bools = is_info | ((words_at(raw)(starts + 59) == _EVENT) & (raw[starts + 67] == ord('"')))
        good &= self._is_plain(data, raw, starts, stops)
        at_us, is_time = _moments(*quiet.stamps)
        good &= is_time & (raw[starts + 24] == ord("T"))
        ends, has_end = next_place(np.flatnonzero(raw == ord('"')), begins, stops)
        good &= has_end & (ends - begins <= self._longest)
        codes = np.full(len(starts), _ODD)
        codes[good] = coded(data, ends[good], stops[good], self._logger)
        good &= codes != _ODD
        self.taken = Columns(
            quiet.segments[good], quiet.numbers[good], at_us[good], np.where(is_info, 0, 1)[good], codes[good],
            texts(data, begins[good], ends[good]),
        )  # fmt: skip
        return good

    def _is_plain(self, data: bytes, raw: Bytes, starts: Ints, stops: Ints) -> Bools:
        """Without escapes, control characters (which JSON forbids) and invalid UTF-8."""
        good = is_text(data, starts, stops)
        if b"\\" in data:
            good &= ~holding(np.flatnonzero(raw == ord("\\")), starts, stops)
        controls = np.flatnonzero(raw < 0x20)
        if len(controls) > len(stops):  # more than the newlines of these lines
            good &= ~holding(controls, starts, stops)
        return good

    def _logger(self, tail: bytes) -> int:
        """The number of the logger that a tail names."""
        code = self._tails.get(tail)
        if code is None:
            if len(self._tails) >= _MAX_TAILS:
                self._tails.clear()
            code = self._tails[tail] = self._learn(tail)
        return code

    def _learn(self, tail: bytes) -> int:
        body = as_object(b'{"event":"' + tail)
        if body is None or b'"event"' in tail:  # the last of two events would be the line's
            return _ODD
        logger = str(body.get("logger") or "")
        return self._names.code("" if logger == "task" else logger)


def _moments(days: Words, clocks: Words, fractions: Words) -> tuple[Ints, Bools]:
    """`YY-MM-DD`, `HH:MM:SS` and `.ffffffZ` as microseconds since 1970."""
    digits = days.view(np.uint8).reshape(-1, 8)

    def day_of(row: int) -> int | None:
        year, month, day = bytes(digits[row]).split(b"-")
        try:
            return date(2000 + int(year), int(month), int(day)).toordinal() - _EPOCH
        except ValueError:
            return None

    hours, minutes, seconds = (two_digits(clocks, at) for at in (0, 3, 6))
    micros = two_digits(fractions, 1) * 10_000 + two_digits(fractions, 3) * 100 + two_digits(fractions, 5)
    at_us, good = moments([days], day_of, hours * 3600 + minutes * 60 + seconds, micros)
    return at_us, good & (hours < 24) & (minutes < 60) & (seconds < 60)
