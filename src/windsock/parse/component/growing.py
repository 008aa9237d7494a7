"""Log files that grow: the head that was read before is known by its hash, and is neither fetched nor parsed again.

A file is cut into parts at the ends of lines. Each part that was read is an object of its own in the ledger, named
`<url>#bytes=<from>-<to>`, so its rows stay when the file grows, and even when it is truncated or rotated away. Its etag
holds two hashes: of all its bytes, and of the last ones, which show in one small range read that the file is still the
same up to there. What stands behind the last whole record (a line without an end, a record that may go on) is told under
the url itself and replaced by each reading.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from windsock.model import Outcome, Parsed, Reject, SourceObject
from windsock.parse.component.component_log import (
    KIND,
    NOT_COMPONENT_LOG,
    TOO_LARGE,
    Reader,
    read_component_log,
)
from windsock.parse.component.lines import MAX_PLAIN_BYTES
from windsock.parse.component.parts import Part, digest
from windsock.parse.component.window import Window
from windsock.parse.plain import MAX_RATIO, TooMuch, unzipped

MIN_BYTES = 1_000_000
"""Smaller files are read whole: to parse them takes no time that counts."""
PART_BYTES = 32_000_000
"""The largest part: its rows are in memory at a time."""
CONTEXT_BYTES = 256_000
"""Bytes before a part that are heard, not told: the try or the table that its first lines go on with."""


def read_growing(
    obj: SourceObject,
    chunks: Iterable[bytes],
    *,
    known: Sequence[Part],
    timezone: str = "UTC",
    min_bytes: int = MIN_BYTES,
    part_bytes: int = PART_BYTES,
) -> Iterator[tuple[SourceObject, Outcome]]:
    """The parts of an object that have to be read, then the object itself; one part in memory at a time, whatever the
    length of the object or of its lines. A zipped object is cut as it was before."""
    text = _Unpacked(chunks, obj.size)
    file, zone = Window(text), ZoneInfo(timezone)
    try:
        if not file.reach(min_bytes):
            yield (
                obj,
                read_component_log(
                    file.cut(0, file.end), path=obj.path, modified_at=obj.modified_at, timezone=timezone
                ),
            )
            return
        untold: list[tuple[SourceObject, Outcome]] | None = []
        for one, outcome, has_records in _read(
            obj, file, _cut(file, known, part_bytes), Reader(obj.path, zone), zone
        ):
            if untold is not None and not has_records and one is not obj:
                untold.append((one, outcome))  # whose log it is has not been seen
                continue
            if untold is not None and has_records:
                yield from untold
                untold = None
            if one is not obj:
                yield one, outcome
            elif not has_records:
                yield obj, NOT_COMPONENT_LOG
            else:
                yield obj, replace(outcome, partial=TOO_LARGE) if text.is_cut else outcome
    except zlib.error as error:
        yield obj, Reject(KIND, "bad_gzip", str(error))


def read_grown(
    obj: SourceObject,
    chunks: Iterable[bytes],
    *,
    start: int,
    done: int,
    timezone: str = "UTC",
    part_bytes: int = PART_BYTES,
) -> Iterator[tuple[SourceObject, Outcome]]:
    """What a file says from `done` on, its head being known; its bytes come from `start` on, `CONTEXT_BYTES` before, or
    from its beginning."""
    file, zone = Window(chunks, start), ZoneInfo(timezone)
    file.reach(done)
    reader = _in_context(obj, file, done, zone)
    for one, outcome, _ in _read(obj, file, _cut(file, (), part_bytes, done), reader, zone, heard=done):
        yield one, outcome


class _Unpacked:
    """The text of an object that may be zipped; `is_cut`: a rest of it was left out."""

    def __init__(self, chunks: Iterable[bytes], size: int) -> None:
        self._chunks, self._most, self.is_cut = chunks, max(MAX_PLAIN_BYTES, size * MAX_RATIO), False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from unzipped(self._chunks, at_most=self._most)
        except TooMuch:
            self.is_cut = True


def _cut(file: Window, known: Sequence[Part], part_bytes: int, place: int = 0) -> Iterator[Part]:
    """The known parts whose bytes still stand where they stood, one after another; then new ones, that end with a line
    where lines are no longer than a part. What goes on without an end is no part yet."""
    while True:
        part = _standing(file, known, place)
        if part is None:
            known = ()
            part = _new(file, place, part_bytes)
        if part is None:
            return
        yield part
        place = part.end
        file.forget(place - CONTEXT_BYTES)


def _standing(file: Window, known: Sequence[Part], place: int) -> Part | None:
    """The longest known part at this place whose bytes are the same."""
    for part in sorted((one for one in known if one.start == place < one.end), key=lambda one: -one.end):
        if file.reach(part.end) and digest(file.cut(place, part.end)) == part.digest:
            return part
    return None


def _new(file: Window, place: int, part_bytes: int) -> Part | None:
    is_more = file.reach(place + part_bytes + 1)
    end = file.line_end(place, min(file.end, place + part_bytes))
    if end == place:
        if not is_more:
            return None
        end = place + part_bytes
    return Part(place, end, digest(file.cut(place, end)), is_current=False)


def _read(
    obj: SourceObject, file: Window, parts: Iterable[Part], reader: Reader, zone: ZoneInfo, *, heard: int = 0
) -> Iterator[tuple[SourceObject, Parsed, bool]]:
    """Each part that has to be read, then the object with what stands behind them; and whether a record was seen yet."""
    last = heard
    is_known = False
    for part in parts:
        last = part.end
        if part.is_current:
            is_known = True
            continue
        if heard < part.start:
            reader = _in_context(obj, file, part.start, zone)
        for piece in file.pieces(part.start, part.end):
            reader.feed(piece)
        heard = part.end
        one = replace(
            obj, url=f"{obj.url}#bytes={part.start}-{part.end}", size=part.end - part.start, etag=part.digest
        )
        yield one, reader.take(obj.modified_at), is_known or reader.has_records
    if heard < last:
        reader = _in_context(obj, file, last, zone)
    if rest := file.cut(last, file.end):
        reader.feed(rest)
    reader.end()
    yield obj, reader.take(obj.modified_at), is_known or reader.has_records


def _in_context(obj: SourceObject, file: Window, start: int, zone: ZoneInfo) -> Reader:
    """A reader that has heard the lines before `start`, and told nothing."""
    reader = Reader(obj.path, zone)
    first = file.line_start(start - CONTEXT_BYTES) if start > CONTEXT_BYTES else 0
    if first < start:
        reader.feed(file.cut(first, start))
    reader.take(obj.modified_at)
    return reader
