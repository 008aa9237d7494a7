"""A task log of any length → the rows that a reading of the whole would give, in bounded memory.

The log is taken in pieces of whole records, by the fast path where it can prove itself, else once more by the exact
one. Only logs whose records stand as Airflow wrote them can be read so; those wrapped by a collector are read whole, up
to a size.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from windsock.model import LogKey, Outcome, Reject
from windsock.parse import dialects
from windsock.parse.kept import Kept
from windsock.parse.passes import NotEnough, Pass, exact2, exact3, fast2, fast3
from windsock.parse.pieces import CUT_TOLD, PIECE_BYTES, Pieces
from windsock.parse.plain import TooMuch, plain_chunks
from windsock.parse.reading import Reading
from windsock.parse.task_log import Lines, as_rows

WHOLE_BYTES = 8 << 20
"""Up to this size a log is read whole."""
WRAPPED_BYTES = 32 << 20
"""Up to this size a log is read whole that can be read in no other way."""

_NOT_A_LOG = Reject("task_logs", "not_a_log", "no record of any known Airflow log format")


def read_stream(
    key: LogKey,
    chunks: Callable[[], Iterable[bytes]],
    *,
    size: int,
    object_url: str,
    etag: str,
    modified_at: datetime | None,
    lines: Lines = "errors",
    timezone: str = "UTC",
    whole_bytes: int = WHOLE_BYTES,
    piece_bytes: int = PIECE_BYTES,
) -> Outcome:
    """Read one object of `size` bytes. `chunks` gives its bytes, from the beginning each time it is called.

    Rejects are those of `read_task_log`."""
    log = _Log(key, chunks, size, object_url, etag, modified_at, lines, timezone, piece_bytes)
    try:
        return log.read(whole_bytes)
    except zlib.error as error:
        return Reject("task_logs", "bad_gzip", str(error))
    except TooMuch:
        return Reject("task_logs", "too_large", "unpacks to too much")


@dataclass(frozen=True, slots=True)
class _Log:
    """One object on its way."""

    key: LogKey
    chunks: Callable[[], Iterable[bytes]]
    size: int
    object_url: str
    etag: str
    modified_at: datetime | None
    lines: Lines
    timezone: str
    piece_bytes: int

    def read(self, whole_bytes: int) -> Outcome:
        beginning, is_all = self._beginning(max(whole_bytes, dialects.LOOK_BYTES))
        if is_all and len(beginning) <= whole_bytes:
            return self._read_whole(beginning)
        if dialect := dialects.dialect_of(beginning):
            return self._read_pieces(dialect, beginning)
        beginning, is_all = self._beginning(WRAPPED_BYTES)
        if is_all:
            return self._read_whole(beginning)
        what = f"not written by Airflow as it stands, and more than {WRAPPED_BYTES >> 20} MB"
        return Reject("task_logs", "too_large", what)

    def _beginning(self, most: int) -> tuple[bytes, bool]:
        """Not many more than that many bytes of the text, and whether they are all of it."""
        parts, size = [], 0
        for chunk in self._plain():
            parts.append(chunk)
            size += len(chunk)
            if size > most:
                return b"".join(parts), False
        return b"".join(parts), True

    def _plain(self) -> Iterator[bytes]:
        return plain_chunks(self.chunks(), size=self.size)

    def _read_whole(self, data: bytes) -> Outcome:
        if not data.strip():
            return Reject("task_logs", "empty", "the object holds no text")
        reading = dialects.read(data, key=self.key, timezone=self.timezone)
        if reading is None or not reading.records:
            return _NOT_A_LOG
        return as_rows(
            self.key, reading, self.size, object_url=self.object_url, etag=self.etag,
            modified_at=self.modified_at, lines=self.lines,
        )  # fmt: skip

    def _read_pieces(self, dialect: str, beginning: bytes) -> Outcome:
        one = self._pass(dialect)
        try:
            if dialect == "airflow3":
                return self._outcome(one, fast3(one, modified_at=self.modified_at), is_fast=True)
            if dialect == "airflow2" and _may_be_fast(beginning):
                return self._outcome(one, fast2(one, self.key, modified_at=self.modified_at), is_fast=True)
        except NotEnough:
            one = self._pass(dialect)
        if dialect in ("airflow3", "console3"):
            return self._outcome(one, exact3(one, dialect))
        zone = ZoneInfo(self.timezone)
        try:
            return self._outcome(one, exact2(one, dialect, self.key, zone, is_repeated=False))
        except NotEnough:
            one = self._pass(dialect)
        return self._outcome(one, exact2(one, dialect, self.key, zone, is_repeated=True))

    def _pass(self, dialect: str) -> Pass:
        kept = Kept(self.key, object_url=self.object_url, modified_at=self.modified_at, lines=self.lines)
        return Pass(Pieces(self._plain(), dialects.BORDERS[dialect], size=self.piece_bytes), kept)

    def _outcome(self, one: Pass, reading: Reading, *, is_fast: bool = False) -> Outcome:
        if not reading.record_count:
            return _NOT_A_LOG
        reading.records = one.kept.times()
        if one.pieces.cut_records:
            reading.partial = reading.partial or CUT_TOLD
        told = as_rows(
            self.key, reading, self.size, object_url=self.object_url, etag=self.etag,
            modified_at=self.modified_at, lines="errors", read_path="fast" if is_fast else "exact",
        )  # fmt: skip
        slices = one.kept.slices()
        return replace(
            told,
            rows={**told.rows, "log_events": one.kept.events(reading.command_output)},
            columns={"log_events": slices} if slices else {},
        )


def _may_be_fast(beginning: bytes) -> bool:
    """Stamps with a `T`, as the scan compares them."""
    return beginning.startswith(b"[2") and beginning[11:12] == b"T"
