"""Log files that grow: the head that was read before is known by its hash, and is not parsed again.

A file is cut into parts at the ends of lines. Each part that was read is an object of its own in the ledger, named
`<url>#bytes=<from>-<to>` with the hash of its bytes as etag, so its rows stay when the file grows, and even when it is
truncated or rotated away. What stands behind the last whole record (a line without an end, a record that may go on) is
told under the url itself and replaced by each reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from zoneinfo import ZoneInfo

from windsock.model import Outcome, SourceObject
from windsock.parse.component.component_log import Reader, read_component_log

MIN_BYTES = 1_000_000
"""Smaller files are read whole: to parse them takes no time that counts."""
CONTEXT_BYTES = 256_000
"""Bytes before a part that are heard, not told: the try or the table that its first lines go on with."""
_NAME = re.compile(r"#bytes=(\d+)-(\d+)\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a file that was read before: its place, its hash, and whether this version of the parser read it."""

    start: int
    end: int
    digest: str
    is_current: bool = True


def part_of(url: str, etag: str, *, is_current: bool) -> tuple[str, Part] | None:
    """The file's url and the part that a ledger row names; None for any other row."""
    match = _NAME.search(url)
    return (url[: match.start()], Part(int(match[1]), int(match[2]), etag, is_current)) if match else None


def read_growing(
    obj: SourceObject,
    data: bytes,
    *,
    known: Sequence[Part],
    timezone: str = "UTC",
    min_bytes: int = MIN_BYTES,
) -> Iterator[tuple[SourceObject, Outcome]]:
    """The parts of an object that have to be read, then the object itself."""
    cut = data.rfind(b"\n") + 1
    if data[:2] == b"\x1f\x8b" or cut < min_bytes:
        yield obj, read_component_log(data, path=obj.path, modified_at=obj.modified_at, timezone=timezone)
        return
    parts = _chain(data, known)
    done = parts[-1].end if parts else 0
    if done < cut:
        parts.append(Part(done, cut, _digest(data[done:cut]), is_current=False))
    if not _has_records(data[: min(cut, CONTEXT_BYTES)], obj, timezone):
        yield obj, read_component_log(data, path=obj.path, modified_at=obj.modified_at, timezone=timezone)
        return
    yield from _read(obj, data, parts, ZoneInfo(timezone))


def _read(
    obj: SourceObject, data: bytes, parts: Sequence[Part], zone: ZoneInfo
) -> Iterator[tuple[SourceObject, Outcome]]:
    reader, heard = Reader(obj.path, zone), 0
    for part in parts:
        if part.is_current:
            continue
        if heard < part.start:
            reader = _in_context(obj, data, part.start, zone)
        reader.feed(data[part.start : part.end])
        heard = part.end
        url = f"{obj.url}#bytes={part.start}-{part.end}"
        yield (
            replace(obj, url=url, size=part.end - part.start, etag=part.digest),
            reader.take(obj.modified_at),
        )
    if heard < parts[-1].end:
        reader = _in_context(obj, data, parts[-1].end, zone)
    if rest := data[parts[-1].end :]:
        reader.feed(rest)
    reader.end()
    yield obj, reader.take(obj.modified_at)


def _in_context(obj: SourceObject, data: bytes, start: int, zone: ZoneInfo) -> Reader:
    """A reader that has heard the lines before `start`, and told nothing."""
    reader = Reader(obj.path, zone)
    first = data.find(b"\n", max(0, start - CONTEXT_BYTES)) + 1 if start > CONTEXT_BYTES else 0
    if 0 <= first < start:
        reader.feed(data[first:start])
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
    return blake2b(data, digest_size=16).hexdigest()
