"""A log's bytes as they come → pieces of whole records, so that a log of any length is read in bounded memory.

A record longer than RECORD_BYTES keeps its two ends: the same ones however the bytes came, also where the log is read as
a whole. Each such cut is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

PIECE_BYTES = 1 << 20  # what is scanned at a time; its columns stay in the processor's cache
RECORD_BYTES = 1 << 20
END_BYTES = 1 << 18  # of a longer record, what is kept of either end
MARK = " …[cut]… ".encode()
CUT_TOLD = "a record of more than 1 MB was cut"
_LOOK = 512  # bytes of a line that tell whether it is a head
_NEAR = 65_536  # where the last head of a piece mostly is
_ESCAPE = 12  # the longest escape of JSON: a surrogate pair
# the beginning of an escape, or the first half of a pair
_ESCAPED = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3}|u[dD][89abAB][0-9a-fA-F]{2})?\Z")


@dataclass(frozen=True, slots=True)
class Borders:
    """Where records begin: at each line, or at the lines that begin with one of `first` and that `is_head` accepts."""

    first: bytes = b""
    is_head: Callable[[bytes], bool] = lambda _line: True
    _pattern: re.Pattern[bytes] = field(init=False)

    def __post_init__(self) -> None:
        pattern = rb"\n(?=[" + re.escape(self.first) + rb"])" if self.first else rb"\n"
        object.__setattr__(self, "_pattern", re.compile(pattern))

    def last_in(self, data: bytes, at: int, stop: int) -> int:
        """The last border behind `at`, up to `stop`; -1 where there is none."""
        if not self.first:
            return data.rfind(b"\n", at, stop) + 1 or -1
        for low in (max(at, stop - _NEAR), at):
            for match in reversed(list(self._pattern.finditer(data, low, stop + 1))):
                if match.end() <= stop and self._is_head_at(data, match.end()):
                    return match.end()
        return -1

    def first_in(self, data: bytes, at: int, stop: int) -> int:
        """The first border behind a newline at `at` or later, up to `stop`; -1 where there is none."""
        for match in self._pattern.finditer(data, at, stop + 1):
            if match.end() <= stop and self._is_head_at(data, match.end()):
                return match.end()
        return -1

    def _is_head_at(self, data: bytes, place: int) -> bool:
        return not self.first or self.is_head(data[place : place + _LOOK].split(b"\n", 1)[0])


LINES = Borders()


class Pieces:
    """Iterate once. `cut_records` and `cut_bytes` then say what was left out."""

    def __init__(
        self,
        chunks: Iterable[bytes],
        borders: Borders,
        *,
        size: int = PIECE_BYTES,
        most: int = RECORD_BYTES,
        ends: int = END_BYTES,
    ) -> None:
        self._chunks, self._borders, self._size, self._most, self._ends = (
            iter(chunks), borders, size, most, ends
        )  # fmt: skip
        self._held, self._is_end = b"", False
        self.cut_records = self.cut_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        at = 0
        while True:
            while not self._is_end and len(self._held) - at <= self._most + _LOOK:
                self._take(at)
                at = 0
            rest = len(self._held) - at
            if self._is_end and rest <= self._size:
                if rest:
                    yield self._held[at:]
                return
            stop = self._borders.last_in(self._held, at, at + self._size)
            if stop < 0:
                stop = self._borders.first_in(self._held, at + self._size, at + self._most)
            if stop < 0 and self._is_end and rest <= self._most:
                stop = len(self._held)
            if stop >= 0:
                yield self._held[at:stop]
                at = stop
            else:
                yield self._long_record(at)
                at = 0

    def _take(self, done: int) -> None:
        """One chunk more; the bytes before `done` are let go."""
        chunk = next(self._chunks, None)
        if chunk is None:
            self._is_end = True
            chunk = b""
        self._held = self._held[done:] + chunk

    def _long_record(self, at: int) -> bytes:
        """The two ends of the record that begins at `at`; the bytes held then begin with the record behind it."""
        head, place, dropped = self._held[at : at + self._ends], at + self._most, -at
        while True:
            searched = len(self._held) if self._is_end else len(self._held) - _LOOK
            stop = self._borders.first_in(self._held, place, searched)
            if stop >= 0 or self._is_end:
                break
            done = max(0, searched - self._ends)
            self._take(done)
            dropped, place = dropped + done, searched - done
        stop = len(self._held) if stop < 0 else stop
        kept = joined(head, self._held[max(0, stop - self._ends) : stop])
        self.cut_records += 1
        self.cut_bytes += dropped + stop - len(kept)
        self._held = self._held[stop:]
        return kept


def capped(data: bytes, borders: Borders) -> tuple[bytes, bool]:
    """A whole log with its long records cut as `Pieces` cuts them; whether there were any."""
    at = 0
    while len(data) - at > RECORD_BYTES and (stop := borders.last_in(data, at, at + RECORD_BYTES)) > 0:
        at = stop
    if len(data) - at <= RECORD_BYTES:
        return data, False  # from border to border it is never farther than that
    pieces = Pieces([data], borders)
    parts = list(pieces)
    return (b"".join(parts), True) if pieces.cut_records else (data, False)


def joined(head: bytes, tail: bytes) -> bytes:
    """Two ends of a text around a mark: cut inside no character and no escape, so that a JSON line whose one long
    string was cut is still a JSON line."""
    end = next(
        (at for at in range(len(head) - 1, max(0, len(head) - 2000), -1) if _is_safe(head, at)), len(head)
    )
    start = next((at for at in range(_ESCAPE, min(len(tail), 2000)) if _is_safe(tail, at)), 0)
    return head[:end] + MARK + tail[start:]


def _is_safe(text: bytes, place: int) -> bool:
    """Whether no character of UTF-8 and no escape of JSON goes on over `place`."""
    if text[place] & 0xC0 == 0x80:
        return False
    match = _ESCAPED.search(text, max(0, place - _ESCAPE), place)
    if match is None:
        return True
    before = text[: match.start()]
    run = len(before) - len(before.rstrip(b"\\"))
    return run % 2 == 1 and run < len(before)  # the backslash is itself escaped
