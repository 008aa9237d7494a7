"""Which partition a row belongs to: the week of its anchor, and the day where a table has one file per day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
import pyarrow as pa

from windsock.lake.files import Partition
from windsock.model import Row, Slice
from windsock.schema import TABLES
from windsock.week import Week

_DAY_US = 86_400_000_000


def place(name: str, row: Row, *, otherwise: datetime) -> Partition:
    """A row's partition; without an anchor it is placed by `otherwise`."""
    anchor: datetime = row.get(TABLES[name].anchor) or otherwise
    return _partition(name, (anchor if anchor.tzinfo is UTC else anchor.astimezone(UTC)).date())


class Placing:
    """Places rows told in columns. The days of a table are worked out once, for all the objects that share it."""

    def __init__(self) -> None:
        self._table: pa.Table | None = None
        self._ends = np.zeros(0, np.int64)  # where each run of rows of one day ends
        self._days: list[int] = []

    def parts(self, name: str, rows: Slice) -> Iterator[tuple[Partition, Slice]]:
        """The pieces of a slice, each of one day. Every row has its anchor."""
        if rows.table is not self._table:
            self._learn(name, rows.table)
        at, run = rows.start, int(np.searchsorted(self._ends, rows.start, side="right"))
        while at < rows.stop:
            stop = min(rows.stop, int(self._ends[run]))
            yield (
                _partition(name, date(1970, 1, 1) + timedelta(days=self._days[run])),
                Slice(rows.table, at, stop),
            )
            at, run = stop, run + 1

    def _learn(self, name: str, table: pa.Table) -> None:
        anchors = table[TABLES[name].anchor].cast(pa.int64()).to_numpy()
        days = anchors // _DAY_US
        firsts = np.flatnonzero(np.concatenate(([True], days[1:] != days[:-1])))
        self._table, self._days = table, days[firsts].tolist()
        self._ends = np.append(firsts[1:], len(days))


@lru_cache(maxsize=4096)  # asked for each row, and the days of a pull are few: a quarter of what a row costs
def _partition(name: str, day: date) -> Partition:
    return Partition(name, str(Week.of(day).monday), day.isoweekday() if TABLES[name].is_daily else 0)
