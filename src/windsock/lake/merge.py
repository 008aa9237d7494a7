"""One partition's new file from its old one: rows of re-read objects out, new rows in, sorted, written whole.

DuckDB joins and sorts under a memory limit and on disk beyond it; the sorted rows are streamed into Parquet, one row
group in memory at a time. One thread and a total order give the same bytes for the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import ceil
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from windsock.errors import LakeError
from windsock.lake import series, series_runs
from windsock.lake.best_known import FILLED, told_once
from windsock.lake.buckets import lay_down
from windsock.lake.buckets import merged as merged_buckets
from windsock.lake.files import arrow_schema
from windsock.lake.nested import as_text, nested_columns, told_again
from windsock.lake.row_groups import ROW_GROUP_ROWS, as_declared, coded, groups
from windsock.lake.runs import REPEATED, REPEATED_TEXTS, Run, Unfit, merged
from windsock.lake.views import SQL_TYPES
from windsock.lake.wide import PLACE, WIDE, WideColumns, wide_columns
from windsock.schema import Table
from windsock.scratch.give_back import give_back

_ENCODED = {
    # values that hardly repeat are no words of a dictionary, and numbers that go on are told by their steps: a fifth
    # less CPU, and a fifth less room
    "use_dictionary": REPEATED,
    "column_encoding": dict.fromkeys(("record_no", "logged_at"), "DELTA_BINARY_PACKED"),
}
BATCH_ROWS = 2_048
ROWS_AT_ONCE = 60_000
"""Rows of one sort: DuckDB holds all that its limit allows until the last row is written."""
BUCKETS = (1, 24, 64)
"""Into how many sorts rows are dealt: at most the second where they are many, for a piece of each is held while they are
merged; then more, where a sort fails, since it holds a block of every sorted run."""
MAX_GONE = 50_000  # addresses of objects held in memory: some 15 MB
# One fact, told twice, is kept once: per key what is best known (`best_known`), or the first by address
_ONCE = ("parse_samples", "pool_samples", "import_errors", "component_events", "dag_tasks", "deployments")
_SOURCE_RANK = "case source when 'db' then 0 when 'api' then 1 else 2 end"
_CODED = {"log_events": REPEATED_TEXTS, "metric_samples": series.CODED}
"""Texts that repeat are handed to the file as codes."""
_RUNS = ("log_events", "metric_samples")
_MIN_DUCKDB_MB = 96


def connect(memory_mb: int, scratch: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB that keeps to its part of the pull's memory and spills the rest into `scratch`."""
    conn = duckdb.connect(
        config={
            "memory_limit": f"{max(_MIN_DUCKDB_MB, memory_mb // 4)}MB",
            "threads": 1,
            "temp_directory": str(scratch / "duckdb"),
        }
    )
    conn.execute("set TimeZone = 'UTC'")
    conn.execute("set preserve_insertion_order = false")
    return conn


