"""Rows into the lake: spilled to local files, merged once per touched partition, published whole, ledger last.

Order is what makes a crash harmless. An intent is published first: every place where a replaced object's rows lie or
will lie. Then a row that leaves a week is removed there before it appears in its new week, and the ledger learns of an
object only after all its rows lie where they belong. A pull that finds an intent takes its places for old ones, so it
replaces whatever the broken pull left.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

from windsock.errors import LakeError
from windsock.lake.files import Cache, Partition
from windsock.lake.ledger import Ledger, Todo
from windsock.lake.lock import Lock
from windsock.lake.merge import Merger, connect
from windsock.lake.placing import Placing, place
from windsock.lake.spill import Spill
from windsock.model import Ignored, Outcome, Parsed, Reject, Row, SourceObject
from windsock.schema import TABLES
from windsock.scratch import scratch_folder
from windsock.store import PreconditionFailed, Store
from windsock.store.base import is_temporary


class Writer:
    """One pull's way into one shard of the lake."""

    def __init__(
        self,
        store: Store,
        *,
        shard: int,
        shards: int,
        memory_mb: int,
        cache: Cache,
        now: datetime,
        lock: Lock,
        scratch_dir: Path | None = None,
    ) -> None:
        self._store, self._shard, self._shards, self._now = store, shard, shards, now
        self._memory_mb, self._cache, self._lock = memory_mb, cache, lock
        self._scratch_dir = scratch_dir
        self._intent_path = f"_windsock/intent-{shard:03d}-of-{shards:03d}.parquet"

    def __enter__(self) -> Self:
        self._lock.__enter__()
        self._folder = scratch_folder(self._scratch_dir)
        self.scratch = self._folder.__enter__()
        self._conn = connect(self._memory_mb, self.scratch)
        self._spill = Spill(self.scratch, read_at=self._now)
        self._placing = Placing()
        self._merger = Merger(self._conn, self.scratch)
        self._ledger = Ledger(
            self._store,
            self._conn,
            cache=self._cache,
            scratch=self.scratch,
            shard=self._shard,
            shards=self._shards,
        )
        self._sweep()
        self._ledger.load()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        self._conn.close()
        self._folder.__exit__(None, None, None)
        self._lock.__exit__(kind, value, at)

    def _sweep(self) -> None:
        """Remove what a killed writer of this shard left half-written on a disk; nobody else can see it."""
        root, mine = self._store.local_root, f"{self._shard:03d}-of-{self._shards:03d}"
        if root is not None:
            for pattern in (
                "_windsock/lake.json.tmp-*",
                f"_windsock/*-{mine}.*.tmp-*",
                *(f"{table}/week=*/part-{mine}*.tmp-*" for table in TABLES),
            ):
                for path in root.glob(pattern):
                    if is_temporary(path.name):
                        path.unlink(missing_ok=True)

    def unknown(
        self,
        listing: Path,
        *,
        parser_version: str,
        reread: bool = False,
        versions: Mapping[int, str] | None = None,
    ) -> Todo:
        """Which objects of a listing (a `windsock.scratch.spool`) this shard has to read."""
        return self._ledger.unknown(listing, parser_version=parser_version, reread=reread, versions=versions)

    def read_before(self, prefix: str) -> list[Row]:
        """Ledger rows (object_url, etag, size, modified_at, outcome) of the addresses that start so."""
        return self._ledger.read_before(prefix)

    def dag_ids(self) -> set[str]:
        """The DAGs whose task logs this shard knows."""
        return self._ledger.dag_ids()

    def parts(self) -> list[tuple[str, str, str]]:
        """The pieces of growing files that this shard knows: (object_url, etag, parser_version)."""
        return self._ledger.parts()

    def noted(self, prefix: str) -> dict[str, tuple[str, str]]:
        """Ledger rows whose address begins with `prefix`: etag and parser version. For sources that keep a mark."""
        return self._ledger.noted(prefix)

    def add(self, obj: SourceObject, outcome: Outcome, *, kind: str, parser_version: str) -> None:
        """Take one object's rows. They are published by the next checkpoint."""
        weeks: set[Partition] = set()
        count = 0
        for name, rows in outcome.rows.items() if isinstance(outcome, Parsed) else ():
            for row in rows:
                row.setdefault("object_url", obj.url)
                partition = place(name, row, otherwise=obj.modified_at)
                weeks.add(partition)
                self._spill.add(partition, row)
                count += 1
        for name, slices in outcome.columns.items() if isinstance(outcome, Parsed) else ():
            for one in slices:
                count += len(one)
                for partition, part in self._placing.parts(name, one):
                    weeks.add(partition)
                    self._spill.add_columns(partition, part)
        name, reason = _told(outcome)
        note: Row = {
            "object_url": obj.url, "etag": obj.etag, "size": obj.size, "modified_at": obj.modified_at, "kind": kind,
            "outcome": name, "rows": count, "reject_reason": reason, "parser_version": parser_version,
            "weeks": _spelled(frozenset(weeks)),
        }  # fmt: skip
        self._spill.add(place("objects", note, otherwise=obj.modified_at), note)

    def checkpoint(self) -> int:
        """Publish everything added so far; returns how many files were written. The same rows again write none."""
        self._spill.flush()
        notes, intent = self._settle_notes(), self._read_intent()
        if not notes:
            self._close_intent(intent)
            self._spill.clear()
            return 0
        self._ledger.plan(notes, intent)
        touched = self._ledger.partitions()
        self._publish(self._intent_path, self._ledger.write_intent(intent, notes))
        written = 0
        for is_ledger in (False, True):  # the ledger learns of it last
            parts = [one for one in touched if (one[0].table == "objects") == is_ledger]
            for partition, leaves, _comes in parts:
                if leaves:
                    written += self._merge(partition, [], gone=self._ledger.leaving(partition))
            for partition, _leaves, comes in parts:
                if comes:
                    written += self._merge(partition, self._spill.files.get(partition, []), gone="replaced")
        self._spill.clear()
        self._ledger.load()
        self._close_intent(self._read_intent())
        return written

    def _close_intent(self, intent: list[Path]) -> None:
        """Forget what is settled; what a broken pull left of other objects stays noted until they are read again."""
        if not intent:
            return
        rest = self._ledger.still_open(intent)
        if rest is not None:
            self._publish(self._intent_path, rest)
        else:
            self._lock.check()
            self._store.delete(self._intent_path)

    def _settle_notes(self) -> list[Path]:
        """The spilled ledger rows, without those of known objects that could not be read this time."""
        notes: list[Path] = []
        for partition, paths in self._spill.files.items():
            if partition.table == "objects":
                paths[:] = [self._ledger.without_unread(path) for path in paths]
                notes += paths
        return notes

    def _merge(self, partition: Partition, new: list[Path], *, gone: str) -> int:
        """1 when the partition's file was written anew, 0 when its rows are the same as before."""
        table, path = TABLES[partition.table], partition.path(self._shard, self._shards)
        token = self._store.token(path)
        if token is None and not new:
            return 0
        old = [] if token is None else [self._cache.local(self._store.head(path))]
        out = self._merger.merge(table, old=old, new=new, gone=gone)
        if old and self._merger.is_same(table, old[0], out):
            return 0
        if self._store.local_root is not None and not _has_rows(out):
            self._lock.check()
            self._store.delete(path)
            return 1
        # in a bucket an empty file stays: a removal cannot be made conditional, a replacement can
        self._publish(path, out, token)
        return 1

    def _publish(self, path: str, source: Path, token: str | None = None) -> None:
        """Whole at any time: a rename on a disk, one conditional PUT (or a multipart upload) on an object store."""
        if path == self._intent_path:
            token = self._store.token(path)
        try:
            self._store.put_file(path, source, if_match=token, check=self._lock.check)
        except PreconditionFailed:
            raise LakeError(
                f"{self._store.url}/{path}: changed while it was merged; is another writer at work? Run the pull again"
            ) from None

    def _read_intent(self) -> list[Path]:
        """Where a pull that was killed may have left rows of objects that the ledger does not know there."""
        if self._store.token(self._intent_path) is None:
            return []
        target = self.scratch / "intent-before.parquet"
        self._store.download(self._intent_path, target)
        return [target]


def _told(outcome: Outcome) -> tuple[str, str | None]:
    """Outcome and reason as the ledger spells them."""
    match outcome:
        case Reject():
            return "reject", outcome.reason
        case Ignored():
            return "ignored", outcome.kind
        case Parsed():
            return "parsed", outcome.partial


@lru_cache(maxsize=4096)
def _spelled(parts: frozenset[Partition]) -> list[str]:
    """The places of an object's rows, as the ledger spells them; most objects of a pull share theirs."""
    return sorted(map(str, parts))


def _has_rows(path: Path) -> bool:
    import pyarrow.parquet as pq

    return bool(pq.read_metadata(path).num_rows)
