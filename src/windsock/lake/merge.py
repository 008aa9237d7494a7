"""One partition's new file from its old one: rows of re-read objects out, new rows in, sorted, written whole.

DuckDB merges under a memory limit and sorts on disk, so a partition never has to fit into memory. One thread and a
total order give the same bytes for the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa

from windsock.errors import LakeError
from windsock.lake.views import SQL_TYPES
from windsock.model import Row
from windsock.schema import Table
from windsock.store import NotFound, PreconditionFailed, Store

ROW_GROUP_ROWS = 120_000
# One fact, told twice, is kept once: per key the newest reading, or the first by address
_NEWEST_WINS = ("task_instances", "dag_runs")
_ONCE = ("parse_samples", "pool_samples")
_SOURCE_RANK = "case source when 'db' then 0 when 'api' then 1 else 2 end"


class Merger:
    """Merges and publishes partitions of one store."""

    def __init__(self, store: Store, *, memory_mb: int, scratch: Path, check: Callable[[], None]) -> None:
        self._store, self._scratch, self._check = store, scratch, check
        self._conn = duckdb.connect(
            config={
                "memory_limit": f"{max(128, memory_mb // 2)}MB",
                "threads": 1,
                "temp_directory": str(scratch),
            }
        )
        self._conn.execute("set TimeZone = 'UTC'").fetchall()

    def ledger_rows(self, pattern: str) -> list[Row]:
        """The rows of this shard's `objects` files."""
        paths = [str(self._local(path)) for path in self._matching(pattern)]
        if not paths:
            return []
        columns = ("object_url", "etag", "size", "modified_at", "outcome", "parser_version", "weeks")
        sql = f"select {', '.join(columns)} from read_parquet(?, union_by_name = true, hive_partitioning = false)"
        rows = self._conn.execute(sql, [paths]).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def merge(self, table: Table, path: str, *, gone: set[str], new: list[Path]) -> int:
        """Write the partition file anew; 0 when its rows do not change, 1 when it was published (or removed)."""
        old = self._existing(path)
        if old is None and not new:
            return 0
        self._conn.register("gone_objects", pa.table({"object_url": pa.array(sorted(gone), pa.string())}))
        out = self._scratch / "merged.parquet"
        kept = self._parts(table, old, new)
        order = ", ".join(f"{column} nulls last" for column in (*table.sort_key, "object_url"))
        if "labels" in table.sort_key:
            order = order.replace("labels nulls last", "cast(labels as varchar) nulls last")
        tail = f", {', '.join(c for c in table.columns if c not in ('labels', 'weeks', 'read_at'))}"
        self._conn.execute(
            f"copy (select {', '.join(table.columns)} from ({kept}) as kept order by {order}{tail}) to '{_quoted(out)}' "
            f"(format parquet, compression zstd, row_group_size {ROW_GROUP_ROWS})"
        ).fetchall()
        if old is not None and self._fingerprint(table, old) == self._fingerprint(table, out):
            return 0
        count = self._conn.execute("select count(*) from read_parquet(?)", [str(out)]).fetchall()
        self._check()
        if count == [(0,)]:
            self._store.delete(path)
        else:
            self._publish(path, out, had_one=old is not None)
        return 1

    def _parts(self, table: Table, old: Path | None, new: list[Path]) -> str:
        columns = ", ".join(
            f"cast({name} as {SQL_TYPES[kind]}) as {name}" for name, kind in table.columns.items()
        )
        empty = ", ".join(
            f"cast(null as {SQL_TYPES[kind]}) as {name}" for name, kind in table.columns.items()
        )
        parts = [f"select {empty} where false"]
        if old is not None:
            read = f"select * from read_parquet('{_quoted(old)}', hive_partitioning = false)"
            parts.append(
                f"select * from ({read}) as old where object_url not in (select object_url from gone_objects)"
            )
        if new:
            files = ", ".join(f"'{_quoted(path)}'" for path in new)
            parts.append(f"select * from read_parquet([{files}], hive_partitioning = false)")
        rows = f"select {columns} from ({' union all by name '.join(parts)}) as parts"
        key = ", ".join(table.sort_key)
        if table.name in _NEWEST_WINS:
            history = ", is_history nulls first" if "is_history" in table.columns else ""
            rank = f"read_at desc nulls last, {_SOURCE_RANK}{history}, object_url"
        elif table.name in _ONCE:
            rank = "object_url"
        else:
            return rows
        return f"select * from ({rows}) as told qualify row_number() over (partition by {key} order by {rank}) = 1"

    def _fingerprint(self, table: Table, path: Path) -> tuple[object, ...]:
        """Equal for equal rows, whatever `read_at` they carry."""
        columns = {
            r[0]
            for r in self._conn.execute(
                "describe select * from read_parquet(?, hive_partitioning = false)", [str(path)]
            ).fetchall()
        }
        if set(table.columns) != columns:
            return ("other columns", sorted(columns))
        shown = ", ".join(f"cast({name} as varchar)" for name in table.columns if name != "read_at")
        sql = f"select count(*), bit_xor(hash({shown})), sum(hash({shown}) % 1000003) from read_parquet(?, hive_partitioning = false)"
        return tuple(self._conn.execute(sql, [str(path)]).fetchall()[0])

    def _matching(self, pattern: str) -> list[str]:
        table, _, name = pattern.partition("/week=*/")
        if self._store.local_root is not None:
            root = self._store.local_root
            return sorted(str(path.relative_to(root)) for path in root.glob(f"{table}/week=*/{name}"))
        return [obj.path for obj in self._store.list(f"{table}/") if obj.path.endswith(f"/{name}")]

    def _existing(self, path: str) -> Path | None:
        self._etag: str | None = None
        try:
            head = self._store.head(path)
        except NotFound:
            return None
        self._etag = head.etag
        return self._local(path)

    def _local(self, path: str) -> Path:
        if self._store.local_root is not None:
            return self._store.local_root / path
        target = self._scratch / "old" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self._store.get(path))
        return target

    def _publish(self, path: str, out: Path, *, had_one: bool) -> None:
        """Whole at any time: a rename on a disk, one conditional PUT on an object store."""
        try:
            self._store.put(
                path, out.read_bytes(), create=not had_one, if_match=self._etag if had_one else None
            )
        except PreconditionFailed:
            raise LakeError(
                f"{self._store.url}/{path}: changed while it was merged; is another writer at work? Run the pull again"
            ) from None


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