@contextmanager
def enough_room(scratch: Path, what: str) -> Iterator[None]:
    """A full disk, or work that does not fit into memory, as one line."""
    try:
        yield
    except (OSError, duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise LakeError(
            f"{scratch}: {what} ({_first_line(error)}); free space, set TMPDIR to a larger disk, "
            "or raise [lake] memory_mb"
        ) from None


class Merger:
    """Builds partition files. `gone` names a relation of `object_url` whose rows are to go."""

    def __init__(self, conn: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self._conn, self._scratch = conn, scratch

    def merge(self, table: Table, *, old: Sequence[Path], new: Sequence[Path], gone: str) -> Path:
        """The partition's rows as a file: `old` without the rows of `gone`, and `new`. The next call overwrites it."""
        with enough_room(self._scratch, f"cannot merge {table.name}"):
            if table.name in _RUNS:
                try:
                    return self._write(table, self._sorted_files(table, old, new, gone))
                except Unfit:
                    pass  # a few more seconds, and the same bytes
                give_back()  # what was read ahead, which an error still held in its block
                for path in new if table.name == "metric_samples" else ():
                    series.declare(path)
            for count in _goes([*old, *new]):
                try:
                    select = partial(self._parts, table, old, new, gone)
                    return self._write(table, self._in_order(table, select, buckets=count))
                except duckdb.OutOfMemoryException:
                    if count == BUCKETS[-1]:
                        raise
            raise AssertionError("the last number of buckets ends here")

    def _write(self, table: Table, rows: Iterable[pa.Table]) -> Path:
        """Sorted rows as a file of declared types, whose bytes follow from the rows."""
        out, schema = self._scratch / "merged.parquet", arrow_schema(table)
        codes = _CODED.get(table.name, ())
        for name in codes:
            schema = schema.set(
                schema.get_field_index(name), pa.field(name, pa.dictionary(pa.int32(), pa.string()))
            )
        how = _ENCODED if table.name == "log_events" else {}
        # the file says texts, however they were handed over
        with pq.ParquetWriter(out, schema, compression="zstd", store_schema=not codes, **how) as writer:
            for group in groups(as_declared(rows, schema, but=codes)):
                for name in codes:
                    group = group.set_column(group.schema.get_field_index(name), name, coded(group[name]))
                group = group.combine_chunks()  # where pieces meet, a page would end
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
                del group
                give_back()  # what the largest groups took
        return out

    def _sorted_files(
        self, table: Table, old: Sequence[Path], new: Sequence[Path], gone: str
    ) -> Iterator[pa.Table]:
        """Rows of files each of which is in order already; Unfit where that does not do."""
        leave = [self._urls_gone(path, gone) for path in old]
        if table.name == "metric_samples":
            return series_runs.merged([*zip(old, leave, strict=True), *((path, None) for path in new)])
        runs = [Run(path, urls) for path, urls in zip(old, leave, strict=True)] + [Run(path) for path in new]
        return merged(runs)

    def _in_order(self, table: Table, select: Callable[[str], str], *, buckets: int) -> Iterator[pa.Table]:
        """The rows of a select in the table's order; in several sorts, where one does not fit. `select` takes a condition."""
        keys = dict.fromkeys((*table.sort_key, "object_url"))
        rest = () if table.name == "log_events" else table.columns  # one record of one object is one row
        order = [*keys, *(c for c in rest if c not in (*keys, *WIDE, "labels", "weeks", "read_at"))]
        if buckets == 1:
            batches = self._sorted(table, select("true"), order)
        else:
            key, files = ", ".join(table.sort_key), []
            for number in range(buckets):
                path = self._scratch / f"bucket-{number}.parquet"
                rows = select(f"hash({key}) % {buckets} = {number}")
                if lay_down(self._sorted(table, rows, order), path):
                    files.append(path)
            batches = merged_buckets(files, order, by=len(keys))
        for batch in batches:
            yield pa.Table.from_batches([told_again(batch, table)])
        for path in self._scratch.glob("bucket-*.parquet"):
            path.unlink()

    def _sorted(self, table: Table, rows: str, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows sorted by DuckDB, nested values as texts. Of a table with long texts the select gives the rows' places, too."""
        wide, nested = wide_columns(table), nested_columns(table)
        narrow = [name for name in (*table.columns, *(PLACE if wide else ())) if name not in wide]
        told = ", ".join(as_text(name) if name in nested else name for name in narrow)
        by = ", ".join(f"{key} nulls last" for key in order)
        batches = _stream(
            self._conn, f"select * from (select {told} from ({rows}) as kept) as texts order by {by}"
        )
        return WideColumns(wide).beside(batches) if wide else batches

    def is_same(self, table: Table, old: Path, new: Path) -> bool:
        """Whether two files hold the same rows, whatever `read_at` they carry."""
        return self._fingerprint(table, old) == self._fingerprint(table, new)

    def _urls_gone(self, path: Path, gone: str) -> pa.Array:
        """The objects of a file whose rows are to go."""
        sql = (
            f"select distinct object_url from ({read_files([path])}) as old "
            f"where exists (select 1 from {gone} as gone where gone.object_url = old.object_url) limit {MAX_GONE + 1}"
        )
        urls = [url for (url,) in self._conn.execute(sql).fetchall()]
        if len(urls) > MAX_GONE:
            raise Unfit
        return pa.array(urls, pa.string())

    def _parts(
        self, table: Table, old: Sequence[Path], new: Sequence[Path], gone: str, condition: str
    ) -> str:
        """SQL for the rows that stay and those that come. The condition may hang on the table's key alone."""
        columns = ", ".join(
            f"cast({name} as {SQL_TYPES[kind]}) as {name}" for name, kind in table.columns.items()
        )
        empty = ", ".join(
            f"cast(null as {SQL_TYPES[kind]}) as {name}" for name, kind in table.columns.items()
        )
        parts = [f"select {empty} where false"]
        if wide_columns(table):
            columns += ", " + ", ".join(PLACE)
            empty += f", '' as {PLACE[0]}, cast(null as bigint) as {PLACE[1]}"
        if old:
            parts.append(
                f"select * from ({read_files(old, with_place=True)}) as old "
                f"where not exists (select 1 from {gone} as gone where gone.object_url = old.object_url)"
            )
        if new:
            parts.append(read_files(new, with_place=True))
        rows = f"select {columns} from ({' union all by name '.join(parts)}) as parts where {condition}"
        key = ", ".join(table.sort_key)
        if table.name in FILLED:
            history = ", is_history nulls first" if "is_history" in table.columns else ""
            # a component's line was told when it was written, whenever it was read
            rank = f"coalesce(told_at, read_at) desc nulls last, {_SOURCE_RANK}{history}, object_url"
            return told_once(table.name, f"({rows}) as told", key=key, order=rank, window="tellings")
        elif table.name in _ONCE:
            rank = "object_url"
        else:
            return rows
        return f"select * from ({rows}) as told qualify row_number() over (partition by {key} order by {rank}) = 1"

    def _fingerprint(self, table: Table, path: Path) -> tuple[object, ...]:
        """Equal for equal rows and equal types."""
        if not pq.read_schema(path).equals(arrow_schema(table)):
            return ("other columns", str(path))
        shown = ", ".join(f"cast({name} as varchar)" for name in table.columns if name != "read_at")
        sql = f"select count(*), bit_xor(hash({shown})), sum(hash({shown}) % 1000003) from ({read_files([path])}) as rows"
        return tuple(self._conn.execute(sql).fetchall()[0])


def read_files(paths: Iterable[Path], *, with_place: bool = False) -> str:
    """SQL for the rows of some files, columns by name; `with_place` adds where each of them stands (`wide.PLACE`)."""
    files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    place = ", filename = true, file_row_number = true" if with_place else ""
    return f"select * from read_parquet([{files}], union_by_name = true, hive_partitioning = false{place})"


def _stream(conn: duckdb.DuckDBPyConnection, sql: str) -> Iterator[pa.RecordBatch]:
    relation = conn.sql(sql)
    # DuckDB 1.5 has the older name only
    reader = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    yield from reader(BATCH_ROWS)


def _goes(paths: Iterable[Path]) -> Sequence[int]:
    """The numbers of buckets to try, by how many rows there are."""
    rows = sum(pq.read_metadata(path).num_rows for path in paths)
    first = min(BUCKETS[1], max(BUCKETS[0], ceil(rows / ROWS_AT_ONCE)))
    return [first, *(count for count in BUCKETS[1:] if count > first)]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
