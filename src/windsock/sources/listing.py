"""Which objects of a source are new or changed, and their bytes, fetched ahead of the reader."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from windsock.model import Reject, SourceObject
from windsock.store import NotFound, ObjectUnreadable, Store

THREADS = 16  # per process; obstore releases the GIL while it waits
BYTES_IN_FLIGHT = 64 * 1024 * 1024
MAX_OBJECT_BYTES = 1024**3


@dataclass(slots=True)
class Listing:
    """What a listing found: the objects to read, and how many were passed over."""

    to_read: list[SourceObject] = field(default_factory=list)
    listed: int = 0
    known: int = 0
    outside: int = 0  # modified before `since` or after `until`
    bytes: int = 0


def list_new(
    store: Store,
    *,
    known: Mapping[str, tuple[str, int]],
    is_mine: Callable[[SourceObject], bool],
    since: datetime | None = None,
    until: datetime | None = None,
) -> Listing:
    """List everything; keep what the ledger does not know in this form (url → etag, size). An object that was
    rejected is not in `known`, so each pull tries it again."""
    listing = Listing()
    for obj in store.list():
        listing.listed += 1
        if not is_mine(obj):
            listing.listed -= 1
        elif (since and obj.modified_at < since) or (until and obj.modified_at >= until):
            listing.outside += 1
        elif known.get(obj.url) == (obj.etag, obj.size):
            listing.known += 1
        else:
            listing.to_read.append(obj)
            listing.bytes += obj.size
    return listing


def fetch(
    store: Store, objects: Sequence[SourceObject], *, kind: str, threads: int = THREADS
) -> Iterator[tuple[SourceObject, bytes | Reject]]:
    """Bytes in the order of `objects`; the next ones are fetched while the caller reads this one."""
    waiting: deque[tuple[SourceObject, Future[bytes | Reject]]] = deque()
    in_flight = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="fetch") as pool:
        for obj in objects:
            while waiting and (len(waiting) >= threads * 4 or in_flight + obj.size > BYTES_IN_FLIGHT):
                done, future = waiting.popleft()
                in_flight -= done.size
                yield done, future.result()
            waiting.append((obj, pool.submit(_get, store, obj, kind)))
            in_flight += obj.size
        for done, future in waiting:
            yield done, future.result()


def _get(store: Store, obj: SourceObject, kind: str) -> bytes | Reject:
    if obj.size > MAX_OBJECT_BYTES:
        return Reject(kind, "too_large", f"{obj.size} bytes; the limit is {MAX_OBJECT_BYTES}")
    try:
        return store.get(obj.path)
    except NotFound:
        return Reject(kind, "vanished", "listed, but gone when it was read")
    except ObjectUnreadable as error:
        return Reject(kind, error.reason, error.detail)
