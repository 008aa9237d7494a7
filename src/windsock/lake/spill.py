"""Rows in memory → local Parquet files beside, one a partition and flush; a pull holds no more than one flush."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from windsock.errors import LakeError
from windsock.lake.files import Partition, arrow_schema
from windsock.model import Row
from windsock.schema import TABLES

SPILL_ROWS = 20_000
SPILL_BYTES = 24_000_000
_ROW_BYTES = 1_000  # what a row of ids and numbers takes in Python


class Spill:
    """Files of rows to be merged, by partition."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[Partition, list[Row]] = defaultdict(list)
        self._count = self._bytes = self._flushes = 0
        self.files: dict[Partition, list[Path]] = defaultdict(list)

    def add(self, partition: Partition, row: Row) -> None:
        self._rows[partition].append(row)
        self._count += 1
        self._bytes += _ROW_BYTES + len(row.get("message") or "")
        if self._count >= SPILL_ROWS or self._bytes >= SPILL_BYTES:
            self.flush()

    def flush(self) -> None:
        """Empty the memory."""
        for partition, rows in self._rows.items():
            schema = arrow_schema(TABLES[partition.table])
            path = (
                self._folder / f"{partition.table}-{partition.week}-{partition.day}-{self._flushes}.parquet"
            )
            try:
                columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
                pq.write_table(pa.table(columns, schema=schema), path, compression="zstd")
            except OSError as error:
                raise LakeError(
                    f"{path.parent}: cannot spill ({error.strerror or error}); free space or set TMPDIR"
                ) from None
            self.files[partition].append(path)
        self._rows.clear()
        self._count = self._bytes = 0
        self._flushes += 1

    def clear(self) -> None:
        """Forget the files of a checkpoint that is done."""
        for paths in self.files.values():
            for path in paths:
                path.unlink(missing_ok=True)
        self.files.clear()
