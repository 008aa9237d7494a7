"""One way through the pieces of a long log: by the fast path or the exact one, for each dialect. What the records come
to is worked out as they pass; none but those that are told stays in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import chain
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from windsock.model import LogKey
from windsock.parse import airflow2, airflow3, elastic
from windsock.parse.airflow2 import scan as scan_airflow2
from windsock.parse.airflow2.columns import Airflow2Columns
from windsock.parse.airflow3 import console as console3
from windsock.parse.airflow3 import scan as scan_airflow3
from windsock.parse.airflow3.columns import Airflow3Columns
from windsock.parse.airflow3.lines import Decoded, decode, decode_line
from windsock.parse.columns import Take
from windsock.parse.heads import Raw, split_at
from windsock.parse.kept import Kept
from windsock.parse.pieces import Pieces
from windsock.parse.reading import KEEP_OUTPUT, Passed, Reading
from windsock.parse.task_log import MAX_MESSAGE_BYTES, plausible
from windsock.signature import is_of_command

TAIL_BYTES = 4 << 20
T = TypeVar("T")


class NotEnough(Exception):
    """This way cannot account for the log; another one has to be taken."""


class Pass:
    """Pieces on their way past. `tail` is the last of them, in which the output of a failed command is looked for."""

    def __init__(self, pieces: Pieces, kept: Kept) -> None:
        self.pieces, self.kept = pieces, kept
        self.seen_bytes, self._held = 0, 0
        self._tail: deque[bytes] = deque()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self._tail.append(piece)
            self.seen_bytes += len(piece)
            self._held += len(piece)
            while self._held - len(self._tail[0]) >= TAIL_BYTES:
                self._held -= len(self._tail.popleft())
            yield piece

    @property
    def tail(self) -> bytes:
        return b"".join(self._tail)


def fast3(one: Pass, *, modified_at: datetime | None) -> Reading:
    """JSON lines: only those that tell are decoded."""
    reading = Reading("airflow3")
    told = _Scan(one.kept, reading, scan_airflow3.scan, Airflow3Columns)

    def decoded() -> Iterator[Decoded]:
        for piece in one:
            for no, text in told(piece):
                yield decode_line(text, no=no)

    airflow3.interpret(reading, decoded(), keep_output=KEEP_OUTPUT, keep=one.kept.see)
    _prove(one, reading, modified_at)
    if _needs_output(one, reading):
        reading.command_output = _whole_output(
            one, airflow3.read(one.tail, keep_output=KEEP_OUTPUT).command_output
        )
    return reading


def fast2(one: Pass, key: LogKey, *, modified_at: datetime | None) -> Reading:
    """Text records: only those that tell are decoded."""
    reading = Reading("airflow2")
    told = _Scan(one.kept, reading, scan_airflow2.scan, Airflow2Columns)

    def raws() -> Iterator[Raw]:
        for piece in one:
            for no, (text, _level, _at) in told(piece):
                split = airflow2.split_record(text, no=no)
                if len(split) != 1:
                    raise NotEnough
                yield split[0]

    _follow(one, reading, raws(), key, ZoneInfo("UTC"), is_repeated=False, is_legacy=False)
    _prove(one, reading, modified_at)
    if reading.passed.commands and _needs_output(one, reading):
        text = one.tail.decode("utf-8", "replace")
        reading.command_output = _whole_output(
            one, airflow2.read(text, key=key, keep_output=KEEP_OUTPUT).command_output
        )
    return reading


def exact3(one: Pass, dialect: str) -> Reading:
    """Every JSON line, or every text record of Airflow 3."""
    reading = Reading("airflow3" if dialect == "airflow3" else "airflow3_text")

    def decoded() -> Iterator[Decoded]:
        for piece in one:
            count = reading.record_count
            if dialect == "airflow3":
                records = decode(piece, first_no=count)
            else:
                records = console3.decode(piece.decode("utf-8", "replace"), first_no=count)
            for record in records:
                reading.record_count += 1
                yield record

    return airflow3.interpret(reading, decoded(), keep_output=KEEP_OUTPUT, keep=one.kept.see)


def exact2(one: Pass, dialect: str, key: LogKey, zone: ZoneInfo, *, is_repeated: bool) -> Reading:
    """Every record of Airflow 1.7 to 2.11, as text or JSON. NotEnough where segments turn out to be repeated."""
    reading = Reading("airflow2_json" if dialect == "elastic" else "airflow2")
    raws = _json_records(one, reading) if dialect == "elastic" else _text_records(one, reading)
    first = next(raws, None)
    raws = chain((first,), raws) if first else raws
    separator = first.at_text[10:11] if first and dialect == "airflow2" else "T"
    if is_legacy := separator in (" ", ""):
        reading.dialect = "airflow1.10"
        raws = airflow2.unnested(raws)
    elif separator == ",":
        reading.dialect = "airflow2_ui"
    return _follow(one, reading, raws, key, zone, is_repeated=is_repeated, is_legacy=is_legacy)


Scan = Callable[[bytes, Sequence[int], Take | None], Sequence[tuple[list[tuple[int, T]], Passed] | None]]


class _Scan(Generic[T]):
    """Takes the pieces of one log in order, and hands on the records that have to be decoded, by their numbers in the log.
    The others are counted, and kept as columns where every record is wanted."""

    def __init__(
        self, kept: Kept, reading: Reading, scan: Scan[T], columns: type[Airflow2Columns | Airflow3Columns]
    ) -> None:
        self._kept, self._reading, self._scan = kept, reading, scan
        self._taker = columns(kept.names, longest=MAX_MESSAGE_BYTES) if kept.is_all else None

    def __call__(self, piece: bytes) -> Iterator[tuple[int, T]]:
        """NotEnough for a piece that is not as Airflow writes it."""
        taker, reading = self._taker, self._reading
        segment = self._scan(*_whole_lines(piece), taker.take if taker else None)[0]
        if segment is None:
            raise NotEnough
        told, passed = segment
        before = reading.record_count
        reading.passed.add(passed, before=before)
        reading.record_count += len(told) + passed.count
        if taker and taker.taken:
            self._kept.take(taker.taken, before=before)
        for no, record in told:
            yield no + before, record


def _whole_lines(piece: bytes) -> tuple[bytes, list[int]]:
    """A piece as a scan takes it: the last line of a log gets the newline it may lack."""
    piece = piece if piece.endswith(b"\n") else piece + b"\n"
    return piece, [len(piece)]


def _text_records(one: Pass, reading: Reading) -> Iterator[Raw]:
    for piece in one:
        raws, orphan = split_at(piece.decode("utf-8", "replace"))
        if orphan.strip():
            reading.partial = "text before the first record"
        yield from _counted(raws, reading)


def _json_records(one: Pass, reading: Reading) -> Iterator[Raw]:
    for piece in one:
        yield from _counted(elastic.records(piece, reading), reading)


def _counted(raws: Iterable[Raw], reading: Reading) -> Iterator[Raw]:
    for raw in raws:
        raw.no = reading.record_count
        reading.record_count += 1
        yield raw


def _follow(
    one: Pass,
    reading: Reading,
    raws: Iterator[Raw],
    key: LogKey,
    zone: ZoneInfo,
    *,
    is_repeated: bool,
    is_legacy: bool,
) -> Reading:
    told = airflow2.once(raws if is_repeated else _unrepeated(raws), reading, is_repeated=is_repeated)
    return airflow2.follow(
        reading, told, key=key, zone=zone, is_legacy=is_legacy, keep_output=KEEP_OUTPUT, keep=one.kept.see
    )


def _unrepeated(raws: Iterator[Raw]) -> Iterator[Raw]:
    """As long as no process start is told twice: the log then holds segments more than once."""
    starts: set[bytes] = set()
    for raw in raws:
        if start := airflow2.process_start(raw):
            digest = blake2b("\0".join(start).encode("utf-8", "replace"), digest_size=16).digest()
            if digest in starts:
                raise NotEnough
            if len(starts) < airflow2.MAX_SEEN:
                starts.add(digest)
        yield raw


def _prove(one: Pass, reading: Reading, modified_at: datetime | None) -> None:
    passed = reading.passed
    if passed.has_times and not (
        plausible(passed.low_at, modified_at) and plausible(passed.high_at, modified_at)
    ):
        raise NotEnough


def _needs_output(one: Pass, reading: Reading) -> bool:
    """Whether a command failed, whose last words then name the error."""
    failure = reading.failure
    return one.kept.is_command_failed or (failure is not None and is_of_command(failure.message))


def _whole_output(one: Pass, lines: list[str]) -> list[str]:
    """The output that stands in the tail, if no more of it is asked for than that."""
    if len(lines) < KEEP_OUTPUT and len(one.tail) < one.seen_bytes:
        raise NotEnough
    return lines
