"""Columns of long text, fetched row by row where the sorted rows want them.

DuckDB's sort keeps whole rows in memory while it merges: with messages of kilobytes it exceeds any limit. So only the
narrow columns are sorted, with the place of each row in its file; the files hold their rows nearly in the same order,
and a few row groups at a time are enough.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from windsock.schema import Table

WIDE = ("message", "exception_message")
PLACE = ("filename", "file_row_number")
"""DuckDB's names for where a row stands."""
GROUP_BYTES = 1_000_000
"""A row group of a spill file: so much of each of them may be held while they are merged."""
HELD_BYTES = 12_000_000


def wide_columns(table: Table) -> list[str]:
    """The columns of a table that are not sorted along."""
    return [name for name in table.columns if name in WIDE]


class WideColumns:
    """Looks rows up in the files that were sorted. Row groups that were used last stay in memory, up to a size."""

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._files: dict[str, tuple[pq.ParquetFile, Any]] = {}
        self._groups: OrderedDict[tuple[str, int], pa.Table] = OrderedDict()
        self._size = 0

    def beside(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Batches with their rows' places → the same with the wide columns instead."""
        for batch in batches:
            table = pa.Table.from_batches([batch])
            found = self._take(batch.column(PLACE[0]), batch.column(PLACE[1]).to_numpy())
            for name in self._names:
                table = table.append_column(name, found.column(name))
            yield from table.drop_columns(list(PLACE)).combine_chunks().to_batches()

    def _take(self, files: pa.Array, rows: Any) -> pa.Table:
        encoded = files.dictionary_encode()
        codes, parts, places = encoded.indices.to_numpy(), [], []
        for code, path in enumerate(encoded.dictionary.to_pylist()):
            here = np.flatnonzero(codes == code)
            starts = self._file(path)[1]
            groups = np.searchsorted(starts, rows[here], side="right") - 1
            for group in np.unique(groups).tolist():
                chosen = here[groups == group]
                parts.append(self._group(path, group).take(pa.array(rows[chosen] - starts[group])))
                places.append(chosen)
        order = np.argsort(np.concatenate(places), kind="stable")
        return pa.concat_tables(parts).take(pa.array(order))

    def _file(self, path: str) -> tuple[pq.ParquetFile, Any]:
        """An open file, and the numbers of its row groups' first rows."""
        if path not in self._files:
            file = pq.ParquetFile(Path(path), memory_map=False)
            counts = [file.metadata.row_group(no).num_rows for no in range(file.num_row_groups)]
            self._files[path] = file, np.cumsum([0, *counts[:-1]])
        return self._files[path]

    def _group(self, path: str, number: int) -> pa.Table:
        key = path, number
        if key in self._groups:
            self._groups.move_to_end(key)
            return self._groups[key]
        file = self._file(path)[0]
        there = [name for name in self._names if name in file.schema_arrow.names]
        read = file.read_row_group(number, columns=there)
        nulls = pa.nulls(file.metadata.row_group(number).num_rows, pa.string())
        columns = [read.column(name).cast(pa.string()) if name in there else nulls for name in self._names]
        table = pa.table(columns, names=self._names)
        self._groups[key] = table
        self._size += table.nbytes
        while self._size > HELD_BYTES and len(self._groups) > 1:
            self._size -= self._groups.popitem(last=False)[1].nbytes
        return table
