"""Objects' bytes, fetched ahead of the reader: bounded in bytes, in order, with as many requests as the latency wants."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from msgspec.structs import replace

from windsock.model import Reject, SourceObject
from windsock.sources.parts import Ranges as Ranges
from windsock.sources.parts import in_parts
from windsock.store import Body, NotFound, ObjectUnreadable, Store, TooLarge

BYTES_IN_FLIGHT = 64 * 1024 * 1024
MAX_OBJECT_BYTES = 1024**3
GROUP_OBJECTS, GROUP_BYTES = 16, 1024 * 1024  # read by one thread one after the other
MIN_REQUESTS, MAX_REQUESTS = 8, 256
REQUESTS_PER_MS = (
    8  # one core reads about 8,000 small objects a second: that many a millisecond hide the wait
)
WRONG_LENGTH_TRIES = 3


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
    for obj, data in fetch_or_stream(store, objects, kind=kind, stream_from=MAX_OBJECT_BYTES):
        if isinstance(data, Ranges):
            data = Reject(kind, "too_large", f"{obj.size} bytes; the limit is {MAX_OBJECT_BYTES}")
        yield obj, data


def fetch_or_stream(
    store: Store,
    objects: Iterable[SourceObject],
    *,
    kind: str,
    stream_from: int,
    in_flight_bytes: int = BYTES_IN_FLIGHT,
) -> Iterator[FetchedOrRanges]:
    """Bytes in the order of `objects`; the next ones are fetched while the caller reads this one.

    An object that grew or was replaced since it was listed comes with the size and etag of what was read. Objects of
    more than `stream_from` bytes come as `Ranges`, also those that were smaller when they were listed, and so do logs in
    parts of any size."""
    waiting: deque[tuple[int, Future[list[FetchedOrRanges]]]] = deque()
    in_flight, width = 0, Width()
    pool = ThreadPoolExecutor(MAX_REQUESTS, thread_name_prefix="fetch")
    try:
        for group in _groups(objects, width, stream_from):
            size = sum(0 if obj.size > stream_from else obj.size for obj in group)
            while waiting and (len(waiting) >= 2 * width.now() or in_flight + size > in_flight_bytes):
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


def _groups(objects: Iterable[SourceObject], width: Width, stream_from: int) -> Iterator[list[SourceObject]]:
    """What one thread reads one after the other: several small objects where answers come at once, since handing one
    over costs about a quarter of reading it; single objects where they take long."""
    group: list[SourceObject] = []
    size = 0
    for obj in objects:
        group.append(obj)
        size += obj.size
        is_full = len(group) >= GROUP_OBJECTS or size >= GROUP_BYTES or width.now() > MIN_REQUESTS
        if is_full or obj.size > stream_from:
            yield group
            group, size = [], 0
    if group:
        yield group


def _get_all(
    store: Store, group: list[SourceObject], kind: str, width: Width, stream_from: int
) -> list[FetchedOrRanges]:
    return [_get(store, obj, kind, width, stream_from=stream_from) for obj in group]


def _get(store: Store, obj: SourceObject, kind: str, width: Width, *, stream_from: int) -> FetchedOrRanges:
    try:
        if obj.parts:
            ranges = in_parts(store, obj.path, known=obj.parts)
            return ranges.obj, ranges
        if obj.size > stream_from:
            now = store.head(obj.path)
            return now, Ranges(store, now)
        started = time.perf_counter()
        body = _read(store, obj, at_most=stream_from)
        width.saw(time.perf_counter() - started)
    except TooLarge as grown:
        return grown.obj, Ranges(store, grown.obj)
    except NotFound:
        return obj, Reject(kind, "vanished", "listed, but gone when it was read")
    except ObjectUnreadable as error:
        return obj, Reject(kind, error.reason, error.detail)
    if (body.etag, body.size) != (obj.etag, obj.size) and body.etag:
        obj = replace(obj, etag=body.etag, size=body.size, modified_at=body.modified_at)
    return obj, body.data


def _read(store: Store, obj: SourceObject, *, at_most: int) -> Body:
    """The body, whole. The same version with fewer bytes than were listed was cut off, whatever the store says."""
    for _ in range(WRONG_LENGTH_TRIES):
        body = store.read(obj.path, at_most=at_most)
        if body.etag != obj.etag or len(body.data) >= obj.size:
            return body
    raise ObjectUnreadable("wrong_length", f"{obj.url}: {len(body.data)} of {obj.size} bytes")
