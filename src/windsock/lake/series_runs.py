"""Sorted files of `metric_samples` → one sorted stream, with a row group of each of them in memory at most.

As `runs` does for records; here what puts rows in order is their series, its minute and the object.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from windsock.lake.runs import Unfit
from windsock.lake.series import CODED, TABLE, labels_text, ranks_of, times_of, with_labels

MAX_BYTES = 64_000_000
"""Of files that are merged a row group each is held."""
_WORD_BYTES = 300  # what a series takes in Python
Key = tuple[str, str, int, str]


class _Piece:
    """The rows of one row group that are left, in order of series, time and address."""

    def __init__(self, table: pa.Table) -> None:
        self._table, self._start = table.unify_dictionaries().combine_chunks(), 0
        for name in ("name", "labels", "sampled_at", "object_url"):
            if self._table[name].null_count:
                raise Unfit
        self._learn(self._table["name"].chunk(0), self._table["labels"].chunk(0))
        url = self._table["object_url"].chunk(0)
        self._at, self._urls, self._url_words = (
            times_of(self._table),
            ranks_of(url),
            sorted(url.dictionary.to_pylist()),
        )
        if not self._is_in_order():
            raise Unfit
        self.nbytes = int(self._table.nbytes) + len(self.words) * _WORD_BYTES

    def _learn(self, names: pa.DictionaryArray, labels: pa.Array) -> None:
        """Number the series as they come. Labels that are values become texts."""
        is_text = isinstance(labels, pa.DictionaryArray)
        firsts = _firsts(names, labels)
        name, told = names.dictionary.to_pylist(), names.indices.to_numpy()
        if is_text:
            text, codes = labels.dictionary.to_pylist(), labels.indices.to_numpy()
            words = [text[codes[row]] for row in firsts.tolist()]
        else:
            words = [labels_text(labels[row].as_py()) for row in firsts.tolist()]
        self.words = [(name[told[row]], word) for row, word in zip(firsts.tolist(), words, strict=True)]
        """The series in the order of the rows."""
        self._series = np.repeat(np.arange(len(firsts)), np.diff(np.append(firsts, len(names))))
        if not is_text:
            texts = pa.DictionaryArray.from_arrays(
                pa.array(self._series, pa.int32()), pa.array(words, pa.string())
            )
            at = self._table.schema.get_field_index("labels")
            self._table = self._table.set_column(at, pa.field("labels", texts.type), texts)

    def _is_in_order(self) -> bool:
        if any(here >= after for here, after in pairwise(self.words)):
            return False
        same = np.diff(self._series) == 0
        steps = np.diff(self._at)
        # rows of one object, series and minute are put in order by columns that are not looked at here
        return not (same & ((steps < 0) | ((steps == 0) & (np.diff(self._urls) <= 0)))).any()

    def __len__(self) -> int:
        return int(self._table.num_rows) - self._start

    def key(self, row: int) -> Key:
        at = self._start + row
        return (*self.words[self._series[at]], int(self._at[at]), self._url_words[self._urls[at]])

    @property
    def last(self) -> Key:
        return self.key(len(self) - 1)

    def take_up_to(self, border: Key) -> _Taken:
        """Take out the rows that come no later than a key."""
        low = bisect_right(range(len(self)), border, key=self.key)
        at = slice(self._start, self._start + low)
        self._start += low
        return _Taken(self._table.slice(at.start, low), self.words, self._series[at], self._at[at])


class _Taken:
    """Rows of one piece, and the numbers that they are sorted by."""

    def __init__(self, table: pa.Table, words: Sequence[tuple[str, str]], series: Any, at: Any) -> None:
        self.table, self.words, self.series, self.at = table, words, series, at

    def __len__(self) -> int:
        return int(self.table.num_rows)


class _Run:
    """A sorted file, row group by row group; the rows of objects that are `gone` are left out."""

    def __init__(self, path: Path, gone: pa.Array | None) -> None:
        schema = pq.read_schema(path)
        if not {*TABLE.columns} <= {*schema.names}:
            raise Unfit  # an older lake's file
        are_values = pa.types.is_nested(schema.field("labels").type)
        coded = CODED if are_values else (*CODED, "labels")
        self._file, self._gone = pq.ParquetFile(path, read_dictionary=coded), gone
        self._groups = iter(range(self._file.num_row_groups))
        self._last: Key | None = None
        self.piece: _Piece | None = None

    def next(self) -> bool:
        """Whether there are further rows; they then lie in `piece`."""
        for number in self._groups:
            group = self._file.read_row_group(number, columns=[*TABLE.columns])
            if self._gone is not None:
                urls = group["object_url"].cast(pa.string())
                group = group.filter(pc.invert(pc.is_in(urls, value_set=self._gone)))
            if not len(group):
                continue
            piece = _Piece(group)
            if self._last is not None and piece.key(0) <= self._last:
                raise Unfit
            self.piece, self._last = piece, piece.last
            return True
        self.piece = None
        return False


def _pieces(opened: Sequence[_Run]) -> list[_Piece]:
    pieces = [run.piece for run in opened if run.piece is not None]
    if sum(piece.nbytes for piece in pieces) > MAX_BYTES:
        raise Unfit
    return pieces


def merged(paths: Sequence[tuple[Path, pa.Array | None]]) -> Iterator[pa.Table]:
    """The rows of all files in order, some at a time. Raises Unfit where they are in no order, or too many."""
    opened: list[_Run] = []
    for path, gone in paths:
        run = _Run(path, gone)
        opened += [run] if run.next() else []
        _pieces(opened)  # too many are not all opened
    while opened:
        pieces = _pieces(opened)
        border = min(piece.last for piece in pieces)
        parts = [part for piece in pieces if len(part := piece.take_up_to(border))]
        yield with_labels(parts[0].table if len(parts) == 1 else _together(parts))
        opened = [run for run in opened if run.piece is not None and (len(run.piece) or run.next())]


def _together(parts: Sequence[_Taken]) -> pa.Table:
    """Rows of several files, sorted."""
    used = [{*np.unique(part.series).tolist()} for part in parts]
    ranks = {
        word: rank
        for rank, word in enumerate(
            sorted(
                {part.words[number] for part, numbers in zip(parts, used, strict=True) for number in numbers}
            )
        )
    }
    series = np.concatenate(
        [np.array([ranks.get(word, -1) for word in part.words], np.int64)[part.series] for part in parts]
    )
    at = np.concatenate([part.at for part in parts])
    table = pa.concat_tables([part.table for part in parts]).unify_dictionaries().combine_chunks()
    urls = ranks_of(table["object_url"].chunk(0))
    order = np.lexsort((urls, at, series))
    told = np.stack((series[order], at[order], urls[order]))
    if (told[:, 1:] == told[:, :-1]).all(axis=0).any():
        raise Unfit
    return table.take(pa.array(order))


def _firsts(names: pa.DictionaryArray, labels: pa.Array) -> Any:
    """Rows whose name or labels are not those of the row before."""
    changes = np.ones(len(names), np.bool_)
    codes = names.indices.to_numpy()
    changes[1:] = codes[1:] != codes[:-1]
    if isinstance(labels, pa.DictionaryArray):
        codes = labels.indices.to_numpy()
        changes[1:] |= codes[1:] != codes[:-1]
        return np.flatnonzero(changes)
    offsets = labels.offsets.to_numpy()
    sizes = np.diff(offsets)
    changes[1:] |= sizes[1:] != sizes[:-1]
    of_row, steps = np.repeat(np.arange(len(sizes)), sizes), np.repeat(sizes, sizes)
    for part in (labels.keys, labels.items):
        told = part.slice(offsets[0], offsets[-1] - offsets[0]).dictionary_encode()
        if told.null_count:
            raise Unfit
        words = told.indices.to_numpy()
        # a word beside that of the row before it; where that has more or fewer of them, its row is a first one anyway
        before = words[np.maximum(np.arange(len(words)) - steps, 0)]
        changes[of_row[words != before]] = True
    return np.flatnonzero(changes)
