"""Rows in memory → local Parquet files beside, one a partition and flush; a pull holds no more than one flush."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.types import is_dictionary

from windsock.errors import LakeError
from windsock.lake import series
from windsock.lake.files import ARROW, Partition, arrow_schema
from windsock.lake.runs import KEY, REPEATED
from windsock.lake.wide import GROUP_BYTES, wide_columns
from windsock.model import Row, Slice
from windsock.schema import ATTEMPT_KEY, TABLES, TIME
from windsock.scratch.give_back import give_back

SPILL_ROWS = 20_000
SPILL_BYTES = 24_000_000
_ROW_BYTES = 1_000  # what a row of ids and numbers takes in Python


class Spill:
    """Files of rows to be merged, by partition. `read_at` is the same for all of them: it is added when they are written."""

    def __init__(self, folder: Path, *, read_at: datetime) -> None:
        self._folder, self._read_at = folder, read_at
        self._rows: dict[Partition, list[Row]] = defaultdict(list)
        self._slices: dict[Partition, list[Slice]] = defaultdict(list)
        self._sized: dict[
            str, tuple[pa.Table, float]
        ] = {}  # by table the last columns, and the bytes of a row
        self._count = self._bytes = self._flushes = 0
        self.files: dict[Partition, list[Path]] = defaultdict(list)

    def add(self, partition: Partition, row: Row) -> None:
        self._rows[partition].append(row)
        self._count += 1
        self._bytes += _ROW_BYTES + len(row.get("message") or "")
        if self._count >= SPILL_ROWS or self._bytes >= SPILL_BYTES:
            self.flush()

    def add_columns(self, partition: Partition, rows: Slice) -> None:
        """Rows in columns; neighbours in one table stay one piece."""
        held = self._slices[partition]
        if held and held[-1].table is rows.table and held[-1].stop == rows.start:
            held[-1] = Slice(rows.table, held[-1].start, rows.stop)
        else:
            held.append(rows)
        if rows.table is not self._sized.get(partition.table, (None, 0))[0]:
            self._sized[partition.table] = rows.table, rows.table.nbytes / rows.table.num_rows
        self._bytes += int(len(rows) * self._sized[partition.table][1])
        if self._bytes >= SPILL_BYTES:
            self.flush()

    def flush(self) -> None:
        """Empty the memory."""
        for partition, rows in self._rows.items():
            schema = arrow_schema(TABLES[partition.table])
            told = pa.table([self._column(rows, field) for field in schema], schema=schema)
            if partition.table == "metric_samples":
                told = series.in_order_if_fit(told, [row.get("labels") for row in rows])
            elif wide_columns(TABLES[partition.table]):  # in the order in which the merge will look them up
                keys = dict.fromkeys((*TABLES[partition.table].sort_key, "object_url"))
                told = told.sort_by([(name, "ascending") for name in keys])
            self._write(partition, told, "rows")
        for partition, slices in self._slices.items():
            table = _in_order(partition.table, slices)
            self._write(partition, table.append_column("read_at", self._repeated(len(table))), "columns")
        self._rows.clear()
        self._slices.clear()
        self._sized.clear()
        self._count = self._bytes = 0
        self._flushes += 1
        give_back()

    def _repeated(self, count: int) -> pa.Array:
        return pa.repeat(pa.scalar(self._read_at, ARROW[TIME]), count)

    def _column(self, rows: list[Row], field: pa.Field) -> pa.Array:
        """One column's values; rows mostly have them all, and those are taken three times as quickly."""
        if field.name == "read_at":
            return self._repeated(len(rows))
        try:
            values = [*map(itemgetter(field.name), rows)]
        except KeyError:
            values = [row.get(field.name) for row in rows]
        try:
            return pa.array(values, field.type)
        except (OverflowError, pa.ArrowInvalid):
            if not pa.types.is_integer(field.type):
                raise
            return pa.array(_fitting(values, field.type), field.type)

    def _write(self, partition: Partition, table: pa.Table, kind: str) -> None:
        name = f"{partition.table}-{partition.week}-{partition.day}-{self._flushes}-{kind}.parquet"
        path = self._folder / name
        try:
            size = series.GROUP_BYTES if partition.table == "metric_samples" else GROUP_BYTES
            rows = max(100, table.num_rows * size // max(1, table.nbytes))
            pq.write_table(
                table,
                path,
                compression="lz4",
                use_dictionary=[
                    one.name for one in table.schema if one.name in REPEATED or is_dictionary(one.type)
                ],
                write_statistics=False,
                row_group_size=rows,
            )
        except OSError as error:
            raise LakeError(
                f"{path.parent}: cannot spill ({error.strerror or error}); free space or set TMPDIR"
            ) from None
        self.files[partition].append(path)

    def clear(self) -> None:
        """Forget the files of a checkpoint that is done."""
        for paths in self.files.values():
            for path in paths:
                path.unlink(missing_ok=True)
        self.files.clear()


def _fitting(values: list[Any], kind: pa.DataType) -> list[Any]:
    """Whole numbers that a column can hold; what a source tells beyond that is no count, and null."""
    most = 2 ** (kind.bit_width - 1)
    return [value if value is None or -most <= value < most else None for value in values]


def _in_order(name: str, slices: list[Slice]) -> pa.Table:
    """Rows told in columns, sorted where the merge relies on it."""
    if name == "log_events":
        return _records_in_order(slices)
    table = pa.concat_tables([one.table.slice(one.start, len(one)) for one in slices])
    return series.in_order(table) if name == "metric_samples" else table.unify_dictionaries()


def _records_in_order(slices: list[Slice]) -> pa.Table:
    """Records told in columns, sorted as the lake will have them: each slice is in order, and so their first keys are.
    Where two objects tell of one attempt, their records may have to be put between each other."""
    keyed = sorted(((_first_key(one), one) for one in slices), key=itemgetter(0))
    table = pa.concat_tables(
        [one.table.slice(one.start, len(one)) for _key, one in keyed]
    ).unify_dictionaries()
    attempts = [(key[: len(ATTEMPT_KEY)], key[-1]) for key, _one in keyed]
    if any(here[0] == after[0] and here[1] != after[1] for here, after in pairwise(attempts)):
        plain = table.select(KEY).cast(
            pa.schema([(name, ARROW[TABLES["log_events"].columns[name]]) for name in KEY])
        )
        return table.take(pc.sort_indices(plain, [(name, "ascending") for name in KEY]))
    return table


def _first_key(one: Slice) -> tuple[Any, ...]:
    return tuple(one.table[name][one.start].as_py() for name in KEY)
