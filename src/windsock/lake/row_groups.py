"""Sorted rows, however they come, in row groups whose borders hang on the rows alone: a file's bytes follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

ROW_GROUP_ROWS = 120_000
ROW_GROUP_BYTES = 15_000_000  # a little below 16 MB: page heads and dictionaries come on top
_PIECE_BYTES = 1_000_000
BATCH_ROWS = 2_048


def of_size(tables: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of one size: however they came, their file has the same bytes."""
    held = schema.empty_table()
    for table in tables:
        held = pa.concat_tables([held, table.select(schema.names).cast(schema)])
        whole = len(held) - len(held) % BATCH_ROWS
        for at in range(0, whole, BATCH_ROWS):
            yield from held.slice(at, BATCH_ROWS).combine_chunks().to_batches()
        held = held.slice(whole)
    yield from held.combine_chunks().to_batches()


def groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches gathered into row groups that keep to both limits."""
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        for piece in _pieces(batch):
            more = _bytes_of(piece)
            if held and (rows + piece.num_rows > ROW_GROUP_ROWS or size + more > ROW_GROUP_BYTES):
                yield held
                held, rows, size = [], 0, 0
            held.append(piece)
            rows, size = rows + piece.num_rows, size + more
    if held:
        yield held


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    if batch.num_rows <= 1 or _bytes_of(batch) <= _PIECE_BYTES:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half))
    yield from _pieces(batch.slice(half))


def _bytes_of(batch: pa.RecordBatch) -> int:
    """What the values take. Masks of nulls are left out: an array may have one and need none."""
    size = 0
    for column in batch.columns:
        mask = column.buffers()[0]
        size += column.nbytes - (0 if mask is None else -(-len(column) // 8))
    return size
