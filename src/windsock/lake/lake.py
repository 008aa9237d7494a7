"""Opening a lake: whose it is, writing to it, asking it."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb

from windsock import resources
from windsock.errors import LakeError
from windsock.lake.writer import Writer
from windsock.schema import TABLES
from windsock.store import NotFound, ObjectUnreadable, PreconditionFailed, Storage, Store, open_store
from windsock.week import Week

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

IDENTITY = "_windsock/lake.json"
MIRROR_SLACK_WEEKS = 1


class Lake:
    """One deployment's Parquet. Another deployment's name, or another number of shards, is refused."""

    def __init__(self, store: Store, *, shards: int, memory_mb: int, cache_dir: Path) -> None:
        self.store, self.shards, self.memory_mb, self._cache_dir = store, shards, memory_mb, cache_dir

    @classmethod
    def open(
        cls,
        url: str,
        *,
        deployment: str,
        shards: int = 1,
        memory_mb: int = 512,
        storage: Storage | None = None,
        cache_dir: Path | None = None,
        create: bool = False,
    ) -> Self:
        """Open the lake at `url`. A folder of Parquet that windsock did not write is a lake too, to be asked."""
        store = open_store(url, storage)
        identity = _identity(store)
        if identity is None and create:
            identity = {"deployment": deployment, "shards": shards, "format": 1}
            try:
                store.put(IDENTITY, json.dumps(identity).encode(), create=True)
            except PreconditionFailed:
                identity = _identity(store) or identity
        if identity is None and not _has_tables(store):
            raise LakeError(f"{url}: no lake here yet; fill it with `windsock pull PIPELINE.toml`")
        if identity and identity.get("deployment") != deployment:
            raise LakeError(
                f"{url}: belongs to deployment {identity.get('deployment')!r}, not {deployment!r}; "
                "give each deployment a lake of its own"
            )
        if identity and identity.get("shards") != shards:
            raise LakeError(
                f"{url}: has {identity.get('shards')} shards, the pipeline file says {shards}; they must agree"
            )
        default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "windsock"
        return cls(store, shards=shards, memory_mb=memory_mb, cache_dir=cache_dir or default)

    def writer(self, *, shard: int, holder: str, now: datetime) -> AbstractContextManager[Writer]:
        """The one writer of a shard; a second one is told who holds it."""
        return Writer(
            self.store, shard=shard, shards=self.shards, memory_mb=self.memory_mb, holder=holder, now=now
        )

    def connect(
        self,
        week: Week,
        *,
        weeks_back: int = 8,
        exclude: Sequence[str] = (),
        quiet: Sequence[tuple[datetime, datetime]] = (),
    ) -> duckdb.DuckDBPyConnection:
        """DuckDB with the lake's views over `week` and the weeks before. The caller closes it.

        `exclude` holds dag_id patterns, `quiet` windows (from, until): what they cover is in the views, and not judged.
        """
        root = self.store.local_root or self._mirror(week, weeks_back)
        conn = duckdb.connect(config={"memory_limit": f"{max(self.memory_mb, 256)}MB"})
        conn.execute("set threads = 1")  # one order of summing: the same lake and week give the same bytes
        conn.execute("set variable lake = ?", [str(root)])
        conn.execute(f"set variable week_start = date '{week.monday}'")
        conn.execute(f"set variable weeks_back = {int(weeks_back)}")
        conn.execute("set variable exclude = ?::varchar[]", [list(exclude)])
        for name, place in (("quiet_from", 0), ("quiet_until", 1)):
            conn.execute(f"set variable {name} = ?::timestamptz[]", [[window[place] for window in quiet]])
        conn.execute((resources.folder("sql") / "lake.sql").read_text(encoding="utf-8"))
        return conn

    @staticmethod
    def keep_tries(conn: duckdb.DuckDBPyConnection) -> None:
        """Work `task_tries` out once, for a connection that asks many questions of it."""
        conn.execute("create or replace temp table kept_tries as select * from task_tries")
        conn.execute("create or replace temp view task_tries as select * from kept_tries")

    def _mirror(self, week: Week, weeks_back: int) -> Path:
        """A copy of the weeks in use on local disk, by etag, so that DuckDB needs no extension and no network."""
        root = self._cache_dir / hashlib.sha256(self.store.url.encode()).hexdigest()[:16]
        weeks = {str(week.minus(n).monday) for n in range(-1, weeks_back + MIRROR_SLACK_WEEKS + 1)}
        wanted: set[Path] = set()
        for table in TABLES:
            for obj in self.store.list(f"{table}/"):
                if not obj.path.endswith(".parquet") or obj.path.split("week=")[-1][:10] not in weeks:
                    continue
                target, mark = root / obj.path, root / f"{obj.path}.etag"
                wanted.add(target)
                if not (target.exists() and mark.exists() and mark.read_text() == obj.etag):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    beside = target.with_name(f"{target.name}.tmp-{os.getpid()}")
                    beside.write_bytes(self.store.get(obj.path))
                    beside.replace(target)
                    mark.write_text(obj.etag)
        for stale in _parquet_files(root):
            if stale not in wanted:
                stale.unlink()
        return root

    def seen(self, key: str) -> bool:
        """Whether a receipt is kept: receipts live in the lake, so that they outlast the machine."""
        try:
            self.store.head(f"_windsock/receipts/{_file_name(key)}")
        except NotFound:
            return False
        return True

    def record(self, key: str, value: str) -> None:
        """Keep a receipt."""
        self.store.put(f"_windsock/receipts/{_file_name(key)}", value.encode())


def _file_name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32] + ".json"


def _parquet_files(root: Path) -> Iterator[Path]:
    return iter(list(root.rglob("*.parquet"))) if root.exists() else iter(())


def _identity(store: Store) -> dict[str, object] | None:
    try:
        told = json.loads(store.get(IDENTITY))
    except NotFound:
        return None
    except (ValueError, ObjectUnreadable) as error:
        raise LakeError(f"{store.url}/{IDENTITY}: cannot be read ({error}); check permissions") from None
    return told if isinstance(told, dict) else None


def _has_tables(store: Store) -> bool:
    if store.local_root is not None and not store.local_root.is_dir():
        return False
    return any(True for table in TABLES for _ in store.list(f"{table}/"))
