"""Component logs → outcomes. Of a file that has grown only the new end is fetched, when its known head is still there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from windsock.config import Config
from windsock.model import Outcome, Reject, SourceObject
from windsock.parse.component import Part, Window, last_parts, part_of, read_growing, read_grown
from windsock.parse.component.growing import CONTEXT_BYTES
from windsock.sources.fetch import MAX_OBJECT_BYTES, fetch
from windsock.store import NotFound, ObjectUnreadable, Store

CANDIDATES = 3
"""Generations of a rotated file that are looked for by a small range read each; then the file is read whole."""


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
    logs = config.pipeline.sources.task_logs
    zone = logs.timezone if logs else "UTC"
    whole: list[SourceObject] = []
    for obj in objects:
        grown = _grown(store, obj, parts.get(obj.url, ()))
        if grown is None:
            whole.append(obj)
        else:
            tail, done = grown
            spared(obj.size - len(tail.data))
            yield from read_grown(obj, tail, done=done, timezone=zone)
    for obj, data in fetch(store, whole, kind="component_logs"):
        if isinstance(data, Reject):
            yield obj, data
        else:
            yield from read_growing(obj, data, known=parts.get(obj.url, ()), timezone=zone)


def is_part(obj: SourceObject) -> bool:
    """Whether an object is a piece of a growing file, which no listing knows."""
    return part_of(obj.url, obj.etag, is_current=True) is not None


def _grown(store: Store, obj: SourceObject, known: Sequence[Part]) -> tuple[Window, int] | None:
    """The end of a file from some lines before what is new, and where that begins; None: it must be read whole.

    Whatever cannot be read here is read, or rejected, with the other objects."""
    try:
        for part in last_parts(known, obj.size)[:CANDIDATES]:
            if not part.shows(store.get_range(obj.path, part.shown_from, part.end)):
                continue
            start = max(0, part.end - CONTEXT_BYTES)
            if obj.size - start > MAX_OBJECT_BYTES:
                return None
            data = store.get_range(obj.path, start, obj.size)
            return (Window(data, start), part.end) if len(data) == obj.size - start else None
    except (NotFound, ObjectUnreadable):
        pass
    return None
