"""Objects' bytes → outcomes, by what their source and key say they are; task logs in batches, for the fast path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from windsock.config import Config
from windsock.model import Ignored, LogKey, Outcome, Parsed, Reject, SourceObject
from windsock.parse import parse_key
from windsock.parse.batch import LogObject, read_task_logs
from windsock.parse.plain import GZIP, joined
from windsock.parse.stream import read_stream
from windsock.parse.told.answers import is_airflow_answers, read_airflow_answers
from windsock.sources.fetch import Ranges
from windsock.store import Changed, NotFound, ObjectUnreadable

BATCH_BYTES, BATCH_OBJECTS = 4 << 20, 1000

MISSING_TOLD = "a part of the export is missing"

CHANGED_TRIES = 3  # readings of an object that is replaced while it is read

Fetched = tuple[SourceObject, bytes | Ranges | Reject]


def is_of_kind(config: Config, kind: str, obj: SourceObject) -> bool:
    """Whether an object is read as this kind. Airflow's own log folder holds task logs and component logs side by side,
    and both sources may name it: each object belongs to one of them."""
    if kind in ("metrics", "airflow_answers"):
        return is_airflow_answers(obj.path) == (kind == "airflow_answers")
    sources = config.pipeline.sources
    if not sources.component_logs or kind not in ("task_logs", "component_logs"):
        return True
    template = (sources.task_logs and sources.task_logs.filename_template) or None
    is_task_log = parse_key(obj.path, template) is not None
    if kind == "component_logs":
        return not is_task_log
    roots = [url.removeprefix("file://").rstrip("/") for url in config.urls(sources.component_logs.url)]
    url = obj.url.removeprefix("file://")
    return is_task_log or not any(url.startswith(f"{root}/") for root in roots)


def read_objects(
    config: Config,
    kind: str,
    fetched: Iterable[Fetched],
) -> Iterator[tuple[SourceObject, Outcome]]:
    """One outcome per object, in order. Bytes are held for one batch at a time."""
    batch: list[tuple[SourceObject, bytes | Reject]] = []
    size = 0
    for obj, data in fetched:
        if isinstance(data, Ranges):
            yield from _read_batch(config, kind, batch)
            batch, size = [], 0
            too_large = Reject(kind, "too_large", f"{obj.size} bytes")
            yield _read_ranges(config, data) if kind == "task_logs" else (obj, too_large)
            continue
        batch.append((obj, data))
        size += 0 if isinstance(data, Reject) else len(data)
        if size >= BATCH_BYTES or len(batch) >= BATCH_OBJECTS:
            yield from _read_batch(config, kind, batch)
            batch, size = [], 0
    yield from _read_batch(config, kind, batch)


def _read_zipped(config: Config, obj: SourceObject, data: bytes) -> Outcome:
    """A task log that may unpack to more than can be held."""
    key = _key_of(config, obj)
    return _stream(config, key, obj, lambda: (data,)) if isinstance(key, LogKey) else key


def _read_ranges(config: Config, ranges: Ranges) -> tuple[SourceObject, Outcome]:
    """A task log that is too large to be held, or lies in parts."""
    obj = ranges.obj
    key = _key_of(config, obj)
    if not isinstance(key, LogKey):
        return obj, key

    def read(one: Ranges) -> Iterator[tuple[SourceObject, Outcome]]:
        if not one.parts:
            yield one.obj, _stream(config, key, one.obj, one.chunks)
            return
        outcome = _stream(config, key, one.obj, lambda: joined(one.bodies(), size=one.obj.size))
        if one.missing and isinstance(outcome, Parsed):
            outcome = replace(outcome, partial=MISSING_TOLD)
        yield one.obj, outcome

    (told,) = read_again(ranges, read, kind="task_logs")
    return told


def read_again(
    ranges: Ranges, read: Callable[[Ranges], Iterator[tuple[SourceObject, Outcome]]], *, kind: str
) -> Iterator[tuple[SourceObject, Outcome]]:
    """What `read` tells of an object that is too large to be held; from its new version, where it was replaced
    meanwhile. The object comes last and once: as a reject, where it could not be read to its end."""
    obj = ranges.obj
    for _ in range(CHANGED_TRIES):
        try:
            yield from read(ranges)
            return
        except Changed:
            try:
                ranges = ranges.renewed()
            except (NotFound, ObjectUnreadable):
                yield obj, Reject(kind, "vanished", "gone while it was read")
                return
        except NotFound:
            yield obj, Reject(kind, "vanished", "gone while it was read")
            return
        except ObjectUnreadable as error:
            yield obj, Reject(kind, error.reason, error.detail)
            return
    yield obj, Reject(kind, "changed", "replaced each time while it was read")


def _stream(config: Config, key: LogKey, obj: SourceObject, chunks: Callable[[], Iterable[bytes]]) -> Outcome:
    source = config.pipeline.sources.task_logs
    return read_stream(
        key, chunks, size=obj.size, object_url=obj.url, etag=obj.etag, modified_at=obj.modified_at,
        lines=source.lines if source else "errors", timezone=source.timezone if source else "UTC",
    )  # fmt: skip


def _read_batch(
    config: Config, kind: str, batch: list[tuple[SourceObject, bytes | Reject]]
) -> Iterator[tuple[SourceObject, Outcome]]:
    outcomes: list[Outcome | None] = []
    logs: list[LogObject] = []
    for obj, data in batch:
        one = data if isinstance(data, Reject) else _assigned(config, kind, obj, data)
        if isinstance(one, LogObject):
            logs.append(one)
            outcomes.append(None)
        else:
            outcomes.append(one)
    source = config.pipeline.sources.task_logs
    done = iter(read_task_logs(logs, lines=source.lines, timezone=source.timezone) if source else ())
    for (obj, _data), outcome in zip(batch, outcomes, strict=True):
        yield obj, outcome or next(done)


def _assigned(config: Config, kind: str, obj: SourceObject, data: bytes) -> LogObject | Outcome:
    """A task log to be read with its batch, or the outcome of any other object."""
    if kind == "airflow_answers":
        return read_airflow_answers(data, object_url=obj.url)
    if data.startswith(GZIP):
        return _read_zipped(config, obj, data)
    key = _key_of(config, obj)
    if not isinstance(key, LogKey):
        return key
    return LogObject(key, data, obj.url, obj.etag, obj.modified_at)


def _key_of(config: Config, obj: SourceObject) -> LogKey | Ignored | Reject:
    """Which attempt an object is the log of."""
    logs = config.pipeline.sources.task_logs
    key = parse_key(obj.path, (logs and logs.filename_template) or None)
    if key is None:
        return Ignored("unknown_key")
    return key if key.kind == "attempt" else Ignored(f"{key.kind}_log")
