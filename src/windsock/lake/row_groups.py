"""Sorted rows, however they come, in row groups whose borders hang on the rows alone: a file's bytes follow from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ROW_GROUP_ROWS = 120_000
ROW_GROUP_BYTES = 15_000_000  # a little below 16 MB: page heads and dictionaries come on top
_OFFSET = 4  # bytes


def as_declared(tables: Iterable[pa.Table], schema: pa.Schema, *, but: Collection[str]) -> Iterator[pa.Table]:
    """Tables of the columns and types of a schema, each column in one piece; the columns `but` may be coded or not."""
    for table in tables:
        table = table.unify_dictionaries().combine_chunks()
        columns = [
            table[field.name] if field.name in but or table[field.name].type == field.type
            else table[field.name].cast(field.type)
            for field in schema
        ]  # fmt: skip
        yield pa.table(columns, names=schema.names)


def groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """As many rows as both limits allow; a row beyond them has a group of its own. Copies nothing."""
    held: list[pa.Table] = []
    rows = size = 0
    for table in tables:
        ends = np.concatenate(([0], np.cumsum(_bytes_of_rows(table))))
        at = 0
        while at < len(table):
            most = int(np.searchsorted(ends, ends[at] + ROW_GROUP_BYTES - size, side="right")) - 1
            stop = max(min(most, at + ROW_GROUP_ROWS - rows), at if held else at + 1)
            if stop > at:
                held.append(table.slice(at, stop - at))
                rows, size, at = rows + stop - at, size + int(ends[stop] - ends[at]), stop
            if at < len(table):
                ready = [pa.concat_tables(held)]
                held, rows, size = [], 0, 0
                yield ready.pop()  # who takes it may let it go: nothing here holds on to it
    if held:
        yield pa.concat_tables(held)


def coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """Texts by codes, numbered as they first occur: the same for the same texts, whether they came so or not."""
    whole = column.dictionary_encode().unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # of no rows
        whole = whole.chunk(0)
    mask = whole.indices.is_valid()
    codes = whole.indices.drop_null().to_numpy()
    rows = len(codes)
    firsts = np.full(len(whole.dictionary), rows)
    firsts[codes[::-1]] = np.arange(rows)[::-1]  # of rows with one code the first is written last
    used = np.argsort(firsts)[: np.count_nonzero(firsts < rows)]
    numbers = np.zeros(len(firsts), np.int32)
    numbers[used] = np.arange(len(used), dtype=np.int32)
    told = pa.array(numbers[codes])
    if rows < len(whole):
        told = pc.replace_with_mask(pa.nulls(len(whole), pa.int32()), mask, told)
    return pa.DictionaryArray.from_arrays(told, whole.dictionary.take(pa.array(used)))


def _bytes_of_rows(table: pa.Table) -> Any:
    """What the values of each row take, told in full."""
    total = np.zeros(len(table), np.int64)
    for column in table.columns:
        if column.num_chunks:
            total += _bytes_of(column.chunk(0))
    return total


def _bytes_of(array: pa.Array) -> Any:
    """Bytes of each value, or of every one. A null takes what its place takes."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        if array.null_count == len(array):
            return _OFFSET
        sizes = np.append(_bytes_of(array.dictionary), _OFFSET)
        return sizes[_filled(array.indices, len(array.dictionary))]
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return _filled(pc.binary_length(array), 0) + _OFFSET
    if pa.types.is_list(kind) or pa.types.is_map(kind):
        parts = (array.keys, array.items) if pa.types.is_map(kind) else (array.values,)
        inner = sum(np.zeros(len(part), np.int64) + _bytes_of(part) for part in parts)
        return np.diff(np.concatenate(([0], np.cumsum(inner)))[array.offsets.to_numpy()]) + _OFFSET
    return max(1, kind.bit_width // 8)


def _filled(numbers: pa.Array, otherwise: int) -> Any:
    return (numbers.fill_null(otherwise) if numbers.null_count else numbers).to_numpy()
