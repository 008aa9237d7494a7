"""StatsD captures: lines → series with their minutes. Plain, InfluxDB tags in the name, DogStatsD tags behind `|#`.

A capture is `<epoch> <metric line>`. A datagram of several lines carries one time, so a line without one takes the
last. Wire forms: github.com/statsd/statsd (metric types), docs.datadoghq.com (datagram format).
"""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from windsock.parse.metrics.minutes import Cell
from windsock.parse.metrics.names import COUNTER, GAUGE, TIMER
from windsock.parse.metrics.points import Points, Shelf
from windsock.parse.metrics.taken_at import EARLIEST, LATEST
from windsock.parse.metrics.units import are_milliseconds

KINDS = {"ms": TIMER, "h": TIMER, "d": TIMER, "c": COUNTER, "g": GAUGE}
MAX_SERIES = 300_000
HELD_CELLS = 100_000
"""Minutes of series in memory, about 40 MB; those before the newest minute are then laid down on disk."""
# one name per job that ever ran; no question asks for it
_UNBOUNDED = "local_task_job."
_KEPT_POINTS = ("last_duration", "pool.")


@dataclass(slots=True)
class Captured:
    """One series of a capture, as spelled. Points are kept where a question needs each, cells for all others."""

    raw_name: str
    tags: dict[str, str]
    kind: str
    rate: float
    is_relative_gauge: bool
    points: Points | None  # epoch, value
    number: int
    last: float = 0.0
    is_laid: bool = False  # some cells lie on disk
    is_finer: bool = False  # one of them has digits that milliseconds never have
    cells: dict[int, list[float]] = field(
        default_factory=dict
    )  # minute → count, total, least, most, last, from, until


class Capture:
    """All series of one object, fed block by block. In DogStatsD form no gauge moves by steps: `-3` is minus three."""

    def __init__(self, *, is_dog: bool, modified_at: datetime) -> None:
        self.is_dog = is_dog
        self._earliest, self._latest = (
            (modified_at - EARLIEST).timestamp(),
            (modified_at + LATEST).timestamp(),
        )
        self.series: dict[str, Captured | None] = {}
        self.bad = self.samples = self.beyond = 0
        self._last_at = ""
        self.shelf = Shelf()
        self._held, self._most = 0, HELD_CELLS
        self._laid: dict[int, list[tuple[int, int]]] = defaultdict(list)  # minute → places on the shelf

    def read(self, lines: Iterable[str]) -> None:
        """Per line: two cuts, one look-up, one addition. New series and odd lines take the long way."""
        series, earliest, latest = self.series, self._earliest, self._latest
        for line in lines:
            at, _, rest = line.partition(" ")
            body, _, tail = rest.partition("|")
            head, _, text = body.rpartition(":")
            try:
                one = series[f"{head}|{tail}"]
                if one is None:
                    continue
                value, when = float(text), float(at)
            except (KeyError, ValueError):
                self._slow(line)
                continue
            if one.is_relative_gauge and text[0] in "+-":
                value += one.last
            if value - value != 0 or not earliest <= when <= latest:
                self.bad += 1
                continue
            self.samples += 1
            one.last = value
            self._last_at = at
            minute = int(when) // 60
            cell = one.cells.get(minute)
            if cell is None:
                self._held += 1
                if self._held > self._most:
                    self._lay_down(minute)
                one.cells[minute] = [1, value, value, value, value, when, when]
            else:
                cell[0] += 1
                cell[1] += value
                if value < cell[2]:
                    cell[2] = value
                if value > cell[3]:
                    cell[3] = value
                cell[4] = value
                cell[6] = when
            if one.points is not None:
                one.points.append(when, value)

    def _slow(self, line: str) -> None:
        line = line.strip()
        if not line:
            return
        at, _, rest = line.partition(" ")
        if not _is_number(at):
            at, rest = self._last_at, line
        rest = rest.strip()
        body, bar, tail = rest.partition("|")
        head, colon, text = body.rpartition(":")
        key = f"{head}|{tail}"
        if not (at and bar and colon and head and _is_number(text)):
            self.bad += 1
            return
        if key not in self.series:
            if len(self.series) >= MAX_SERIES:
                self.beyond += 1
                return
            one = _captured(head, tail, len(self.series), self.shelf, is_dog=self.is_dog)
            if one is None:
                self.bad += 1
                return
            self.series[key] = one if _UNBOUNDED not in one.raw_name else None
        if _is_number(at) and self.series[key] is not None:
            self.read([f"{at} {head}:{text}|{tail}"])

    def end(self) -> None:
        """Nothing more comes. Either all cells lie on disk then, or none."""
        if self._laid:
            self._lay_down(None)

    @property
    def is_laid(self) -> bool:
        """Whether the cells are to be had by `minutes`, not by series."""
        return bool(self._laid)

    def minutes(self) -> Iterator[dict[int, list[float]]]:
        """Of each minute the cells by the number of their series, as often as wanted."""
        for minute in sorted(self._laid):
            cells: dict[int, list[float]] = {}
            for place in self._laid[minute]:
                for number, cell in pickle.loads(self.shelf.get(place)):
                    if known := cells.get(number):
                        cells[number] = _both(known, cell)
                    else:
                        cells[number] = cell
            yield cells

    def _lay_down(self, but: int | None) -> None:
        """All cells, but those of the minute that samples come from."""
        by_minute: dict[int, list[tuple[int, list[float]]]] = defaultdict(list)
        self._held = 1
        for one in self.series.values():
            if one is None or not one.cells:
                continue
            kept = one.cells.pop(but, None) if but is not None else None
            for minute, cell in one.cells.items():
                by_minute[minute].append((one.number, cell))
            if one.kind == TIMER and one.cells and not one.is_finer:
                one.is_finer = not are_milliseconds(
                    value for cell in one.cells.values() for value in cell[2:5]
                )
            one.is_laid |= bool(one.cells)
            one.cells.clear()
            if but is not None and kept is not None:
                one.cells[but] = kept
                self._held += 1
        for minute, cells in by_minute.items():
            self._laid[minute].append(self.shelf.put(pickle.dumps(cells, protocol=pickle.HIGHEST_PROTOCOL)))
        self._most = max(HELD_CELLS, 2 * self._held)  # a fleet may have more series than that in one minute


