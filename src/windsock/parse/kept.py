"""What is kept of a log that is too long to be held: the rows of the records that are told, the columns of the quiet ones
where every record is wanted, and what the others add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import overload

import pyarrow as pa

from windsock.model import LogKey, Row, Slice
from windsock.parse.columns import Columns, Names
from windsock.parse.events import as_table
from windsock.parse.reading import Failure, Reading, Record
from windsock.parse.signing import signature_of
from windsock.parse.task_log import WORSE, Lines, bounds_of, event_row, ids_of, plausible
from windsock.scratch.overflow import Overflow
from windsock.signature import is_of_command

_ROW_BYTES = 1_000


class Kept:
    """Takes the records of one log in order (`see`)."""

    def __init__(self, key: LogKey, *, object_url: str, modified_at: datetime | None, lines: Lines) -> None:
        self._key, self._url, self._modified_at, self._lines = key, object_url, modified_at, lines
        self._ids, self._bounds = ids_of(key), bounds_of(modified_at)
        self._untold = Reading("")  # the output of commands, which signatures may need, is known at the end
        self._rows: Overflow[tuple[Row, Failure | None]] = Overflow()
        self.names = Names()
        self._tables: Overflow[pa.Table] = Overflow()
        self.is_command_failed = False
        self._first: tuple[int, datetime] | None = None
        self._last: tuple[int, datetime] | None = None

    def see(self, record: Record) -> None:
        """One record more."""
        failure = record.failure
        is_command = failure is not None and is_of_command(failure.message)
        self.is_command_failed |= is_command
        if at := plausible(record.at, self._modified_at):
            here = record.no, at
            self._first = min(self._first or here, here)
            if self._last is None or at > self._last[1]:
                self._last = here
        if self._lines == "all" or failure or record.level in WORSE[self._lines]:
            row = event_row(self._ids, record, self._untold, self._bounds, self._url, {})
            self._rows.append((row, failure if is_command else None), size=_ROW_BYTES + len(row["message"]))

    @property
    def is_all(self) -> bool:
        """Whether every record is wanted."""
        return self._lines == "all"

    def take(self, columns: Columns, *, before: int) -> None:
        """Quiet records more, in columns; `before` is how many records of the log stand in front of their piece."""
        if len(columns.segments):
            table = as_table(columns, self.names, [self._key], [self._url], [before])
            self._tables.append(table, size=table.nbytes)

    def times(self) -> list[Record]:
        """Records that stand for all of them where an attempt's beginning and end are looked for."""
        return [Record(no, at, "", "", "") for no, at in (self._first, self._last) if at] if self._first and self._last else []  # fmt: skip

    def events(self, output: list[str]) -> Sequence[Row]:
        """The rows; `output` is the end of the command's output, by which a failed command is known."""
        return _Events(self._rows, output)

    def slices(self) -> Sequence[Slice]:
        """The columns, in order."""
        return _Slices(self._tables)


class _Events(Sequence[Row]):
    """Rows that are read from the disk when they are asked for."""

    def __init__(self, rows: Overflow[tuple[Row, Failure | None]], output: list[str]) -> None:
        self._rows, self._output = rows, output

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        for row, failure in self._rows:
            if failure is not None:
                row["error_signature"] = signature_of(failure, self._output)
            yield row

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        return list(self)[place]  # for tests and small logs; the lake iterates


class _Slices(Sequence[Slice]):
    """Tables that are read from the disk when they are asked for."""

    def __init__(self, tables: Overflow[pa.Table]) -> None:
        self._tables = tables

    def __len__(self) -> int:
        return len(self._tables)

    def __iter__(self) -> Iterator[Slice]:
        return (Slice(table, 0, table.num_rows) for table in self._tables)

    @overload
    def __getitem__(self, place: int) -> Slice: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Slice]: ...
    def __getitem__(self, place: int | slice) -> Slice | Sequence[Slice]:
        return list(self)[place]
