"""Log files that grow: the head that was read before is known by its hash, and is not parsed again.

A file is cut into parts at the ends of lines. Each part that was read is an object of its own in the ledger, named
`<url>#bytes=<from>-<to>` with the hash of its bytes as etag, so its rows stay when the file grows, and even when it is
truncated or rotated away. What stands behind the last whole record (a line without an end, a record that may go on) is
told under the url itself and replaced by each reading.
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
    parts += _new_parts(text, parts[-1].end if parts else 0, cut, part_bytes)
    for one, outcome in _read(obj, text, parts, ZoneInfo(timezone)):
        yield one, replace(outcome, partial=TOO_LARGE) if is_cut and one is obj else outcome


def _new_parts(data: bytes, done: int, cut: int, part_bytes: int) -> Iterator[Part]:
    """The bytes from `done` to `cut`, parted at the ends of lines."""
    while done < cut:
        end = cut
        if cut - done > part_bytes:
            end = data.rfind(b"\n", done, done + part_bytes) + 1 or data.find(b"\n", done + part_bytes) + 1
        yield Part(done, end, _digest(data[done:end]), is_current=False)
        done = end


def _read(
    obj: SourceObject, data: bytes, parts: Sequence[Part], zone: ZoneInfo
) -> Iterator[tuple[SourceObject, Parsed]]:
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
