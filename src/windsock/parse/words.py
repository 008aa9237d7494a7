"""Eight bytes at many places at once: what both fast paths are built from."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


class _Scratch(threading.local):
    """Flag buffers that stay with their thread: fresh megabytes cost a page fault every 4 KB."""

    def __init__(self) -> None:
        self._buffers = (np.empty(0, np.bool_), np.empty(0, np.bool_))

    def flags(self, size: int) -> tuple[Bools, Bools]:
        """Two buffers of `size` flags whose contents are to be overwritten."""
        if len(self._buffers[0]) < size:
            self._buffers = (np.empty(size, np.bool_), np.empty(size, np.bool_))
        return self._buffers[0][:size], self._buffers[1][:size]


_scratch = _Scratch()


def word(text: bytes) -> np.uint64:
    """Eight bytes as the machine reads them."""
    return np.uint64(int.from_bytes(text, "little"))


def words_at(raw: Bytes) -> Callable[[Any], Words]:
    """A function that reads the eight bytes at each of many offsets of `raw` (at least eight bytes long)."""
    view = np.ndarray((len(raw) - 7,), "<u8", raw, strides=(1,))
    return lambda places: view[places]


_HIGH_HALVES = word(b"\xf0" * 8)


class Rows:
    """A row of bytes from each of many places, fetched at once: that costs about what one word of each does."""

    def __init__(self, raw: Bytes, places: Ints, width: int) -> None:
        view = np.ndarray((max(0, len(raw) - width + 1),), f"V{width}", raw, strides=(1,))
        self.bytes: npt.NDArray[np.uint8] = view[places].view(np.uint8).reshape(len(places), width)

    def word(self, offset: int) -> Words:
        """The eight bytes at an offset in every row."""
        return self.bytes[:, offset : offset + 8].view("<u8")[:, 0].copy()

    def byte(self, offset: int) -> Bytes:
        """The byte at an offset in every row."""
        return self.bytes[:, offset]


class OneOf:
    """Which words are among a few given ones: by a multiplication that takes each of those to a slot of its own."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        wanted = [word(text) for text in texts]
        rng = random.Random(0)
        while True:
            self._factor = np.uint64(rng.getrandbits(64) | 1)
            slots = [self._slot(np.array([one])) for one in wanted]
            if len({int(slot[0]) for slot in slots}) == len(wanted):
                break
        self._table = np.full(256, wanted[0])  # no other word ends in its slot
        for slot, one in zip(slots, wanted, strict=True):
            self._table[slot] = one

    def holds(self, words: Words) -> Bools:
        """One flag per word."""
        return np.asarray(self._table[self._slot(words)] == words, np.bool_)

    def _slot(self, words: Words) -> Ints:
        return ((words * self._factor) >> np.uint64(56)).astype(np.int64)


class Shape:
    """Eight bytes of which some are given and the others, written `0`, are ASCII digits."""

    def __init__(self, text: bytes) -> None:
        self._text = word(text)
        self._more = word(bytes(6 if c == 48 else 15 for c in text))

    def misfit(self, words: Words) -> Words:
        """Zero where a word has this shape: each byte then differs from the text's by at most 9 (a digit from `0`) or
        by nothing, and adding 6 or 15 does not reach the byte's high half."""
        differing = words ^ self._text
        return ((differing + self._more) | differing) & _HIGH_HALVES


def bytes_equal(words: Words, byte: int) -> Words:
    """The highest bit of each byte that is `byte`, and no other."""
    low = word(b"\x7f" * 8)
    differing = words ^ word(bytes([byte]) * 8)
    return ~(((differing & low) + low) | differing | low)


def count_bytes(marks: Words) -> Ints:
    """How many bytes of each word `bytes_equal` marked."""
    return (((marks >> np.uint64(7)) * word(b"\1" * 8)) >> np.uint64(56)).astype(np.int64)


def last_no_digit(words: Words) -> Ints:
    """The last byte of each word that is no ASCII digit; something below zero where all are."""
    tens, six, zero = (word(bytes([c]) * 8) for c in (0xF0, 0x06, 0x30))
    marks = ((words ^ zero) | ((words + six) ^ zero)) & tens
    return ((marks.astype(np.float64).view(np.int64) >> 52) - 1023) >> 3


def lowest_byte(words: Words) -> Ints:
    """Which byte of each word holds its lowest set bit."""
    return lowest_bit(words) >> 3


def maybe_strange(words: Words) -> Bools:
    """False where all eight bytes are printable ASCII (or DEL); true at least where one is not."""
    marks = (words | (words - word(b"\x20" * 8))) & word(b"\x80" * 8)
    return np.asarray(marks != 0, np.bool_)


