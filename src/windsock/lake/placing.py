"""Which partition a row belongs to: the week of its anchor, and the day where a table has one file per day."""

from __future__ import annotations

from bisect import bisect_right
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
        self._known: dict[str, _Days] = {}

    def parts(self, name: str, rows: Slice) -> Iterator[tuple[Partition, Slice]]:
        """The pieces of a slice, each of one day. Every row has its anchor."""
        days = self._known.get(name)
        if days is None or days.table is not rows.table:
            days = self._known[name] = _Days(name, rows.table)
        at, run = rows.start, bisect_right(days.ends, rows.start)
        while at < rows.stop:
            stop = min(rows.stop, days.ends[run])
            yield days.partitions[run], rows if stop - at == len(rows) else Slice(rows.table, at, stop)
            at, run = stop, run + 1


class _Days:
    """Where each run of rows of one day ends, and the day's partition."""

    def __init__(self, name: str, table: pa.Table) -> None:
        anchors = table[TABLES[name].anchor].cast(pa.int64()).to_numpy()
        days = anchors // _DAY_US
        firsts = np.flatnonzero(np.concatenate(([True], days[1:] != days[:-1])))
        self.table = table
        self.ends: list[int] = np.append(firsts[1:], len(days)).tolist()
        self.partitions = [
            _partition(name, date(1970, 1, 1) + timedelta(days=day)) for day in days[firsts].tolist()
        ]


@lru_cache(maxsize=4096)  # asked for each row, and the days of a pull are few: a quarter of what a row costs
def _partition(name: str, day: date) -> Partition:
    return Partition(name, str(Week.of(day).monday), day.isoweekday() if TABLES[name].is_daily else 0)
