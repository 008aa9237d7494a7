"""Sorted files of records → one sorted stream, with a row group of a few of them in memory.

`lines = "all"` gives files that are in order already, each of its own DAGs or its own part of one long log. Sorting their
rows anew took DuckDB most of a merge; here a row group that no other file has a say in passes as it is, and where files
interleave only the rows between two borders are put in order, by their attempts first, of which there are few.
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

from windsock.schema import ATTEMPT_KEY, TABLES, TEXT

KEY = (*TABLES["log_events"].sort_key, "object_url")
"""What puts records in order; no two of them share it."""
REPEATED = [
    name for name in TABLES["log_events"].columns if name not in ("message", "record_no", "logged_at")
]
"""Columns in which neighbours are mostly alike: told by codes."""
REPEATED_TEXTS = [name for name in REPEATED if TABLES["log_events"].columns[name] == TEXT]
MAX_BYTES = 64_000_000
"""Of files that interleave at one place a row group each is held: some 2 MB of a spilled one, 20 MB of the lake's."""

_FEW = 0.01  # of the rows: so many stretches of neighbours are put one behind the other, where each row would be copied
_BITS = 40  # of a record's number, beside the rank of its attempt
Key = tuple[Any, ...]


class Unfit(Exception):
    """These files cannot be merged so: too much at one place, a key or a column that is not told, or rows
    that are in no order."""


class Piece:
    """The rows of one row group that are left, in order."""

    def __init__(self, table: pa.Table) -> None:
        self._table, self._start = table.unify_dictionaries().combine_chunks(), 0
        self.nbytes = int(self._table.nbytes)
        self._values: dict[str, tuple[Any, list[Any] | None]] = {}
        for name in KEY if len(table) else ():
            column = self._table[name].chunk(0)
            if column.null_count:
                raise Unfit
            if isinstance(column, pa.DictionaryArray):
                self._values[name] = column.indices.to_numpy(), column.dictionary.to_pylist()
            else:
                self._values[name] = column.to_numpy(), None

    def __len__(self) -> int:
        return int(self._table.num_rows) - self._start

    def key(self, row: int, names: Sequence[str] = KEY) -> Key:
        """The key of a row, or a part of it."""
        told = [self._values[name] for name in names]
        at = self._start + row
        return tuple(int(codes[at]) if words is None else words[codes[at]] for codes, words in told)

    @property
    def last(self) -> Key:
        return self.key(len(self) - 1)

    def numbers(self) -> Any:
        """The records' numbers."""
        return self._values["record_no"][0][self._start :]

    def attempts(self) -> tuple[list[Key], Any]:
        """The attempts in the order of the rows, and how many rows each has there."""
        changes = np.zeros(len(self), np.bool_)
        changes[:1] = True
        for name in ATTEMPT_KEY:
            codes = self._values[name][0][self._start :]
            changes[1:] |= codes[1:] != codes[:-1]
        firsts = np.flatnonzero(changes)
        told = [self.key(row, ATTEMPT_KEY) for row in firsts.tolist()]
        return told, np.diff(np.append(firsts, len(self)))

    def is_in_order(self) -> bool:
        """Whether the attempts are, and within them the records' numbers; what stands behind them is not looked at."""
        told, sizes = self.attempts()
        steps = np.diff(self.numbers()) < 0
        steps[np.cumsum(sizes)[:-1] - 1] = False
        return not steps.any() and all(here < after for here, after in pairwise(told))

    def take_up_to(self, border: Key) -> pa.Table:
        """Take out the rows that come no later than a key."""
        low = bisect_right(range(len(self)), border, key=self.key)
        taken = self._table.slice(self._start, low)
        self._start += low
        return taken


class Run:
    """A sorted file, row group by row group; the rows of objects that are `gone` are left out."""

    def __init__(self, path: Path, gone: pa.Array | None = None) -> None:
        self._path, self._gone = path, gone
        self._groups: Iterator[pa.Table] | None = None
        self._last: Key = ()
        self.piece = Piece(next(self._read(list(KEY)), pa.table({})))
        self.first = self.piece.key(0) if len(self.piece) else None
        """Before or at the first key that will come; None where there is none."""

    def next(self) -> bool:
        """Whether there are further rows; they then lie in `piece`."""
        if self._groups is None:
            self._groups = self._read(None)
        for group in self._groups:
            before, self.piece = self._last, Piece(self._without_gone(group))
            if len(self.piece):
                if self.piece.key(0) < before or not self.piece.is_in_order():
                    raise Unfit
                self._last = self.piece.last
                return True
        return False

    def _read(self, columns: list[str] | None) -> Iterator[pa.Table]:
        if not set(TABLES["log_events"].columns) <= {*pq.read_schema(self._path).names}:
            raise Unfit  # an older lake's file
        file = pq.ParquetFile(self._path, read_dictionary=REPEATED_TEXTS)
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns=columns)

    def _without_gone(self, table: pa.Table) -> pa.Table:
        if self._gone is None:
            return table
        url = table["object_url"].unify_dictionaries().combine_chunks()
        gone = pc.is_in(url.dictionary, value_set=self._gone)
        return table.filter(pc.invert(gone.take(url.indices))) if pc.any(gone).as_py() else table


def merged(runs: Sequence[Run]) -> Iterator[pa.Table]:
    """The rows of all runs in order, some at a time."""
    waiting = sorted((run for run in runs if run.first), key=lambda run: run.first or (), reverse=True)
    opened: list[Run] = []
    while waiting or opened:
        while waiting and (not opened or (waiting[-1].first or ()) <= _border(opened)):
            run = waiting.pop()
            if run.next():
                opened.append(run)
            if sum(run.piece.nbytes for run in opened) > MAX_BYTES:
                raise Unfit
        if opened:
            border = _border(opened)
            parts = [part for run in opened if len(part := run.piece.take_up_to(border))]
            yield parts[0] if len(parts) == 1 else _in_order(parts)
        opened = [run for run in opened if len(run.piece) or run.next()]


def _border(opened: Sequence[Run]) -> Key:
    """Up to which key everything that is to come has been read."""
    return min(run.piece.last for run in opened)


def _in_order(parts: Sequence[pa.Table]) -> pa.Table:
    """Rows of several files, sorted: an attempt's rank and the record's number are one number."""
    pieces = [Piece(part) for part in parts]
    told = [piece.attempts() for piece in pieces]
    ranks = {one: rank for rank, one in enumerate(sorted({one for keys, _ in told for one in keys}))}
    of_rows = [np.repeat([ranks[one] for one in keys], sizes) for keys, sizes in told]
    numbers = np.concatenate([piece.numbers() for piece in pieces])
    if numbers.min() < 0 or int(numbers.max()) >> _BITS:
        raise Unfit
    keys = (np.concatenate(of_rows).astype(np.int64) << _BITS) | numbers
    order = np.argsort(keys, kind="stable")
    table = pa.concat_tables(parts).unify_dictionaries()
    if (keys[order][1:] == keys[order][:-1]).any():  # an attempt that two objects tell of
        urls = pc.rank(table["object_url"].cast(pa.string()), tiebreaker="dense").to_numpy()
        order = np.lexsort((urls, keys))
    starts = np.flatnonzero(np.diff(order, prepend=-2) != 1)
    if len(starts) > len(order) * _FEW:
        return table.take(pa.array(order))
    sizes = np.diff(starts, append=len(order))
    return pa.concat_tables([table.slice(order[at], size) for at, size in zip(starts, sizes, strict=True)])
