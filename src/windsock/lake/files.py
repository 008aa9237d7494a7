"""Where the lake's files lie, and their bytes as local paths: on a disk in place, from a bucket by a cache."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from windsock.model import SourceObject
from windsock.schema import DOUBLE, INT, LABELS, LONG, TABLES, TEXT, TEXTS, TIME, Table
from windsock.store import Store

ARROW = {
    TEXT: pa.string(),
    TIME: pa.timestamp("us", tz="UTC"),
    LONG: pa.int64(),
    INT: pa.int32(),
    DOUBLE: pa.float64(),
    LABELS: pa.map_(pa.string(), pa.string()),
    TEXTS: pa.list_(pa.string()),
}
_PART = re.compile(
    r"(?P<table>[a-z_]+)/week=(?P<week>\d{4}-\d\d-\d\d)/part-(?P<shard>\d+)-of-(?P<of>\d+)(?:-d(?P<day>[1-7]))?\.parquet"
)


class Partition(NamedTuple):
    """The unit of change: one table, one week (its Monday), one day of it (0: the whole week)."""

    table: str
    week: str
    day: int

    def __str__(self) -> str:
        return f"{self.table}/{self.week}/{self.day}"

    @classmethod
    def parse(cls, text: str) -> Partition:
        table, week, day = text.split("/")
        return cls(table, week, int(day))

    def path(self, shard: int, shards: int) -> str:
        day = f"-d{self.day}" if self.day else ""
        return f"{self.table}/week={self.week}/part-{shard:03d}-of-{shards:03d}{day}.parquet"


def arrow_schema(table: Table) -> pa.Schema:
    """The declared types of a table's file."""
    return pa.schema([(name, ARROW[kind]) for name, kind in table.columns.items()])


def part_of(path: str) -> tuple[Partition, int, int] | None:
    """Partition, shard and number of shards of a file that windsock wrote; None for anybody else's."""
    match = _PART.fullmatch(path)
    if match is None or match["table"] not in TABLES:
        return None
    return (
        Partition(match["table"], match["week"], int(match["day"] or 0)),
        int(match["shard"]),
        int(match["of"]),
    )


def table_files(store: Store) -> list[SourceObject]:
    """Every Parquet file of the lake's tables, whoever wrote it."""
    found: list[SourceObject] = []
    for table in TABLES:
        found += [obj for obj in store.list(f"{table}/") if obj.path.endswith(".parquet")]
    return found


class Cache:
    """Local paths for a lake's files. Copies from a bucket are named by what they hold, so they are never stale."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self.root = folder / hashlib.sha256(store.url.encode()).hexdigest()[:16]

    def local(self, obj: SourceObject) -> Path:
        """The bytes of `obj` on disk. A download that was cut off leaves nothing behind."""
        if self._store.local_root is not None:
            return self._store.local_root / obj.path
        target = self._blob(obj.path, obj.etag)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            etag = self._store.download(obj.path, target)
            if etag != obj.etag:  # replaced since it was listed: keep it under its own name
                newer = self._blob(obj.path, etag)
                target.replace(newer)
                return newer
        return target

    def _blob(self, path: str, etag: str) -> Path:
        return self.root / "files" / hashlib.sha256(f"{path}\0{etag}".encode()).hexdigest()[:40]

    def keep_only(self, objects: Iterable[SourceObject]) -> None:
        """Remove copies of versions that are neither among `objects` nor linked from a snapshot."""
        kept = {self._blob(obj.path, obj.etag) for obj in objects}
        for path in (self.root / "files").iterdir():
            if path not in kept and path.stat().st_nlink == 1:
                path.unlink(missing_ok=True)