def _set_flags(flags: Bools) -> Ints:
    """Places of the flags that are set. Eight are looked at at once: most hold none, hardly any holds two."""
    whole = len(flags) // 8 * 8
    eights = flags[:whole].view("<u8")
    hit = np.flatnonzero(eights != 0)
    held = eights[hit]
    if (held & (held - np.uint64(1))).any():
        return np.flatnonzero(flags)
    return np.concatenate((hit * 8 + lowest_byte(held), np.flatnonzero(flags[whole:]) + whole))


def places_of(raw: Bytes, byte: int) -> Ints:
    """Every place of a byte."""
    return _set_flags(np.equal(raw, byte, out=_scratch.flags(len(raw))[0]))


def pairs_of(raw: Bytes, pair: bytes) -> Ints:
    """Every place where one byte stands before another one, at half the cost of two looks at each byte."""
    second, even, odd = pair[1], len(raw) // 2, (len(raw) - 1) // 2
    value = np.uint16(int.from_bytes(pair, "little"))
    flags, more = _scratch.flags(even)
    np.equal(raw[: 2 * even].view("<u2"), value, out=flags)
    if odd > 0:
        behind = np.ndarray((odd,), "<u2", raw, offset=1)
        flags[:odd] |= np.equal(behind, value, out=more[:odd])  # never both: the two bytes differ
    found = 2 * _set_flags(flags)
    return np.asarray(found + (raw[found + 1] != second), np.int64)


def lowest_bit(numbers: Words) -> Ints:
    """Which bit is the lowest that is set; the exponent of a power of two, as a double has it, tells."""
    lowest = numbers & (~numbers + np.uint64(1))
    return (lowest.astype(np.float64).view(np.int64) >> 52) - 1023


class Needle:
    """A text to search for by a pair of neighbours that is rare in logs: two passes over bytes, then few look-ups.

    Several times quicker than `bytes.find`, which meets a needle's last byte at every step (see benchmarks/).
    """

    def __init__(self, text: bytes, *, rare: int) -> None:
        self._text, self._rare = text, rare
        self._words = [(at, word(text[at : at + 8])) for at in (0, len(text) - 8)]

    def places(self, raw: Bytes) -> Ints:
        """Every place where the text begins."""
        first, second = self._text[self._rare], self._text[self._rare + 1]
        pairs, seconds = _scratch.flags(len(raw) - 1)
        np.equal(raw[:-1], first, out=pairs)
        pairs &= np.equal(raw[1:], second, out=seconds)
        found = _set_flags(pairs) - self._rare
        found = found[(found >= 0) & (found <= len(raw) - len(self._text))]
        if not len(found):
            return found
        at = words_at(raw)
        same = np.ones(len(found), np.bool_)
        for offset, text in self._words:
            same &= at(found + offset) == text
        return found[same]


def extremes(columns: tuple[Words, ...], bounds: Ints) -> list[tuple[bytes, bytes]]:
    """Per segment (`bounds` are the ends of segments of rows) its smallest and largest row as text; `b""` for an
    empty one. A row is its columns' bytes one after the other, eight in each."""
    firsts = np.concatenate((np.zeros(1, np.int64), bounds[:-1]))
    full = np.flatnonzero(bounds > firsts)
    results = [(b"", b"")] * len(bounds)
    if len(full):
        # big-endian numbers compare as their text does
        swapped = [column.byteswap() for column in columns]
        segment = np.repeat(np.arange(len(full)), (bounds - firsts)[full]) if len(full) > 1 else None
        low = _extreme(swapped, firsts[full], segment, np.minimum)
        high = _extreme(swapped, firsts[full], segment, np.maximum)
        for place, index in enumerate(full.tolist()):
            results[index] = low[place], high[place]
    return results


def _extreme(columns: list[Words], firsts: Ints, segment: Ints | None, pick: Any) -> list[bytes]:
    """Column by column, among the rows that are still equal to the best."""
    neutral = np.uint64(2**64 - 1 if pick is np.minimum else 0)
    parts: list[Words] = []
    equal: Bools | None = None
    for column in columns:
        left = column if equal is None else np.where(equal, column, neutral)
        best = pick.reduce(left, keepdims=True) if segment is None else pick.reduceat(left, firsts)
        parts.append(best.byteswap())
        same = left == (best if segment is None else best[segment])
        if not same.all():  # the dates of a segment mostly are
            equal = same if equal is None else equal & same
    rows = np.stack(parts, axis=1).tobytes()
    return [rows[at : at + 8 * len(parts)] for at in range(0, len(rows), 8 * len(parts))]
