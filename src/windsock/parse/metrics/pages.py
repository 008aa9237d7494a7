"""Snapshots in time order → outcomes. A page that repeats the one before with other numbers is read as numbers.

`snapshots.read_snapshot` is the exact path: the first page of every layout goes there, and every page that is unusual in
any way. Which path a page took is seen by its rows being told in columns, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import numpy as np

from windsock.model import Outcome, Parsed
from windsock.parse.metrics.heads import MAX_SERIES
from windsock.parse.metrics.layout import Layout, numbers_of
from windsock.parse.metrics.moments import LIVE
from windsock.parse.metrics.page_columns import PageColumns, SeriesTexts, slice_of
from windsock.parse.metrics.page_lines import Lines, lines_of
from windsock.parse.metrics.plan import Plan
from windsock.parse.metrics.snapshots import read_snapshot
from windsock.parse.metrics.stream import SnapshotStream

BATCH_PAGES, BATCH_CELLS = 256, 300_000
"""So many pages, or values of pages, are worked out at once: 10 to 20 MB with all that is made of them."""
PATIENCE = 50
"""Pages after which a page is looked at as the first of a layout again, where one was none."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """A snapshot's bytes and time. `begins`: the page before it was not read, and the stream remembers nothing."""

    data: bytes
    object_url: str
    taken_at: datetime
    begins: bool = False


def read_snapshots(pages: Iterable[tuple[T, Page]], stream: SnapshotStream) -> Iterator[tuple[T, Outcome]]:
    """The outcome of each page that `read_snapshot` gives, some pages behind the reading."""
    chain: _Chain[T] = _Chain(stream)
    for tag, page in pages:
        if page.begins:
            yield from chain.told()
            chain = _Chain(stream.restarted())
        lines = chain.lines_if_alike(page)
        if lines is not None and chain.take(tag, page, lines):
            if chain.is_full:
                yield from chain.told()
            continue
        yield from chain.told()
        outcome = read_snapshot(
            page.data, object_url=page.object_url, taken_at=page.taken_at, stream=chain.stream
        )
        chain.begin(page, outcome)
        yield tag, outcome
    yield from chain.told()


class _Chain(Generic[T]):
    """Pages of one layout, one after the other."""

    def __init__(self, stream: SnapshotStream) -> None:
        self.stream = stream
        self._layout: Layout | None = None
        self._plan: Plan | None = None
        self._first: Page | None = None
        self._refused = 0
        self._held: list[tuple[T, str, datetime]] = []  # what is asked of a page again: not its bytes
        self._values: Any = np.zeros((1, 0))

    def begin(self, page: Page, outcome: Outcome) -> None:
        """After a page that was read exactly: it may be the first of a layout."""
        self._layout = self._plan = None
        is_plain = isinstance(outcome, Parsed) and outcome.partial is None
        is_plain = is_plain and self.stream.at == page.taken_at and len(self.stream.heads.table) <= MAX_SERIES
        self._refused = max(0, self._refused - 1)
        self._first = page if is_plain and not self._refused else None

    def lines_if_alike(self, page: Page) -> Lines | None:
        """The lines of a page that may be read as numbers."""
        if (self._layout is None and self._first is None) or not (page.taken_at > self._last_at):
            return None
        return lines_of(page.data)

    @property
    def _last_at(self) -> datetime:
        return self._held[-1][2] if self._held else (self.stream.at or datetime.max.replace(tzinfo=UTC))

    def take(self, tag: T, page: Page, lines: Lines) -> bool:
        """Whether a page goes on with the layout; it is held until `told`."""
        layout = self._layout
        if layout is None:
            layout = self._learned(lines)
            if layout is None:
                return False
        found = layout.follow(lines)
        if found is None:
            return False
        layout.take(lines)
        places, values = found
        row = len(self._held) + 1
        self._values[row] = self._values[row - 1]
        self._values[row, places] = values
        self._held.append((tag, page.object_url, page.taken_at))
        return True

    def _learned(self, lines: Lines) -> Layout | None:
        """The layout of the last page that was read exactly, where this page seems to be of it."""
        first, self._first = self._first, None
        before = lines_of(first.data) if first else None
        if first is None or before is None:
            return None
        layout = Layout(before, self.stream.heads)
        if not layout.seems(lines):
            return None
        if not layout.learn(self.stream.totals):
            self._refused = PATIENCE
            return None
        values = dict(zip(layout.heads, layout.values.tolist(), strict=True))
        plan = Plan(first.taken_at, values, self.stream)
        if not plan.is_simple:
            self._refused = PATIENCE
            return None
        self._layout, self._plan, self._texts = layout, plan, SeriesTexts(plan)
        size = max(1, min(BATCH_PAGES, BATCH_CELLS // max(1, len(layout.values))))
        self._values = np.zeros((size + 1, len(layout.values)))
        self._values[0] = layout.values
        return layout

    @property
    def is_full(self) -> bool:
        return len(self._held) + 1 >= len(self._values)

    def told(self) -> Iterator[tuple[T, Outcome]]:
        """The outcomes of the pages that are held; the stream is left as the exact path would leave it."""
        held, plan, layout, stream = self._held, self._plan, self._layout, self.stream
        if not held or plan is None or layout is None or stream.at is None:
            return
        self._held = []
        times = [stream.at, *(at for _tag, _url, at in held)]
        microseconds = np.array([(at - EPOCH) // timedelta(microseconds=1) for at in times], np.int64)
        values = self._values[: len(held) + 1]
        columns = PageColumns(plan, self._texts, microseconds, values, [url for _tag, url, _at in held])
        tables = columns.tables(self._live(columns, times[1:]))
        last = values[-1].copy()
        self._values[0] = last
        stream.totals, stream.at = numbers_of(layout.heads, last), times[-1]
        for place, (tag, _url, _at) in enumerate(held):
            told = {name: slices for name, kept in tables.items() if (slices := slice_of(kept, place))}
            yield tag, Parsed("metrics", {}, columns=told)

    def _live(self, columns: PageColumns, times: list[datetime]) -> Any:
        """`moments.Reading.is_live` of each page."""
        assert self._plan is not None
        if not len(self._plan.beats):
            return np.ones(len(times), np.bool_)
        live = []
        for at, is_beat in zip(times, columns.beats().tolist(), strict=True):
            if is_beat or self.stream.live_at is None:
                self.stream.live_at = at
            live.append(at - self.stream.live_at < LIVE)
        return np.array(live, np.bool_)
