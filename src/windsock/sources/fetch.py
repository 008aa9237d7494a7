"""Objects' bytes, fetched ahead of the reader: bounded in bytes, in order, with as many requests as the latency wants."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from windsock.model import Reject, SourceObject
from windsock.store import Body, NotFound, ObjectUnreadable, Store

BYTES_IN_FLIGHT = 64 * 1024 * 1024
MAX_OBJECT_BYTES = 1024**3
GROUP_OBJECTS, GROUP_BYTES = 16, 1024 * 1024  # read by one thread one after the other
RANGE_BYTES = 8 * 1024 * 1024
MIN_REQUESTS, MAX_REQUESTS = 8, 256
REQUESTS_PER_MS = (
    8  # one core reads about 8,000 small objects a second: that many a millisecond hide the wait
)
WRONG_LENGTH_TRIES = 3


@dataclass(frozen=True, slots=True)
class Ranges:
    """An object too large to be held: its bytes in order, a range in memory at a time."""

    store: Store
    obj: SourceObject

    def chunks(self, size: int = RANGE_BYTES) -> Iterator[bytes]:
        """Raises what `Store.get_range` raises; a store that answers less than it listed ends in `wrong_length`."""
        for start in range(0, self.obj.size, size):
            end = min(start + size, self.obj.size)
            chunk = self.store.get_range(self.obj.path, start, end)
            if len(chunk) != end - start:
                raise ObjectUnreadable(
                    "wrong_length", f"{self.obj.url}: {len(chunk)} of {end - start} bytes at {start}"
                )
            yield chunk


Fetched = tuple[SourceObject, bytes | Reject]
FetchedOrRanges = tuple[SourceObject, bytes | Ranges | Reject]


class Width:
    """How many requests to keep in flight: few where answers come at once, up to 256 where each takes long.

    It goes by the quick ones among the last answers: with more requests than the store can take all wait longer,
    and a mean would read its own queue as latency."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=64)
        self._seen, self._told = 0, MIN_REQUESTS

    def saw(self, seconds: float) -> None:
        self._seconds.append(seconds)
        self._seen += 1
        if self._seen <= 16 or self._seen % 16 == 0:
            quick = sorted(self._seconds.copy())[len(self._seconds) // 10]
            self._told = min(MAX_REQUESTS, max(MIN_REQUESTS, int(quick * 1000 * REQUESTS_PER_MS)))

    def now(self) -> int:
        return self._told


def fetch(store: Store, objects: Iterable[SourceObject], *, kind: str) -> Iterator[Fetched]:
    """As `fetch_or_stream`, every object of up to 1 GB as bytes."""
    for obj, data in fetch_or_stream(store, objects, kind=kind, stream_from=None):
        assert not isinstance(data, Ranges)
        yield obj, data


def fetch_or_stream(
    store: Store, objects: Iterable[SourceObject], *, kind: str, stream_from: int | None
) -> Iterator[FetchedOrRanges]:
    """Bytes in the order of `objects`; the next ones are fetched while the caller reads this one.

    An object that grew or was replaced since it was listed comes with the size and etag of what was read. Objects of
    `stream_from` bytes or more come as `Ranges`."""
    waiting: deque[tuple[int, Future[list[FetchedOrRanges]]]] = deque()
    in_flight, width = 0, Width()
    pool = ThreadPoolExecutor(MAX_REQUESTS, thread_name_prefix="fetch")
    try:
        for group in _groups(objects, width, stream_from):
            size = sum(0 if _is_large(obj, stream_from) else obj.size for obj in group)
            while waiting and (len(waiting) >= 2 * width.now() or in_flight + size > BYTES_IN_FLIGHT):
                done, future = waiting.popleft()
                yield from future.result()
                in_flight -= done
            waiting.append((size, pool.submit(_get_all, store, group, kind, width, stream_from)))
            in_flight += size
        while waiting:
            yield from waiting.popleft()[1].result()
    finally:
        # a reader that stops early must not wait for what nobody wants any more
        pool.shutdown(wait=False, cancel_futures=True)


def _groups(
    objects: Iterable[SourceObject], width: Width, stream_from: int | None
) -> Iterator[list[SourceObject]]:
    """What one thread reads one after the other: several small objects where answers come at once, since handing one
    over costs about a quarter of reading it; single objects where they take long."""
    group: list[SourceObject] = []
    size = 0
    for obj in objects:
        group.append(obj)
        size += obj.size
        is_full = len(group) >= GROUP_OBJECTS or size >= GROUP_BYTES or width.now() > MIN_REQUESTS
        if is_full or _is_large(obj, stream_from):
            yield group
            group, size = [], 0
    if group:
        yield group


def _is_large(obj: SourceObject, stream_from: int | None) -> bool:
    return stream_from is not None and obj.size >= stream_from


def _get_all(
    store: Store, group: list[SourceObject], kind: str, width: Width, stream_from: int | None
) -> list[FetchedOrRanges]:
    return [_get(store, obj, kind, width, is_large=_is_large(obj, stream_from)) for obj in group]


def _get(store: Store, obj: SourceObject, kind: str, width: Width, *, is_large: bool) -> FetchedOrRanges:
    if is_large:
        return obj, Ranges(store, obj)
    if obj.size > MAX_OBJECT_BYTES:
        return obj, Reject(kind, "too_large", f"{obj.size} bytes; the limit is {MAX_OBJECT_BYTES}")
    try:
        started = time.perf_counter()
        body = _read(store, obj)
        width.saw(time.perf_counter() - started)
    except NotFound:
        return obj, Reject(kind, "vanished", "listed, but gone when it was read")
    except ObjectUnreadable as error:
        return obj, Reject(kind, error.reason, error.detail)
    if (body.etag, body.size) != (obj.etag, obj.size) and body.etag:
        obj = replace(obj, etag=body.etag, size=body.size, modified_at=body.modified_at)
    return obj, body.data


def _read(store: Store, obj: SourceObject) -> Body:
    """The body, whole. The same version with fewer bytes than were listed was cut off, whatever the store says."""
    for _ in range(WRONG_LENGTH_TRIES):
        body = store.read(obj.path)
        if body.etag != obj.etag or len(body.data) >= obj.size:
            return body
    raise ObjectUnreadable("wrong_length", f"{obj.url}: {len(body.data)} of {obj.size} bytes")
