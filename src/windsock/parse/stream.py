"""A task log of any length → the rows that a reading of the whole would give, in bounded memory.

The log is taken in pieces of whole records, by the fast path where it can prove itself, else once more by the exact
one. What a collector or a tool put around it is taken off as it comes by, layer by layer; entries out of order are sorted in
nameless files. Only one JSON document, and a log without heads, must be seen whole: they are read up to a size.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from windsock.model import LogKey, Outcome, Reject
from windsock.parse import dialects
from windsock.parse.kept import Kept
from windsock.parse.layers import MAX_LAYERS, Layer, OutOfOrder, tell
from windsock.parse.order import TooDisordered
from windsock.parse.passes import NotEnough, Pass, exact2, exact3, fast2, fast3
from windsock.parse.pieces import CUT_TOLD, LINES, PIECE_BYTES, Pieces
from windsock.parse.plain import TooMuch, plain_chunks
from windsock.parse.reading import Reading
from windsock.parse.task_log import Lines, as_rows

WHOLE_BYTES = 8 << 20
"""Up to this size a log is read whole."""
UNCUT_BYTES = 32 << 20
"""Up to this size a log is read whole that can be read in no other way."""
LINE_BYTES = 8 << 20
"""Up to this size a line of a collector is read whole; of a longer one the two ends are."""

Text = Callable[[], Iterable[bytes]]

_EMPTY = Reject("task_logs", "empty", "the object holds no text")
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

    Rejects are those of `read_task_log`, and `out_of_order`."""
    log = _Log(key, chunks, size, object_url, etag, modified_at, lines, timezone, piece_bytes)
    try:
        return log.read(whole_bytes)
    except zlib.error as error:
        return Reject("task_logs", "bad_gzip", str(error))
    except TooMuch:
        return Reject("task_logs", "too_large", "unpacks to too much")
    except TooDisordered:
        return Reject("task_logs", "out_of_order", "more entries than can be sorted by their time")


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
        beginning, is_all = _beginning(self._plain, max(whole_bytes, dialects.LOOK_BYTES))
        if is_all and len(beginning) <= whole_bytes:
            return self._read_whole(beginning, [])
        return self._read_text(self._plain, beginning, []) or _EMPTY

    def _read_text(self, text: Text, beginning: bytes, outer: list[Layer]) -> Outcome | None:
        """A log that is too large to be held, inside of these layers; None where that is nothing at all."""
        if not beginning:
            return None
        if dialect := dialects.dialect_of(beginning):
            return self._read_pieces(dialect, text, beginning, outer)
        if dialects.is_one_line(beginning):
            data, is_all = _beginning(text, UNCUT_BYTES)
            if is_all:
                return self._read_whole(data, outer)
        if len(outer) < MAX_LAYERS:
            for layer in dialects.layers_around(beginning, lambda: self._lines_of(text)):
                if outcome := self._read_inside(layer, text, outer):
                    return outcome
        data, is_all = _beginning(text, UNCUT_BYTES)
        if is_all:
            return self._read_whole(data, outer)
        what = f"neither lines nor records that are known, and more than {UNCUT_BYTES >> 20} MB"
        return Reject("task_logs", "too_large", what)

    def _read_inside(self, layer: Layer, text: Text, outer: list[Layer]) -> Outcome | None:
        """What is inside of one layer more; once more where its entries turn out to stand in another order."""

        def below() -> Iterator[bytes]:
            pieces = self._lines_of(text)
            yield from layer(pieces)
            layer.cut_lines = pieces.cut_records

        for _ in range(2):
            try:
                outcome = self._read_text(below, _beginning(below, dialects.LOOK_BYTES)[0], [*outer, layer])
                if isinstance(outcome, Reject):  # of entries in the wrong order, perhaps
                    deque(below(), maxlen=0)
            except OutOfOrder as told:
                if told.layer is not layer:
                    raise
                continue
            return outcome
        return _NOT_A_LOG

    def _lines_of(self, text: Text) -> Pieces:
        return Pieces(text(), LINES, size=self.piece_bytes, most=LINE_BYTES)

    def _plain(self) -> Iterator[bytes]:
        return plain_chunks(self.chunks(), size=self.size)

    def _read_whole(self, data: bytes, outer: Sequence[Layer]) -> Outcome:
        if not outer and not data.strip():
            return _EMPTY
        reading = dialects.read_inside(data, key=self.key, timezone=self.timezone, layers=outer)
        if reading is None or not reading.records:
            return _NOT_A_LOG
        return as_rows(
            self.key, reading, self.size, object_url=self.object_url, etag=self.etag,
            modified_at=self.modified_at, lines=self.lines,
        )  # fmt: skip

    def _read_pieces(self, dialect: str, text: Text, beginning: bytes, outer: Sequence[Layer]) -> Outcome:
        one = self._pass(dialect, text)
        try:
            if dialect == "airflow3":
                return self._outcome(one, fast3(one, modified_at=self.modified_at), outer, is_fast=True)
            if dialect == "airflow2" and _may_be_fast(beginning):
                reading = fast2(one, self.key, modified_at=self.modified_at)
                return self._outcome(one, reading, outer, is_fast=True)
        except NotEnough:
            one = self._pass(dialect, text)
        if dialect in ("airflow3", "console3"):
            return self._outcome(one, exact3(one, dialect), outer)
        zone = ZoneInfo(self.timezone)
        try:
            return self._outcome(one, exact2(one, dialect, self.key, zone, is_repeated=False), outer)
        except NotEnough:
            one = self._pass(dialect, text)
        return self._outcome(one, exact2(one, dialect, self.key, zone, is_repeated=True), outer)

    def _pass(self, dialect: str, text: Text) -> Pass:
        kept = Kept(self.key, object_url=self.object_url, modified_at=self.modified_at, lines=self.lines)
        return Pass(Pieces(text(), dialects.BORDERS[dialect], size=self.piece_bytes), kept)

    def _outcome(
        self, one: Pass, reading: Reading, outer: Sequence[Layer], *, is_fast: bool = False
    ) -> Outcome:
        if not reading.record_count:
            return _NOT_A_LOG
        reading.records = one.kept.times()
        if one.pieces.cut_records:
            reading.partial = reading.partial or CUT_TOLD
        tell(reading, outer)
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


def _beginning(text: Text, most: int) -> tuple[bytes, bool]:
    """Not many more than that many bytes of a text, and whether they are all of it."""
    parts, size = [], 0
    for chunk in text():
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            return b"".join(parts), False
    return b"".join(parts), True


def _may_be_fast(beginning: bytes) -> bool:
    """Stamps with a `T`, as the scan compares them."""
    return beginning.startswith(b"[2") and beginning[11:12] == b"T"