def _both(first: list[float], then: list[float]) -> list[float]:
    """One minute's cell out of two, in the order in which they came."""
    return [
        first[0] + then[0],
        first[1] + then[1],
        min(first[2], then[2]),
        max(first[3], then[3]),
        then[4],
        first[5],
        then[6],
    ]


def _is_number(text: str) -> bool:
    """Digits as StatsD writes them: Python would also take `1_0`, `nan` and blanks."""
    if not text or text[0] not in "0123456789+-." or "_" in text:
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def _captured(head: str, tail: str, number: int, shelf: Shelf, *, is_dog: bool) -> Captured | None:
    """A series from its name (with InfluxDB tags) and what stands behind the value; None for an unknown type."""
    letter, *extras = tail.split("|")
    kind = KINDS.get(letter.strip())
    name, _, influx = head.partition(",")
    if kind is None or not name or any(c.isspace() for c in name):
        return None
    tags = dict(pair.split("=", 1) for pair in influx.split(",") if "=" in pair)
    rate = 1.0
    for extra in extras:
        if extra[:1] == "@" and _is_number(extra[1:]):
            rate = float(extra[1:]) or 1.0
        elif extra[:1] == "#":
            tags |= {k: v for k, _, v in (pair.partition(":") for pair in extra[1:].split(",")) if k}
    return Captured(
        raw_name=name,
        tags=tags,
        kind=kind,
        rate=rate,
        is_relative_gauge=kind == GAUGE and not is_dog,
        points=Points(shelf) if any(one in name for one in _KEPT_POINTS) else None,
        number=number,
    )


def cell_of(one: Captured, cell: list[float], factor: float) -> Cell | None:
    """A cell in seconds and true counts. A counter's announcement with 0 is no event."""
    count, total, least, most, last, start, end = cell
    if one.kind == COUNTER and least == most == 0:
        return None
    scale = factor if one.kind == TIMER else 1 / one.rate if one.kind == COUNTER else 1.0
    return Cell(
        int(count), total * scale, least * scale, most * scale, last * scale, instant(start), instant(end)
    )


def instant(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, tz=UTC)
