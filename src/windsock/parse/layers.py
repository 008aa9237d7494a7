"""Layers around a task log, each taken off as the log comes by: pieces of whole lines → the text inside.

A layer may be called again for another reading of the same log. What it says of itself (`lines`, `cuts`, …) is of the last
reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from windsock.parse.cut_lines import CRI, NO_END_TOLD, CutLines
from windsock.parse.heads import HEAD
from windsock.parse.pieces import CUT_TOLD
from windsock.parse.reading import Reading

STRAYS_TOLD = "lines outside of the collector's objects"
MAX_LAYERS = 4
_MAX_PREFIX = 100
_PREFIXES = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^[\w./@-]+ +\| ?",  # docker compose
        r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}: \w+/[\w-]+\] ",  # a Celery worker's own console
        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) ",  # kubectl
        r"^\[pod/[^\]\n]+\] ?(?:\d{4}-\d\d-\d\dT\S+ )?",  # kubectl --prefix
        r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ \S+: ",  # journal, syslog
        r"^(?:>[ \t]?)+",  # quoted
    )
)


class OutOfOrder(Exception):
    """The entries of this layer must come in another order: it now knows which, and is to be called again."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.layer = layer


class Layer(Protocol):
    """`lines` are the entries that came in lines of their own, 0 where that is not known; `cut_lines` those that were too
    long to be held."""

    lines: int
    strays: int
    cut_lines: int
    cuts: CutLines

    def __call__(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """What is inside."""
        ...


class Runtime:
    """The container runtime's own files: a time, a stream and a tag before each line."""

    def __init__(self) -> None:
        self.lines = self.strays = self.cut_lines = 0
        self.cuts = CutLines()

    def __call__(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The lines without what stands before them, those that were cut as one."""
        self.cuts = CutLines()
        is_open = False
        for piece in pieces:
            text = piece.decode("utf-8", "replace")
            if self.cuts.is_holding or " stdout P" in text or " stderr P" in text:
                text = "\n".join(self._joined(text))
            else:
                text = CRI.sub("", text)
            if text:
                is_open = not text.endswith("\n")
                yield text.encode("utf-8", "replace")
        if rest := unfinished(self.cuts, at_end=True):
            yield b"\n".join([b"", *rest] if is_open else rest)

    def _joined(self, text: str) -> Iterator[str]:
        for line in text.split("\n"):
            if match := CRI.match(line):
                whole = self.cuts.put(match[2], line[match.end() :], is_part=match[3] == "P")
                if whole is not None:
                    yield whole
            else:
                yield line


class Prefix:
    """What a tool puts before each line."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.lines = self.strays = self.cut_lines = 0
        self.cuts = CutLines()
        self._pattern = pattern

    def __call__(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The lines without it."""
        for piece in pieces:
            yield self._pattern.sub("", piece.decode("utf-8", "replace")).encode("utf-8", "replace")


def prefix_of(first: bytes, pieces: Callable[[], Iterable[bytes]]) -> Prefix | None:
    """What stands before the lines, judged by `first`, a line that holds a head, and by how many others it stands."""
    line = first.decode("utf-8", "replace")
    match = HEAD.search(line)
    at = match.start() if match else line.find('{"')
    if at <= 0:
        return None
    for pattern in _PREFIXES:
        if (found := pattern.match(line)) and found.end() == at:
            return Prefix(pattern)
    if at > _MAX_PREFIX:
        return None
    # an indented paste, or a name before each line; taken away as it stands, so that tracebacks keep their shape
    literal = re.compile(f"^{re.escape(line[:at])}", re.MULTILINE)
    with_it, all_of_them = 0, 1
    for piece in pieces():
        text = piece.decode("utf-8", "replace")
        with_it += len(literal.findall(text))
        all_of_them += text.count("\n")
    return Prefix(literal) if with_it * 2 >= all_of_them else None


def inside(layer: Layer, data: bytes) -> bytes:
    """All that is inside of a log that is held; empty where that is nothing."""
    try:
        return b"".join(layer([data]))
    except OutOfOrder:
        return b"".join(layer([data]))


def tell(reading: Reading, layers: Iterable[Layer]) -> None:
    """What the layers say beside the log itself. A record is one JSON line: where each line of a log came in one, they are
    what is counted."""
    outer = list(layers)
    for place, layer in enumerate(outer):
        if layer.lines > 1:  # one line that holds a whole log is a document
            joined = sum(one.cuts.joined for one in outer[place:])
            reading.record_count = max(reading.record_count, layer.lines - joined)
            break
    told = reading.partial
    told = told or (CUT_TOLD if any(one.cut_lines for one in outer) else None)
    told = told or (NO_END_TOLD if any(one.cuts.unended for one in outer) else None)
    reading.partial = told or (STRAYS_TOLD if any(one.strays for one in outer) else None)


def unfinished(cuts: CutLines, *, at_end: bool) -> list[bytes]:
    """The lines of whose end there is no hope, or all that are held."""
    return [as_bytes(text.rstrip("\r\n")) for _source, text in cuts.unfinished(at_end=at_end)]


def as_bytes(text: str | bytes) -> bytes:
    """Text as the layer below gets it; halves of surrogates become question marks."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")
