"""Log files that grow: the head that was read before is known by its hash, and is neither fetched nor parsed again.

A file is cut into parts at the ends of lines. Each part that was read is an object of its own in the ledger, named
`<url>#bytes=<from>-<to>`, so its rows stay when the file grows, and even when it is truncated or rotated away. Its etag
holds two hashes: of all its bytes, and of the last ones, which show in one small range read that the file is still the
same up to there. What stands behind the last whole record (a line without an end, a record that may go on) is told under
the url itself and replaced by each reading.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from zoneinfo import ZoneInfo

from windsock.model import Outcome, Parsed, SourceObject
from windsock.parse.component.component_log import TOO_LARGE, Reader, read_component_log
from windsock.parse.component.lines import plain

MIN_BYTES = 1_000_000
"""Smaller files are read whole: to parse them takes no time that counts."""
PART_BYTES = 32_000_000
"""The largest part: its rows are in memory at a time."""
CONTEXT_BYTES = 256_000
"""Bytes before a part that are heard, not told: the try or the table that its first lines go on with."""
SHOWN_BYTES = 64_000
"""The last bytes of a part: stamped lines of a log, which stand in the same place of no other log."""
_NAME = re.compile(r"#bytes=(\d+)-(\d+)\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a file that was read before: its place, its hashes, and whether this version of the parser read it."""

    start: int
    end: int
    digest: str
    is_current: bool = True

    @property
    def shown_from(self) -> int:
        """Where the bytes begin that the second hash is of."""
        return max(self.start, self.end - SHOWN_BYTES)

    def shows(self, last: bytes) -> bool:
        """Whether these are its last bytes (from `shown_from` on)."""
        return self.digest.partition(".")[2] == _hash(last)


@dataclass(frozen=True, slots=True)
class Window:
    """The bytes of a file from `start` on, up to its end."""

    data: bytes
    start: int = 0

    @property
    def end(self) -> int:
        return self.start + len(self.data)

    def cut(self, start: int, end: int) -> bytes:
        """By places in the file."""
        return self.data[start - self.start : end - self.start]


def part_of(url: str, etag: str, *, is_current: bool) -> tuple[str, Part] | None:
    """The file's url and the part that a ledger row names; None for any other row."""
    match = _NAME.search(url)
    return (url[: match.start()], Part(int(match[1]), int(match[2]), etag, is_current)) if match else None


def last_parts(known: Sequence[Part], size: int) -> list[Part]:
    """The parts up to which a file of `size` may be the one that was read, the longest first. Each is the end of parts
    that begin at the file's start and need no reading."""
    reached, found = {0}, []
    for part in sorted(known, key=lambda one: (one.start, one.end)):
        if part.is_current and part.start in reached and part.end <= size:
            reached.add(part.end)
            found.append(part)
    return sorted(found, key=lambda one: -one.end)


def read_growing(
    obj: SourceObject,
    data: bytes,
    *,
    known: Sequence[Part],
    timezone: str = "UTC",
    min_bytes: int = MIN_BYTES,
    part_bytes: int = PART_BYTES,
) -> Iterator[tuple[SourceObject, Outcome]]:
    """The parts of an object that have to be read, then the object itself. A zipped object is cut as it was before."""
    try:
        text, is_cut = plain(data)
    except zlib.error:
        text, is_cut = b"", False
    cut = text.rfind(b"\n") + 1
    if cut < min_bytes or not _has_records(text[: min(cut, CONTEXT_BYTES)], obj, timezone):
        yield obj, read_component_log(data, path=obj.path, modified_at=obj.modified_at, timezone=timezone)
        return
    parts = _chain(text, known)
    parts += _new_parts(Window(text), parts[-1].end if parts else 0, part_bytes)
    for one, outcome in _read(obj, Window(text), parts, ZoneInfo(timezone)):
        yield one, replace(outcome, partial=TOO_LARGE) if is_cut and one is obj else outcome


def read_grown(
    obj: SourceObject, tail: Window, *, done: int, timezone: str = "UTC", part_bytes: int = PART_BYTES
) -> Iterator[tuple[SourceObject, Outcome]]:
    """What a file says from `done` on, its head being known; `tail` begins `CONTEXT_BYTES` before, or at the start."""
    parts = [Part(0, done, ""), *_new_parts(tail, done, part_bytes)]
    yield from _read(obj, tail, parts, ZoneInfo(timezone))


def _new_parts(file: Window, done: int, part_bytes: int) -> Iterator[Part]:
    """The bytes from `done` to the last end of a line, parted at the ends of lines."""
    cut = file.start + file.data.rfind(b"\n") + 1
    while done < cut:
        end = cut
        if cut - done > part_bytes:
            at = done - file.start
            end = (
                file.data.rfind(b"\n", at, at + part_bytes) + 1 or file.data.find(b"\n", at + part_bytes) + 1
            )
            end += file.start
        yield Part(done, end, _digest(file.cut(done, end)), is_current=False)
        done = end


def _read(
    obj: SourceObject, file: Window, parts: Sequence[Part], zone: ZoneInfo
) -> Iterator[tuple[SourceObject, Parsed]]:
    reader, heard = Reader(obj.path, zone), 0
    for part in parts:
        if part.is_current:
            continue
        if heard < part.start:
            reader = _in_context(obj, file, part.start, zone)
        reader.feed(file.cut(part.start, part.end))
        heard = part.end
        url = f"{obj.url}#bytes={part.start}-{part.end}"
        yield (
            replace(obj, url=url, size=part.end - part.start, etag=part.digest),
            reader.take(obj.modified_at),
        )
    if heard < parts[-1].end:
        reader = _in_context(obj, file, parts[-1].end, zone)
    if rest := file.cut(parts[-1].end, file.end):
        reader.feed(rest)
    reader.end()
    yield obj, reader.take(obj.modified_at)


def _in_context(obj: SourceObject, file: Window, start: int, zone: ZoneInfo) -> Reader:
    """A reader that has heard the lines before `start`, and told nothing."""
    reader = Reader(obj.path, zone)
    first = 0
    if start > CONTEXT_BYTES:
        first = file.start + file.data.find(b"\n", start - CONTEXT_BYTES - file.start) + 1
    if 0 <= first < start:
        reader.feed(file.cut(first, start))
    reader.take(obj.modified_at)
    return reader


def _chain(data: bytes, known: Sequence[Part]) -> list[Part]:
    """The known parts whose bytes still stand where they stood, one after another from the start of the file."""
    chain: list[Part] = []
    place = 0
    while True:
        fitting = [
            part
            for part in known
            if part.start == place < part.end <= len(data) and _digest(data[place : part.end]) == part.digest
        ]
        if not fitting:
            return chain
        chain.append(max(fitting, key=lambda part: part.end))
        place = chain[-1].end


def _has_records(head: bytes, obj: SourceObject, timezone: str) -> bool:
    reader = Reader(obj.path, ZoneInfo(timezone))
    reader.feed(head)
    return reader.has_records


def _digest(data: bytes) -> str:
    """`<of all bytes>.<of the last ones>`."""
    return f"{_hash(data)}.{_hash(data[-SHOWN_BYTES:])}"


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()
