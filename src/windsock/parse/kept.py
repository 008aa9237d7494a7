"""What is kept of a log that is too long to be held: the rows of the records that are told, and what the others add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import overload

from windsock.model import LogKey, Row
from windsock.parse.reading import Failure, Reading, Record
from windsock.parse.signing import signature_of
from windsock.parse.task_log import WORSE, Lines, bounds_of, event_row, ids_of, plausible
from windsock.scratch.overflow import Overflow
from windsock.signature import is_of_command

_ROW_BYTES = 1_000


class Kept:
    """Takes the records of one log in order (`see`)."""

    def __init__(self, key: LogKey, *, object_url: str, modified_at: datetime | None, lines: Lines) -> None:
        self._ids, self._url, self._modified_at, self._lines = ids_of(key), object_url, modified_at, lines
        self._bounds = bounds_of(modified_at)
        self._untold = Reading("")  # the output of commands, which signatures may need, is known at the end
        self._rows: Overflow[tuple[Row, Failure | None]] = Overflow()
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

    def times(self) -> list[Record]:
        """Records that stand for all of them where an attempt's beginning and end are looked for."""
        return [Record(no, at, "", "", "") for no, at in (self._first, self._last) if at] if self._first and self._last else []  # fmt: skip

    def events(self, output: list[str]) -> Sequence[Row]:
        """The rows; `output` is the end of the command's output, by which a failed command is known."""
        return _Events(self._rows, output)


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
