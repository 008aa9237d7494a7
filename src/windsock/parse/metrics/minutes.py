"""Samples of one series over one minute → rows of `metric_samples`: gauge last, counter increase, timer mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from windsock.model import Row
from windsock.parse.metrics.names import COUNTER, GAUGE

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Cell:
    """One series in one minute. `from_at` and `until_at` bound the time that its samples tell about."""

    count: int
    total: float
    least: float | None
    most: float | None
    last: float
    from_at: datetime
    until_at: datetime
    resets: int = 0

    def add(self, other: Cell) -> None:
        self.last = other.last if other.until_at >= self.until_at else self.last
        self.count += other.count
        self.total += other.total
        self.least = min((x for x in (self.least, other.least) if x is not None), default=None)
        self.most = max((x for x in (self.most, other.most) if x is not None), default=None)
        self.from_at, self.until_at = min(self.from_at, other.from_at), max(self.until_at, other.until_at)
        self.resets += other.resets


class Minutes:
    """Cells by series and minute, for one object."""

    def __init__(self) -> None:
        self._cells: dict[tuple[datetime, str, Labels, str], Cell] = {}
        self._raw: dict[tuple[datetime, str, Labels, str], str] = {}

    def add(self, name: str, labels: Labels, kind: str, raw_name: str, cell: Cell) -> None:
        key = (cell.until_at.replace(second=0, microsecond=0), name, labels, kind)
        known = self._cells.get(key)
        if known is None:
            self._cells[key], self._raw[key] = cell, raw_name
        else:
            known.add(cell)

    def rows(self) -> list[Row]:
        return [_row(key, cell, self._raw[key]) for key, cell in self._cells.items()]


def _row(key: tuple[datetime, str, Labels, str], cell: Cell, raw_name: str) -> Row:
    at, name, labels, kind = key
    if kind == GAUGE:
        value = cell.last
    elif kind == COUNTER:
        value = cell.total
    else:
        value = cell.total / cell.count if cell.count else cell.last
    return {
        "sampled_at": at,
        "name": name,
        "labels": labels,
        "kind": kind,
        "value": value,
        "sample_count": cell.count,
        "min_value": cell.least,
        "max_value": cell.most,
        "raw_name": raw_name,
        "from_at": cell.from_at,
        "until_at": cell.until_at,
        "reset_count": cell.resets,
    }
