"""Single log files, without a lake: what `windsock parse` understands of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from windsock.errors import SourceError
from windsock.model import Ignored, LogKey, Outcome, Reject, Row, SourceObject
from windsock.parse import parse_key, read_task_log
from windsock.parse.plain import joined
from windsock.parse.stream import read_stream
from windsock.sources.parts import in_parts, whole_logs
from windsock.store import NotFound, ObjectUnreadable, Store, open_store

PARSE_COLUMNS = [
    "path",
    "dialect",
    "state",
    "state_reason",
    "exception_type",
    "exception_message",
    "error_signature",
    "record_count",
    "process_starts",
    "started_at",
    "ended_at",
    "reject",
]


def parse_files(paths: Sequence[str]) -> Iterator[Row]:
    """What is understood of single objects: one row each, whether it could be read or not."""
    for given in paths:
        local = Path(given)
        if "://" not in given and local.is_file():
            store = open_store(str(local.resolve().parent))
            yield _parse_one(store, store.head(local.name), given)
            continue
        if "://" not in given and not local.is_dir():
            raise SourceError(f"{given}: no such file or folder; give a log file, a folder or a URL")
        yield from _parse_below(given)


def _parse_below(given: str) -> Iterator[Row]:
    """Every object below a folder or a URL; a URL may name one object."""
    store = open_store(given)
    count = 0
    for obj in whole_logs(store.list()):
        count += 1
        yield _parse_one(store, obj, obj.url)
    if count:
        return
    folder, _, name = given.rpartition("/")
    if "://" in given and name and not folder.endswith(":/"):
        parent = open_store(folder)
        try:
            yield _parse_one(parent, parent.head(name), given)
            return
        except (NotFound, ObjectUnreadable):
            pass
    raise SourceError(f"{given}: no such object, and nothing below it; give a log file, a folder or a URL")


def _parse_one(store: Store, obj: SourceObject, shown: str) -> Row:
    row: Row = dict.fromkeys(PARSE_COLUMNS) | {"path": shown}
    key = parse_key(obj.url) or LogKey("", "", "", -1, 0)
    # a single file may be any number of years old, and was perhaps copied today: its times are told as they are
    told: dict[str, Any] = {"object_url": obj.url, "etag": obj.etag, "modified_at": None, "lines": "errors"}
    outcome: Outcome
    try:
        if obj.parts:
            parts = in_parts(store, obj.path, known=obj.parts)
            outcome = read_stream(
                key, lambda: joined(parts.bodies(), size=parts.obj.size), size=parts.obj.size, **told
            )
        else:
            outcome = read_task_log(key, store.get(obj.path), **told)
    except NotFound:
        return row | {"reject": "vanished"}
    except ObjectUnreadable as error:
        return row | {"reject": error.reason}
    if isinstance(outcome, Reject):
        return row | {"reject": outcome.reason}
    if isinstance(outcome, Ignored):
        return row | {"reject": outcome.kind}
    log: Mapping[str, Any] = outcome.rows["task_logs"][0]
    return row | {name: log.get(name) for name in PARSE_COLUMNS if name in log}
