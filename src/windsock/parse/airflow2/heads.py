"""Record heads of Airflow 2 text as columns: `[2026-11-23T15:22:59.673+0000] {file.py:12} INFO - ` has its parts at fixed
offsets up to the file's name.

A head is plain when it has exactly this shape; lines of another shape that may be heads are put to the exact reader's
test. What a head's level is, and where its text begins, is known of plain ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from windsock.parse.airflow2 import is_head
from windsock.parse.words import (
    Bools,
    Bytes,
    Ints,
    Rows,
    Shape,
    Words,
    lowest_bit,
    pairs_of,
    places_of,
    word,
)

FILE_AT, WINDOW = 32, 48  # where the file's name begins; within how many bytes its closing brace must stand
PAD = bytes(FILE_AT + 64 + 32)  # so that every row looked at lies inside the buffer
NOT_PLAIN, INFO, WARNING, ERROR, CRITICAL = range(5)
"""Levels of plain heads."""

_STAMP = (Shape(b"[0000-00"), Shape(b"-00T00:0"), Shape(b"0:00.000"))
_EAST, _WEST = Shape(b"+0000] {"), Shape(b"-0000] {")
_ONE, _NOTHING = np.uint64(1), np.uint64(0)
# what stands behind the brace: eight bytes, how many of the next eight, and these
_LEVELS = tuple(
    (level, word(text[:8]), np.uint64(2 ** (8 * len(text[8:])) - 1), word(text[8:]))
    for level, text in ((INFO, b" INFO - "), (WARNING, b" WARNING - "), (ERROR, b" ERROR - "), (CRITICAL, b" CRITICAL - "))
)  # fmt: skip


@dataclass(slots=True)
class Heads:
    """The records of a buffer in order: where each begins, and the level of its head. Of plain ones the first eight bytes
    of the file's name, where the text begins, of INFO its first eight bytes, and the words of the stamp."""

    begins: Ints
    levels: Bytes
    files: Words
    texts: Ints
    said: Words
    stamps: tuple[Words, ...]


def find(data: bytes, raw: Bytes, ends: Ints) -> Heads:
    """Every line that begins a record. `ends` are the ends of segments, each behind a newline; PAD follows the last."""
    begins = _may_begin(data, raw)
    stamps = Rows(raw, begins, FILE_AT + 8)
    wrong = _foreign_zone(stamps.word(24), begins, ends)
    for offset, shape in zip((0, 8, 16), _STAMP, strict=True):
        wrong |= shape.misfit(stamps.word(offset))
    braces, is_named = _closing_braces(raw, begins + FILE_AT)
    texts = begins + FILE_AT + 1 + braces
    tails = Rows(raw, texts, 24)
    levels, sizes = _levels(tails)
    levels[~(is_named & (wrong == _NOTHING))] = NOT_PLAIN
    said = tails.word(8)
    texts += sizes
    files = stamps.word(FILE_AT)
    words = stamps.word(1), stamps.word(9), stamps.word(16)
    others = np.flatnonzero(levels == NOT_PLAIN)
    if not len(others):
        return Heads(begins, levels, files, texts, said, words)
    kept = np.ones(len(begins), np.bool_)
    kept[others] = [_is_head_at(data, begin) for begin in begins[others].tolist()]
    return Heads(
        begins[kept], levels[kept], files[kept], texts[kept], said[kept], tuple(one[kept] for one in words)
    )


def _may_begin(data: bytes, raw: Bytes) -> Ints:
    """Lines that begin with `[2` or another digit, or with a colour."""
    begins: Ints = pairs_of(raw, b"\n[") + 1
    if data.startswith(b"["):
        begins = np.concatenate((np.zeros(1, np.int64), begins))
    second = raw[begins + 1]
    begins = begins[((second >= ord("0")) & (second <= ord("9"))) | (second == 0x1B)]
    if b"\x1b" not in data:
        return begins
    coloured = places_of(raw, 0x1B)
    coloured = coloured[(coloured == 0) | (raw[coloured - 1] == 10)]
    return np.sort(np.concatenate((begins, coloured)))


def _is_head_at(data: bytes, begin: int) -> bool:
    end = data.find(b"\n", begin)
    return is_head(data[begin:end])


def _foreign_zone(zones: Words, begins: Ints, ends: Ints) -> Words:
    """Not zero where the zone is not that of the segment's first line, or is none: stamps compare as text within one
    zone only."""
    if not len(begins):
        return zones
    firsts = np.searchsorted(begins, np.concatenate((np.zeros(1, np.int64), ends[:-1])))
    told = zones[np.minimum(firsts, len(zones) - 1)]
    odd = np.minimum(_EAST.misfit(told), _WEST.misfit(told))  # zero where either fits
    counts = np.diff(np.append(firsts, len(zones)))
    foreign: Words = (zones ^ np.repeat(told, counts)) | np.repeat(odd, counts)
    return foreign


def _levels(tails: Rows) -> tuple[Bytes, Ints]:
    """The level that stands at the beginning of each row (NOT_PLAIN for any other), and how long it is, its dash and blank
    with it."""
    eight = tails.word(0)
    levels = np.full(len(eight), NOT_PLAIN, np.uint8)
    sizes = np.full(len(eight), 8, np.int64)
    _level, info, _mask, _more = _LEVELS[0]
    levels[eight == info] = INFO
    rest = np.flatnonzero(levels == NOT_PLAIN)
    if len(rest):
        head, more = eight[rest], tails.word(8)[rest]
        for level, text, mask, further in _LEVELS[1:]:
            rows = rest[(head == text) & (more & mask == further)]
            levels[rows] = level
            sizes[rows] = 8 + int(mask).bit_length() // 8
    return levels, sizes


def _closing_braces(raw: Bytes, names: Ints) -> tuple[Ints, Bools]:
    """How far behind each beginning of a name its first brace closes; and whether up to there stands `name:digits` in
    plain letters, with one to six digits."""
    braces, good = _within(Rows(raw, names, 32), "<u4", 32)
    longer = np.flatnonzero(braces < 0)
    if len(longer):
        braces[longer], good[longer] = _within(Rows(raw, names[longer], 64), "<u8", WINDOW)
        good &= braces >= 0
        braces[braces < 0] = 0
    return braces, good


def _within(rows: Rows, width: str, window: int) -> tuple[Ints, Bools]:
    """As `_closing_braces` for names that end within a window; -1 where none does. A bit for each byte says what it is."""
    names = rows.bytes

    def marks(flags: Bools) -> Words:
        return np.packbits(flags, bitorder="little").view(width).astype(np.uint64)

    brace = marks(names == ord("}")) & np.uint64(2**window - 1)
    colon, digit = marks(names == ord(":")), marks((names ^ ord("0")) < 10)
    before = (brace & (~brace + _ONE)) - _ONE  # all ones where there is no brace
    strange = marks((names - ord(" ")) > ord("~") - ord(" ")) & before
    colon &= before
    number = before & ~((colon << _ONE) - _ONE)  # the bytes between colon and brace
    good = (strange | (colon & (colon - _ONE)) | (number & ~digit)) == _NOTHING
    good &= (colon > _ONE) & (number != _NOTHING) & (number >> np.uint64(6) < colon << _ONE)
    good &= rows.byte(0) != ord("{")
    found = lowest_bit(brace)
    found[brace == _NOTHING] = -1
    return found, good
