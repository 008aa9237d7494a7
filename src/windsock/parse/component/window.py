"""The bytes of a file as they come, a stretch of them held: enough for one part and the lines before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

FED_BYTES = 4_000_000
"""What a reader is given at a time: its lines are then split and decoded."""


class Window:
    """Places are those in the file; `start` is the place of the first byte that comes."""

    def __init__(self, chunks: Iterable[bytes], start: int = 0) -> None:
        self._chunks, self._held = iter(chunks), bytearray()
        self.start, self.is_end = start, False

    @property
    def end(self) -> int:
        """Behind the last byte held."""
        return self.start + len(self._held)

    def reach(self, place: int) -> bool:
        """Hold everything up to `place`; whether the file is that long."""
        while self.end < place and not self.is_end:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.is_end = True
            else:
                self._held += chunk
        return self.end >= place

    def forget(self, before: int) -> None:
        """Let go of what lies before a place."""
        count = min(max(0, before - self.start), len(self._held))
        del self._held[:count]
        self.start += count

    def cut(self, start: int, end: int) -> bytes:
        """The bytes between two places that are held."""
        with memoryview(self._held) as view:
            return bytes(view[start - self.start : end - self.start])

    def line_end(self, start: int, end: int) -> int:
        """Behind the last newline between two places, or `start`."""
        found = self._held.rfind(b"\n", start - self.start, end - self.start)
        return start if found < 0 else self.start + found + 1

    def line_start(self, place: int) -> int:
        """Behind the first newline from `place` on, or the end of what is held."""
        found = self._held.find(b"\n", max(0, place - self.start))
        return self.end if found < 0 else self.start + found + 1

    def pieces(self, start: int, end: int, size: int = FED_BYTES) -> Iterator[bytes]:
        """The bytes between two places, of whole lines where lines are no longer than `size`."""
        while start < end:
            stop = end if end - start <= size else self.line_end(start, start + size)
            stop = stop if stop > start else min(end, self.line_start(start + size))
            yield self.cut(start, stop)
            start = stop
