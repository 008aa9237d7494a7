"""Opening a lake: whose it is, writing to it, asking it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import duckdb

from windsock import resources
from windsock.errors import LakeError
from windsock.lake.files import Cache, table_files
from windsock.lake.ledger import Ledger, Todo
from windsock.lake.lock import EXPIRE_S, RENEW_S, Lock
from windsock.lake.merge import connect
from windsock.lake.mirror import snapshot
from windsock.lake.reshard import MARKER, reshard
from windsock.lake.slot_tries import SLOT_LEGS, SLOT_TRIES
from windsock.lake.writer import Writer
from windsock.model import Row
from windsock.scratch import scratch_folder
from windsock.store import NotFound, ObjectUnreadable, PreconditionFailed, Storage, Store, open_store
from windsock.week import Week

IDENTITY = "_windsock/lake.json"
TRIES = 4  # readings of a lake that changes under the reader

T = TypeVar("T")


class NoLake(LakeError):
    """There is none yet at this address."""


class Lake:
    """One deployment's Parquet. Another deployment's name, or another number of shards, is refused."""

    def __init__(
        self, store: Store, *, shards: int, memory_mb: int, cache_dir: Path, renew_s: float, expire_s: float
    ) -> None:
        self.store, self.shards, self.memory_mb = store, shards, memory_mb
        self.cache = Cache(store, cache_dir)
        self._renew_s, self._expire_s = renew_s, expire_s

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
        for_reshard: bool = False,
        renew_s: float = RENEW_S,
        expire_s: float = EXPIRE_S,
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
            raise NoLake(f"{url}: no lake here yet; fill it with `windsock pull PIPELINE.toml`")
        if identity and identity.get("deployment") != deployment:
            raise LakeError(
                f"{url}: belongs to deployment {identity.get('deployment')!r}, not {deployment!r}; "
                "give each deployment a lake of its own"
            )
        if identity and not for_reshard:
            _refuse_other_shards(store, url, identity, shards)
        default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "windsock"
        return cls(
            store,
            shards=shards,
            memory_mb=memory_mb,
            cache_dir=cache_dir or default,
            renew_s=renew_s,
            expire_s=expire_s,
        )

    def writer(self, *, shard: int, holder: str, now: datetime, scratch_dir: Path | None = None) -> Writer:
        """The one writer of a shard; a second one is told who holds it."""
        return Writer(
            self.store,
            shard=shard,
            shards=self.shards,
            memory_mb=self.memory_mb,
            cache=self.cache,
            now=now,
            lock=self._lock(shard, holder),
            scratch_dir=scratch_dir,
        )

    def plan(
        self, listing: Path, *, parser_version: str, reread: bool, versions: Mapping[int, str] | None = None
    ) -> Todo:
        """Which objects of a listing a pull would read. Takes no lock and writes nothing to the lake."""
        with self._ledger() as ledger:
            return ledger.unknown(listing, parser_version=parser_version, reread=reread, versions=versions)

    def known(self, prefix: str) -> list[Row]:
        """Ledger rows of the addresses that start so, as `Writer.read_before`. Takes no lock."""
        with self._ledger() as ledger:
            return ledger.read_before(prefix)

    @contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        """All shards' ledger, to look at."""
        with scratch_folder() as folder:
            conn = connect(self.memory_mb, folder)
            try:
                ledger = Ledger(
                    self.store, conn, cache=self.cache, scratch=folder, shard=None, shards=self.shards
                )
                ledger.load()
                yield ledger
            finally:
                conn.close()

    def _lock(self, shard: int, holder: str) -> Lock:
        path = f"_windsock/lock-{shard:03d}"
        return Lock(self.store, path, holder, renew_s=self._renew_s, expire_s=self._expire_s)

    def reshard(self, *, holder: str, shard_of: Callable[[str, str], int]) -> int:
        """Deal every row anew over `shards`; `shard_of(object_url, kind)` says where an object belongs now.

        Returns the number of files written; 0 when the lake has that many shards already."""
        identity = _identity(self.store) or {}
        before = int(identity.get("shards", self.shards))
        return reshard(
            self.store,
            self.cache,
            identity=identity,
            identity_path=IDENTITY,
            shards=self.shards,
            locks=[self._lock(n, holder) for n in range(max(before, self.shards))],
            memory_mb=self.memory_mb,
            shard_of=shard_of,
        )

    def connect(
        self,
        week: Week,
        *,
        weeks_back: int = 8,
        exclude: Sequence[str] = (),
        quiet: Sequence[tuple[datetime, datetime]] = (),
        renamed: Mapping[str, str] | None = None,
        tasks: Mapping[str, str] | None = None,
        owners: Mapping[str, str] | None = None,
        scratch: Path | None = None,
    ) -> duckdb.DuckDBPyConnection:
        """DuckDB with the lake's views over `week` and the weeks before. The caller closes it. What does not fit into memory
        goes to `scratch`; without it to the working directory.

        `exclude` holds dag_id patterns, `quiet` windows (from, until): what they cover is in the views, and not judged.
        `renamed` gives the new name of a DAG by its old one, `tasks` that of a task by `dag_id/task_id`, `owners` the
        owner of DAGs by pattern, the first one first.
        """
        root = self.store.local_root or snapshot(self.store, self.cache, week=week, weeks_back=weeks_back)
        conn = duckdb.connect(config={"memory_limit": f"{max(self.memory_mb, 256)}MB"})
        if scratch is not None:
            conn.execute(f"set temp_directory = '{str(scratch).replace(chr(39), chr(39) * 2)}'")
        conn.execute("set threads = 1")  # one order of summing: the same lake and week give the same bytes
        conn.execute("set variable lake = ?", [str(root)])
        conn.execute(f"set variable week_start = date '{week.monday}'")
        conn.execute(f"set variable weeks_back = {int(weeks_back)}")
        conn.execute("set variable exclude = ?::varchar[]", [list(exclude)])
        for name, place in (("quiet_from", 0), ("quiet_until", 1)):
            conn.execute(f"set variable {name} = ?::timestamptz[]", [[window[place] for window in quiet]])
        for told, keys, values in (
            (renamed, "renamed_from", "renamed_to"),
            (tasks, "tasks_from", "tasks_to"),
            (owners, "owner_patterns", "owner_names"),
        ):
            if told:
                conn.execute(f"set variable {keys} = ?::varchar[]", [list(told)])
                conn.execute(f"set variable {values} = ?::varchar[]", [list(told.values())])
        conn.execute((resources.folder("sql") / "lake.sql").read_text(encoding="utf-8"))
        return conn

    def read(
        self,
        week: Week,
        work: Callable[[duckdb.DuckDBPyConnection], T],
        *,
        weeks_back: int = 8,
        exclude: Sequence[str] = (),
        quiet: Sequence[tuple[datetime, datetime]] = (),
        renamed: Mapping[str, str] | None = None,
        tasks: Mapping[str, str] | None = None,
        owners: Mapping[str, str] | None = None,
    ) -> T:
        """`work` on a lake that stood still meanwhile: while a pull publishes, a reader of several files could miss a
        row that moves, or see it twice. So the listing is compared before and after, and `work` is done again."""
        for _ in range(TRIES):
            before = self._listing()
            try:
                with scratch_folder() as folder:
                    conn = self.connect(
                        week,
                        weeks_back=weeks_back,
                        exclude=exclude,
                        quiet=quiet,
                        renamed=renamed,
                        tasks=tasks,
                        owners=owners,
                        scratch=folder / "duckdb",
                    )
                    try:
                        done = work(conn)
                    finally:
                        conn.close()
            except (duckdb.IOException, OSError):
                if self._listing() == before:
                    raise
                continue
            # a bucket was read through a snapshot, which compares for itself
            if self.store.local_root is None or self._listing() == before:
                return done
        raise LakeError(f"{self.store.url}: is being written all the time; ask again when the pull has ended")

    @staticmethod
    def keep_tries(conn: duckdb.DuckDBPyConnection) -> None:
        """Work tries and their slots out once, for a connection that asks many questions of them."""
        for view in ("error_causes", "task_tries", "slot_tries", "slot_legs"):
            _keep(conn, view)

    @staticmethod
    def look_at_dag(conn: duckdb.DuckDBPyConnection, dag_id: str) -> None:
        """From here on tries, runs and records are those of one DAG, read by its name; of the others only until when they
        are known, and whether any left a log this week."""
        conn.execute(
            "set variable seen_until = (select greatest((select max(started_at) from task_logs), "
            "(select max(coalesce(started_at, queued_at)) from task_instances)))"
        )
        conn.execute(
            "set variable logs_seen = (select count(*) > 0 from task_logs where monday_of(started_at) = report_week())"
        )
        _keep(conn, "error_causes")  # a cause is of all DAGs
        conn.execute("set variable only_dag = ?", [dag_id])
        Lake.keep_tries(conn)

    @staticmethod
    def look_at_all(conn: duckdb.DuckDBPyConnection, *, weeks_back: int) -> None:
        """From here on every DAG's again, over so many weeks before the report week (and one of slack)."""
        for name in ("only_dag", "seen_until", "logs_seen"):
            conn.execute(f"set variable {name} = null")
        conn.execute(f"set variable weeks_back = {int(weeks_back)}")
        conn.execute((resources.folder("sql") / "lake.sql").read_text(encoding="utf-8"))
        conn.execute("create or replace temp view error_causes as select * from kept_error_causes")

    @staticmethod
    def turn_to(conn: duckdb.DuckDBPyConnection, week: Week) -> None:
        """Set a connection to an earlier week: the views look at the report week when they are asked. Slots may
        have been kept for another one; tries and files before the first week of the connection stay out of sight."""
        conn.execute(f"set variable week_start = date '{week.monday}'")
        conn.execute(SLOT_TRIES + SLOT_LEGS)

    def _listing(self) -> list[tuple[str, str]]:
        if self.store.local_root is None:
            return []
        return [(obj.path, obj.etag) for obj in table_files(self.store)]

    def recall(self, name: str) -> dict[str, Any]:
        """What was remembered under a name; empty when nothing was."""
        try:
            told = json.loads(self.store.get(f"_windsock/{name}.json"))
        except (NotFound, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def remember(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a small fact beside the tables; the same fact again writes nothing."""
        if self.recall(name) != dict(value):
            self.store.put(f"_windsock/{name}.json", json.dumps(value, sort_keys=True).encode())


def _keep(conn: duckdb.DuckDBPyConnection, view: str) -> None:
    """Work a view out once."""
    conn.execute(f"create or replace temp table kept_{view} as select * from {view}")
    conn.execute(f"create or replace temp view {view} as select * from kept_{view}")


def _refuse_other_shards(store: Store, url: str, identity: Mapping[str, Any], shards: int) -> None:
    if store.token(MARKER) is not None:
        raise LakeError(
            f"{url}: is being dealt over another number of shards; finish with `windsock pull PIPELINE.toml --reshard`"
        )
    if identity.get("shards") != shards:
        raise LakeError(
            f"{url}: has {identity.get('shards')} shards, [lake] shards says {shards}; "
            "set it back, or deal the rows anew with `windsock pull PIPELINE.toml --reshard`"
        )


def _identity(store: Store) -> dict[str, Any] | None:
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
    return bool(table_files(store))
