"""Component logs → outcomes, one part of a file in memory at a time. Of a file that has grown only the new end is fetched,
when its known head is still there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from windsock.config import Config
from windsock.model import Outcome, Reject, SourceObject
from windsock.parse.component import Part, last_parts, part_of, read_growing, read_grown
from windsock.parse.component.growing import CONTEXT_BYTES, PART_BYTES
from windsock.pull.logs import read_again
from windsock.sources.fetch import Ranges, fetch_or_stream
from windsock.store import NotFound, ObjectUnreadable, Store

CANDIDATES = 3
"""Generations of a rotated file that are looked for by a small range read each; then the file is read whole."""

KIND = "component_logs"


def read_components(
    config: Config,
    store: Store,
    objects: Iterable[SourceObject],
    parts: Mapping[str, Sequence[Part]] = MappingProxyType({}),
    *,
    spared: Callable[[int], None] = lambda _bytes: None,
) -> Iterator[tuple[SourceObject, Outcome]]:
    """One outcome per object. `parts` are the pieces of growing files that were read before; further ones come out as
    objects of their own, before the file (`is_part`). `spared` hears of bytes that were known and not fetched."""
    logs, memory = config.pipeline.sources.task_logs, config.pipeline.lake.memory_mb << 20
    zone = logs.timezone if logs else "UTC"
    whole: list[SourceObject] = []
    met: dict[str, list[Part]] = {}  # parts that this pull has read, of files that then could not be read on
    for obj in objects:
        done = _known_to(store, obj, parts.get(obj.url, ()))
        start = max(0, done - CONTEXT_BYTES)
        try:
            if done:
                read = read_grown(
                    obj,
                    store.chunks(obj, start),
                    start=start,
                    done=done,
                    timezone=zone,
                    part_bytes=PART_BYTES,
                )
                yield from _noted(read, met)
                spared(start)
                continue
        except (NotFound, ObjectUnreadable):
            pass  # read, or rejected, with the other objects
        whole.append(obj)

    def read_whole(obj: SourceObject, chunks: Iterable[bytes]) -> Iterator[tuple[SourceObject, Outcome]]:
        known = [*parts.get(obj.url, ()), *met.get(obj.url, ())]
        return _noted(read_growing(obj, chunks, known=known, timezone=zone, part_bytes=PART_BYTES), met)

    fetched = fetch_or_stream(store, whole, kind=KIND, stream_from=memory // 64, in_flight_bytes=memory // 8)
    for obj, data in fetched:
        if isinstance(data, Reject):
            yield obj, data
        elif isinstance(data, Ranges):
            yield from read_again(data, lambda ranges: read_whole(ranges.obj, ranges.chunks()), kind=KIND)
        else:
            yield from read_whole(obj, (data,))
        met.pop(obj.url, None)


def is_part(obj: SourceObject) -> bool:
    """Whether an object is a piece of a growing file, which no listing knows."""
    return part_of(obj.url, obj.etag, is_current=True) is not None


def _noted(
    read: Iterator[tuple[SourceObject, Outcome]], met: dict[str, list[Part]]
) -> Iterator[tuple[SourceObject, Outcome]]:
    """What is read, remembering the parts: a file that changes meanwhile is read again, and its parts are not."""
    for obj, outcome in read:
        if found := part_of(obj.url, obj.etag, is_current=True):
            met.setdefault(found[0], []).append(found[1])
        yield obj, outcome


def _known_to(store: Store, obj: SourceObject, known: Sequence[Part]) -> int:
    """Up to where a file is one that was read before; 0: it must be read whole."""
    try:
        for part in last_parts(known, obj.size)[:CANDIDATES]:
            if part.shows(store.get_range(obj.path, part.shown_from, part.end)):
                return part.end
    except (NotFound, ObjectUnreadable):
        pass
    return 0
