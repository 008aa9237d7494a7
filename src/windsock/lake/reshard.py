"""Deal a lake's rows over another number of shards, losing none and doubling none, wherever it is interrupted.

Two sets of part files must never lie in one partition: a plain glob would see every row twice, and no store swaps two
sets of files at once. So the new files are first built whole under `_windsock/`, where no glob looks. Then a marker is
written; from here on windsock's commands refuse the lake until the reshard is finished. Partition by partition the
old files go and the staged ones come: a glob in between misses rows but sees none twice, and every row lies in the old
files or in the staged ones. Run again, it goes on from where it stopped. The identity changes last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from windsock.errors import LakeError
from windsock.lake.files import Cache, Partition, part_of, table_files
from windsock.lake.ledger import Ledger
from windsock.lake.lock import Lock
from windsock.lake.merge import Merger, connect, read_files
from windsock.model import SourceObject
from windsock.schema import TABLES
from windsock.scratch import scratch_folder
from windsock.store import Store

MARKER = "_windsock/reshard.json"
STAGE = "_windsock/reshard/"
_MAPPING = pa.schema([("object_url", pa.string()), ("shard", pa.int32())])

ShardOf = Callable[[str, str], int]


def reshard(
    store: Store,
    cache: Cache,
    *,
    identity: Mapping[str, Any],
    identity_path: str,
    shards: int,
    locks: Sequence[Lock],
    memory_mb: int,
    shard_of: ShardOf,
) -> int:
    """Returns the number of files written; 0 when there is nothing to do."""
    with ExitStack() as held:
        for lock in locks:
            held.enter_context(lock)
        before = int(identity.get("shards", 1))
        marker = json.loads(store.get(MARKER)) if store.token(MARKER) is not None else None
        if marker is not None and marker["to"] != shards:
            raise LakeError(
                f"{store.url}: a reshard to {marker['to']} shards was interrupted; set [lake] shards = {marker['to']} "
                "and finish it first"
            )
        if marker is None and before == shards:
            return 0
        if marker is None:
            with scratch_folder() as scratch:
                _stage(
                    store,
                    cache,
                    before=before,
                    shards=shards,
                    memory_mb=memory_mb,
                    shard_of=shard_of,
                    locks=locks,
                    scratch=scratch,
                )
            store.put(MARKER, json.dumps({"from": before, "to": shards}).encode())
        count = _publish(store, shards=shards, locks=locks)
        store.put(identity_path, json.dumps({**identity, "shards": shards}).encode())
        store.delete(MARKER)
        return count


def _check(locks: Sequence[Lock]) -> None:
    for lock in locks:
        lock.check()


def _stage(
    store: Store,
    cache: Cache,
    *,
    before: int,
    shards: int,
    memory_mb: int,
    shard_of: ShardOf,
    locks: Sequence[Lock],
    scratch: Path,
) -> None:
    """Build every new file out of sight."""
    for obj in list(store.list(STAGE)):
        store.delete(obj.path)
    conn = connect(memory_mb, scratch)
    try:
        ledger = Ledger(store, conn, cache=cache, scratch=scratch, shard=None, shards=before)
        kinds = read_files([cache.local(obj) for obj in ledger.files()]) if ledger.files() else ""
        deal = _Dealer(conn, scratch, kinds, shard_of)
        for partition, objects in _by_partition(store, before).items():
            old = [cache.local(obj) for obj in objects]
            deal.map(read_files(old))
            for shard in range(shards):
                out = Merger(conn, scratch).merge(
                    TABLES[partition.table],
                    old=old,
                    new=[],
                    gone=f"(select object_url from mapping where shard <> {shard})",
                )
                if pq.read_metadata(out).num_rows:
                    path = STAGE + partition.path(shard, shards)
                    store.put_file(path, out, if_match=None, check=lambda: _check(locks))
        for shard, intent in deal.intents(store, before, shards):
            path = f"{STAGE}_windsock/intent-{shard:03d}-of-{shards:03d}.parquet"
            store.put_file(path, intent, if_match=None, check=lambda: _check(locks))
    finally:
        conn.close()


def _by_partition(store: Store, shards: int) -> dict[Partition, list[SourceObject]]:
    """The files that windsock wrote for this number of shards."""
    found: dict[Partition, list[SourceObject]] = {}
    for obj in table_files(store):
        part = part_of(obj.path)
        if part and part[2] == shards:
            found.setdefault(part[0], []).append(obj)
    return found


class _Dealer:
    """Says of every object of a select to which shard it goes: table `mapping`."""

    def __init__(self, conn: Any, scratch: Path, ledger: str, shard_of: ShardOf) -> None:
        self._conn, self._scratch, self._shard_of = conn, scratch, shard_of
        rows = ledger or "select null::varchar as object_url, null::varchar as kind where false"
        conn.execute(f"create or replace temp view kinds as select object_url, kind from ({rows}) as ledger")

    def map(self, rows: str) -> None:
        urls, mapping = self._scratch / "urls.parquet", self._scratch / "mapping.parquet"
        self._conn.execute(
            f"copy (select object_url, any_value(kind) as kind from (select distinct object_url from ({rows}) as r) as u "
            f"left join kinds using (object_url) group by object_url) to '{urls}' (format parquet)"
        )
        with pq.ParquetWriter(mapping, _MAPPING) as writer:
            for batch in pq.ParquetFile(urls).iter_batches(batch_size=20_000):
                names, kinds = (batch.column(i).to_pylist() for i in range(2))
                shards = [self._shard_of(u or "", k or "") for u, k in zip(names, kinds, strict=True)]
                writer.write_table(pa.table([names, shards], schema=_MAPPING))
        # not a table: a million objects would fill the memory that the merge needs (as in the ledger)
        self._conn.execute(f"create or replace temp view mapping as select * from read_parquet('{mapping}')")

    def intents(self, store: Store, before: int, shards: int) -> Iterator[tuple[int, Path]]:
        """What broken pulls left to be healed, for the shards that will heal it."""
        found = []
        for number in range(before):
            path = f"_windsock/intent-{number:03d}-of-{before:03d}.parquet"
            if store.token(path) is not None:
                found.append(self._scratch / f"intent-{number}.parquet")
                store.download(path, found[-1])
        if not found:
            return
        rows = read_files(found)
        self.map(rows)
        for shard in range(shards):
            out = self._scratch / "intent.parquet"
            self._conn.execute(
                f"copy (select object_url, weeks from ({rows}) as r where object_url in "
                f"(select object_url from mapping where shard = {shard}) order by object_url) to '{out}' (format parquet)"
            )
            if pq.read_metadata(out).num_rows:
                yield shard, out


def _publish(store: Store, *, shards: int, locks: Sequence[Lock]) -> int:
    """Old files out, staged files in, one partition after the other. May be run again after any interruption."""
    staged: dict[Partition | None, list[str]] = {}
    for obj in store.list(STAGE):
        path = obj.path.removeprefix(STAGE)
        part = part_of(path)
        staged.setdefault(part[0] if part else None, []).append(path)
    old: dict[Partition | None, list[str]] = {}
    for obj in table_files(store):
        part = part_of(obj.path)
        if part and part[2] != shards:
            old.setdefault(part[0], []).append(obj.path)
    suffix = f"-of-{shards:03d}.parquet"
    old[None] = [obj.path for obj in store.list("_windsock/intent-") if not obj.path.endswith(suffix)]
    count = 0
    for partition in [*{**old, **staged}]:
        _check(locks)
        for path in old.get(partition, ()):
            store.delete(path)
        for path in staged.get(partition, ()):
            store.move(STAGE + path, path)
            count += 1
    return count
