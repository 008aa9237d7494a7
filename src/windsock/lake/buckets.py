"""A sort in several goes, for more rows than DuckDB's sort can merge within its memory at once.

Rows are dealt out by a hash of their key; each bucket is sorted and laid down, and the buckets are merged from row groups
of about a megabyte. The result is the order of one sort.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from windsock.lake.wide import GROUP_BYTES

Key = tuple[tuple[bool, Any], ...]


def lay_down(batches: Iterable[pa.RecordBatch], path: Path) -> bool:
    """Sorted rows as a file of small row groups; whether there were any."""
    writer = None
    for batch in batches:
        writer = writer or pq.ParquetWriter(path, batch.schema, compression="lz4", write_statistics=False)
        rows = max(100, batch.num_rows * GROUP_BYTES // max(1, batch.nbytes))
        writer.write_table(pa.Table.from_batches([batch]), row_group_size=rows)
    if writer:
        writer.close()
    return writer is not None


def merged(paths: Sequence[Path], order: Sequence[str], *, by: int) -> Iterator[pa.RecordBatch]:
    """The rows of sorted files in the order of some columns, nulls last. The first `by` of them tell which rows may come
    out: they must not be numbers that compare with nothing (NaN)."""
    runs = [run for path in paths if (run := _Run(path, order[:by])).next()]
    while runs:
        border = min(run.key(len(run.rows) - 1) for run in runs)
        ready = pa.concat_tables([run.take_up_to(border) for run in runs])
        yield from ready.sort_by([(name, "ascending") for name in order]).combine_chunks().to_batches()
        runs = [run for run in runs if len(run.rows) or run.next()]


class _Run:
    """A sorted file, row group by row group; `rows` are those that are left of the present one."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        file = pq.ParquetFile(path)
        self._groups = (file.read_row_group(number) for number in range(file.num_row_groups))
        self._names = names
        self.rows = pa.table({})

    def next(self) -> bool:
        """Whether there are further rows."""
        self.rows = next(self._groups, pa.table({}))
        return len(self.rows) > 0

    def key(self, row: int) -> Key:
        """What a row is compared by."""
        values = (self.rows[name][row].as_py() for name in self._names)
        return tuple((value is None, value) for value in values)

    def take_up_to(self, border: Key) -> pa.Table:
        """Take out the rows that come no later than a key."""
        low = bisect_right(range(len(self.rows)), border, key=self.key)
        taken, self.rows = self.rows.slice(0, low), self.rows.slice(low)
        return taken
