"""Collectors' JSON around a task log, taken off entry by entry: lines that are objects each, or one document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from windsock.parse.cut_lines import CutLines
from windsock.parse.layers import OutOfOrder, as_bytes, unfinished
from windsock.parse.order import MOST_RUNS, RUN_BYTES, Arranged, How, Order, Timed
from windsock.parse.wrapped import decode, entries, find, opened, time_of

_MAX_DOCUMENT_BYTES = 256 * 1024**2
_BRACKETS = (b"[", b"]")


class JsonLines:
    """Lines that are JSON objects, each around a piece of the log. They are taken as they come; at the end their times
    say whether that was right."""

    def __init__(self) -> None:
        self.lines = self.strays = self.cut_lines = 0
        self.cuts = CutLines()
        self._order: How | None = None
        self._arranged: Arranged | None = None

    def __call__(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The texts of all entries. Raises OutOfOrder at the end, TooDisordered."""
        self.cuts = CutLines()
        watch = Order() if self._order is None else None
        is_first, is_all = True, True
        for part in self._values(pieces):
            texts: list[bytes] = []
            for value in part:
                if (found := find(value)) is None:
                    continue
                if watch is not None:
                    watch.see(time_of(value))
                    if watch.is_upset:  # from here on it is only asked for the order
                        is_all = False
                        continue
                if (text := opened(found, self.cuts)) is not None:
                    texts.append(as_bytes(text))
            if self.cuts.has_given_up:
                texts += unfinished(self.cuts, at_end=False)
            if texts:
                yield b"\n".join(texts if is_first else [b"", *texts])
                is_first = False
        if texts := unfinished(self.cuts, at_end=True):
            yield b"\n".join(texts if is_first else [b"", *texts])
        if watch is not None:
            self._order = watch.needed
            if self._order != "kept" or not is_all:
                raise OutOfOrder(self)

    def _values(self, pieces: Iterable[bytes]) -> Iterator[Iterable[dict[str, Any]]]:
        """The objects, some at a time, in order of time as far as it is known."""
        if self._order is None or self._order == "kept":
            self.lines = self.strays = 0
            for piece in pieces:
                yield (value for _line, value in self._objects(piece))
            return
        if self._arranged is None:
            self.lines = self.strays = 0
            timed = self._timed(pieces)
            self._arranged = Arranged(timed, self._order, run_bytes=RUN_BYTES, most_runs=MOST_RUNS)
        some: list[dict[str, Any]] = []
        for line in self._arranged:
            some.append(decode(line))
            if len(some) == 1000:
                yield some
                some = []
        yield some

    def _timed(self, pieces: Iterable[bytes]) -> Iterator[Timed]:
        for piece in pieces:
            for line, value in self._objects(piece):
                if find(value) is not None:
                    yield time_of(value), line

    def _objects(self, piece: bytes) -> Iterator[tuple[bytes, dict[str, Any]]]:
        for line in piece.split(b"\n"):
            value = decode(line) if line.lstrip()[:1] == b"{" else None
            if value is None and (bare := line.strip()).endswith(b"},"):  # a document, an entry a line
                line = bare[:-1]
                value = decode(line)
            if isinstance(value, dict):
                self.lines += 1
                yield line, value
            elif (bare := line.strip()) and bare not in _BRACKETS:
                self.strays += 1


class Document:
    """One JSON document over many lines: an export or an answer of an API. It must be seen whole."""

    def __init__(self) -> None:
        self.lines = self.strays = self.cut_lines = 0
        self.cuts = CutLines()

    def __call__(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The texts of all entries in it; nothing where it is none."""
        data = b"".join(pieces)
        if data.lstrip()[:1] not in (b"{", b"[") or len(data) > _MAX_DOCUMENT_BYTES:
            return
        found = list(entries(decode(data)))
        watch = Order()
        for at, _entry in found:
            watch.see(at)
        if watch.needed == "sorted":
            found.sort(key=lambda pair: pair[0])
        elif watch.needed == "reversed":
            found.reverse()
        self.cuts = CutLines()
        texts = [as_bytes(text) for _at, entry in found if (text := opened(entry, self.cuts)) is not None]
        yield b"\n".join([*texts, *unfinished(self.cuts, at_end=True)])
