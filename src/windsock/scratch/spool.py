"""A listing on disk: a million objects as a file, handed from the sources to the ledger without filling memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from windsock.errors import LakeError
from windsock.model import SourceObject

SCHEMA = pa.schema(
    [
        ("no", pa.int64()),  # order in which the objects are read
        ("source", pa.int32()),  # which of the pull's inputs
        ("shard", pa.int32()),
        ("url", pa.string()),
        ("path", pa.string()),
        ("size", pa.int64()),
        ("modified_at", pa.timestamp("us", tz="UTC")),
        ("etag", pa.string()),
        ("parts", pa.int32()),
    ]
)
BATCH = 5_000


class Spool:
    """Written once with `with`, then read by anybody as Parquet."""

    def __init__(self, path: Path) -> None:
        self.path, self.count, self.bytes = path, 0, 0
        self._rows: list[tuple[int, int, int, SourceObject]] = []

    def __enter__(self) -> Self:
        self._writer = pq.ParquetWriter(self.path, SCHEMA, compression="zstd", use_dictionary=["etag"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
        except OSError as error:
            if kind is None:
                raise self._no_room(error) from None

    def add(self, obj: SourceObject, *, source: int, shard: int) -> None:
        self._rows.append((self.count, source, shard, obj))
        self.count += 1
        self.bytes += obj.size
        if len(self._rows) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        numbers, sources, shards, objects = zip(*self._rows, strict=True)
        columns = [
            numbers,
            sources,
            shards,
            *([getattr(obj, name) for obj in objects] for name in SCHEMA.names[3:]),
        ]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
        try:
            self._writer.write_table(pa.table(arrays, schema=SCHEMA))
        except OSError as error:
            raise self._no_room(error) from None
        self._rows.clear()

    def _no_room(self, error: OSError) -> LakeError:
        why = error.strerror or "the disk is full"
        return LakeError(f"{self.path.parent}: cannot keep the listing ({why}); free space or set TMPDIR")


def read_spool(path: Path, *, source: int) -> Iterator[SourceObject]:
    """The objects of one input, in order, a batch in memory at a time."""
    for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH):
        columns = [batch.column(name).to_pylist() for name in ("source", *SCHEMA.names[3:])]
        for of, *values in zip(*columns, strict=True):
            if of == source:
                url, key, size, modified_at, etag, parts = values
                yield SourceObject(url, key, size, modified_at, etag, parts)
