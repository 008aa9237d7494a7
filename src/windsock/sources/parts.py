"""A log that an export cut in numbered parts is one object of a listing: all its parts together.

CloudWatch's export tasks write each stream into a folder of its own, a long one as `000000.gz`, `000001.gz` and so on.
The object that stands for them has the address of the first part, the bytes of all, and an etag made of theirs: a part that
comes later changes it, so that the whole log is read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from msgspec.structs import replace

from windsock.errors import SourceError
from windsock.model import SourceObject
from windsock.store import NotFound, ObjectUnreadable, Store

_PART = re.compile(
    r"(?:.*/)?dag_id=[^/]+-run_id=[^/]+-task_id=[^/]+-attempt=\d+\.log[^/]*/(?P<number>\d{6})\.gz\Z",
    re.DOTALL,
)
_NAME = len("000000.gz")


@dataclass(frozen=True, slots=True)
class Ranges:
    """An object too large to be held, or one in parts: its bytes in order, as often as wanted, a few MB in memory at a
    time."""

    store: Store
    obj: SourceObject
    parts: Sequence[SourceObject] = ()

    def bodies(self) -> Iterator[tuple[int, Iterator[bytes]]]:
        """The number and the bytes of each part; an object that is no export's is part 0 of itself. Reading raises
        Changed, NotFound and ObjectUnreadable."""
        for part in self.parts or (self.obj,):
            yield _number(part.path) or 0, self.store.chunks(part)

    def chunks(self) -> Iterator[bytes]:
        """The bytes of an object that is not in parts. Raises as above."""
        return self.store.chunks(self.obj)

    @property
    def missing(self) -> int:
        """How many parts there must be that are not there."""
        return (_number(self.parts[-1].path) or 0) + 1 - len(self.parts) if self.parts else 0

    def renewed(self) -> Ranges:
        """The version of the object that is to be had now."""
        if self.obj.parts:
            return in_parts(self.store, self.obj.path, known=self.obj.parts)
        return Ranges(self.store, self.store.head(self.obj.path))


def whole_logs(objects: Iterable[SourceObject]) -> Iterator[SourceObject]:
    """A listing in key order, in which the parts of one log are one object; everything else as it comes."""
    held: list[SourceObject] = []
    folder = ""
    for obj in objects:
        path = obj.path
        if not path.endswith(".gz") or _number(path) is None:
            yield obj
            continue
        if held and path[:-_NAME] != folder:
            yield _as_one(held)
            held = []
        folder = path[:-_NAME]
        held.append(obj)
    if held:
        yield _as_one(held)


def in_parts(store: Store, path: str, *, known: int = 1) -> Ranges:
    """The parts that a log has now. Raises NotFound where there are fewer than were known, ObjectUnreadable where the
    first one is not there or nobody can say."""
    try:
        parts = [one for one in store.list(path[:-_NAME]) if _number(one.path) is not None]
    except SourceError as error:
        raise ObjectUnreadable("store_error", str(error)) from None
    if len(parts) < known:
        raise NotFound(f"{store.url}/{path}: {len(parts)} of {known} parts")
    if _number(parts[0].path) != 0:
        raise ObjectUnreadable("missing_part", "the export's first part is not there")
    return Ranges(store, _as_one(parts), parts)


def log_at(store: Store, path: str) -> Ranges:
    """The log that the lake knows under this path, with all its parts. Raises as `in_parts` and the store's `head`."""
    if _number(path) is None:
        return Ranges(store, store.head(path))
    return in_parts(store, path)


def _number(path: str) -> int | None:
    """Which part of a log this key names; None for any other key."""
    match = _PART.match(path) if path[-_NAME - 1 : -_NAME] == "/" else None  # most keys cost no search
    return int(match["number"]) if match else None


def _as_one(parts: Sequence[SourceObject]) -> SourceObject:
    first = parts[0]
    if len(parts) == 1 and _number(first.path) == 0:
        return first
    told = "\n".join(f"{one.path[-_NAME:]} {one.size} {one.etag}" for one in parts)
    return replace(
        first,
        url=first.url[:-_NAME] + "000000.gz",
        path=first.path[:-_NAME] + "000000.gz",
        size=sum(one.size for one in parts),
        modified_at=max(one.modified_at for one in parts),
        etag=f"{len(parts)} parts {blake2b(told.encode(), digest_size=16).hexdigest()}",
        parts=len(parts),
    )
