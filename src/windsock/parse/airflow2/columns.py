"""Quiet records of Airflow 2 text as columns: head, text and continuation lines lie in the buffer as they are read."""

from __future__ import annotations

import re
from datetime import date

import numpy as np

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
from windsock.parse.words import Bools, Bytes, Ints, places_of, words_at

FILE_AT = 32  # where the file's name begins: `[2026-11-23T15:22:59.673+0000] {file.py:12} INFO - `
_HEAD_END = len(b"} INFO -")
_EPOCH = date(1970, 1, 1).toordinal()


class Airflow2Columns:
    """Takes the quiet records of one buffer after the other."""

    def __init__(self, names: Names, *, longest: int) -> None:
        self._names, self._longest = names, longest
        self.taken: Columns | None = None
        self._known: dict[bytes, int] = {}

    def take(self, quiet: Quiet) -> Bools:
        """Which records were taken, and their columns in `taken`."""
        self.taken = None
        data, starts = quiet.data, quiet.starts
        if not len(starts) or len(data) > MAX_BUFFER_BYTES:
            return np.zeros(len(starts), np.bool_)
        raw = np.frombuffer(data, np.uint8)
        names = starts + FILE_AT
        braces, _ = next_place(places_of(raw, ord("}")), names, quiet.stops)
        codes = coded(data, names, braces, self._logger)
        begins = braces + _HEAD_END
        stops, good = _stripped(raw, begins, quiet.stops)
        begins += (begins < stops) & (raw[begins] == ord(" "))
        good &= (
            is_text(data, starts, stops)
            & (stops - begins <= self._longest)
            & _is_whole(data, raw, begins, stops)
        )
        at_us, is_time = _moments(quiet)
        good &= is_time
        self.taken = Columns(
            quiet.segments[good], quiet.numbers[good], at_us[good], np.zeros(np.count_nonzero(good), np.int64),
            codes[good], texts(data, begins[good], stops[good]),
        )  # fmt: skip
        return good

    def _logger(self, place: bytes) -> int:
        """The number of the file that `file.py:12` names."""
        code = self._known.get(place)
        if code is None:
            code = self._known[place] = self._names.code(place.rsplit(b":", 1)[0].decode("ascii"))
        return code


def _stripped(raw: Bytes, begins: Ints, stops: Ints) -> tuple[Ints, Bools]:
    """Ends before the newlines that a text ends with; the exact path takes those with very many."""
    stops = stops.copy()
    for _ in range(8):
        last = raw[stops - 1]
        blank = (stops > begins) & ((last == 10) | (last == 13))
        if not blank.any():
            break
        stops -= blank
    return stops, ~blank


def _is_whole(data: bytes, raw: Bytes, begins: Ints, stops: Ints) -> Bools:
    """Without what the exact path takes out of a text: Composer's labels at its end, colours in its first line."""
    whole = np.ones(len(begins), np.bool_)
    if b"\x1b" in data:
        colours = np.array([match.start() for match in re.finditer(b"\x1b", data)])
        whole &= ~holding(colours, begins, stops)
    for row in np.flatnonzero(raw[stops - 1] == ord("}")).tolist():
        whole[row] &= data.find(b"@-@{", int(begins[row]), int(stops[row])) < 0
    return whole


def _moments(quiet: Quiet) -> tuple[Ints, Bools]:
    """Stamp words `YYYY-MM-`, `DDTHH:MM`, `M:SS.fff` and the zone behind them as microseconds since 1970."""
    months, middles, ends = quiet.stamps
    years, days = months.view(np.uint8).reshape(-1, 8), middles.view(np.uint8).reshape(-1, 8)

    def day_of(row: int) -> int | None:
        year, month = bytes(years[row, :7]).split(b"-")
        try:
            return date(int(year), int(month), int(bytes(days[row, :2]))).toordinal() - _EPOCH
        except ValueError:
            return None

    hours, minutes, seconds = two_digits(middles, 3), two_digits(middles, 6), two_digits(ends, 2)
    micros = (
        two_digits(ends, 5) * 10_000
        + (ends.view(np.uint8).reshape(-1, 8)[:, 7].astype(np.int64) - 48) * 1_000
    )
    at_us, good = moments(
        [months, middles & np.uint64(0xFFFF)], day_of, hours * 3600 + minutes * 60 + seconds, micros
    )
    zone = words_at(np.frombuffer(quiet.data, np.uint8))(quiet.starts + 24)
    east_h, east_min = two_digits(zone, 1), two_digits(zone, 3)
    sign = np.where((zone & np.uint64(0xFF)) == ord("-"), -1, 1)
    good &= (hours < 24) & (minutes < 60) & (seconds < 60) & (east_h < 24) & (east_min < 60)
    return at_us - sign * (east_h * 60 + east_min) * 60_000_000, good
