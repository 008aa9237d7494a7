"""A page's lines where they stand in its bytes: compared, and their numbers read, without an object for each of them."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from windsock.parse.metrics.plain_bytes import MAX_PLAIN_BYTES
from windsock.parse.plain import TooMuch, unzipped

LARGEST_PAGE = 1 << 30


class Lines:
    """A page's lines where they stand: no object for each of them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + 1
        self._ends = ends if len(ends) and ends[-1] == len(data) else np.append(ends, len(data))
        offsets = np.zeros(len(self._ends) + 1, np.int32)
        offsets[1:] = self._ends
        self._array = pa.BinaryArray.from_buffers(
            pa.binary(), len(self._ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        )

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def is_ended(self) -> bool:
        """Whether the last line has its newline."""
        return self._data.endswith(b"\n")

    def longest(self, places: Any) -> int:
        """Bytes of the longest of some lines."""
        return int((self._ends[places] - self._starts(places)).max())

    def _starts(self, places: Any) -> Any:
        return np.where(places > 0, self._ends[places - 1], 0)

    def texts(self) -> list[str] | None:
        """All lines; None where they are no UTF-8. Behind a last newline there is no further line."""
        try:
            return self._data.removesuffix(b"\n").decode().split("\n")
        except UnicodeDecodeError:
            return None

    def unlike(self, other: Lines) -> Any:
        """Which lines differ from those of a page with as many."""
        return np.flatnonzero(pc.not_equal(self._array, other._array).to_numpy(zero_copy_only=False))

    def numbers(self, places: Any, heads: pa.Array, sizes: Any) -> Any:
        """The numbers behind some heads, of known sizes; None where that is not all that stands there. Numbers as
        Arrow reads them are fewer than those that Python reads, and equal; `nan(1)` and its like are left to Python."""
        ends = self._ends[places]
        starts = self._starts(places)
        if not self.is_ended or (starts + sizes >= ends - 1).any() or (sizes <= 0).any():
            return None
        offsets = np.stack((starts, starts + sizes, ends - 1), axis=1).ravel().astype(np.int32)
        parts = pa.StringArray.from_buffers(
            len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(self._data)
        )  # head, number, what lies between
        firsts = np.arange(len(places)) * 3
        if not parts.take(pa.array(firsts)).equals(heads.take(pa.array(places))):
            return None
        try:
            values = pc.cast(parts.take(pa.array(firsts + 1)), pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            return None
        return values if np.isfinite(values).all() else None

    def some(self, places: Any) -> list[str] | None:
        """Some of the lines, at least one; None where they are no UTF-8."""
        taken = self._array.take(pa.array(places))
        _valid, offsets, data = taken.buffers()
        size = int(np.frombuffer(offsets, np.int32)[len(taken)])
        try:
            text: str = data.to_pybytes()[:size].removesuffix(b"\n").decode()
            return text.split("\n")
        except UnicodeDecodeError:
            return None


def lines_of(data: bytes) -> Lines | None:
    """The lines of a page; None where it cannot be unpacked, or is so large that it is looked at line by line."""
    try:
        plain = b"".join(unzipped((data,), at_most=MAX_PLAIN_BYTES))
    except (zlib.error, TooMuch):
        return None
    return Lines(plain) if 0 < len(plain) < LARGEST_PAGE else None
