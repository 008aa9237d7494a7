"""What the series of one layout are worth, worked out once: which count, in which rows, and where their values stand.

`moments.Reading` is the exact path and the only one that knows what a series means; this is its answer for a page, kept
for the pages that follow it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from windsock.model import Reject
from windsock.parse.metrics.heads import Series
from windsock.parse.metrics.minutes import Labels
from windsock.parse.metrics.moments import HEARTBEAT, HEARTBEATS, SEEN_SERIES, Reading
from windsock.parse.metrics.names import COUNTER, GAUGE, MIXED, TIMER
from windsock.parse.metrics.pools import by_pool, gauge_of, without_pool
from windsock.parse.metrics.prometheus_text import Moment
from windsock.parse.metrics.stream import SnapshotStream
from windsock.parse.metrics.units import LATE, PARSE_TIME


@dataclass(frozen=True, slots=True)
class Parses:
    """Series that tell parse times: their slots (a timer's are its count and its sum), files and bundles."""

    slots: Any
    sums: Any
    files: list[tuple[str, str | None]]


class Plan:
    """Slots are places in the values of a layout."""

    def __init__(self, at: datetime, values: dict[str, float], stream: SnapshotStream) -> None:
        reading = Reading(Moment(at, values), stream)
        self._slot = {head: place for place, head in enumerate(values)}
        kept = [(self._slot[head], series) for head, series, _value in reading.kept]
        every = [(self._slot[head], series) for head, series, _value in reading.series]
        self._every = every
        gauges = [one for one in kept if one[1].kind == GAUGE]
        counters = [one for one in kept if one[1].kind == COUNTER]
        timers = [one for one in kept if one[1].kind == TIMER and self._is_mean(one[1])]
        self.rows = [*gauges, *counters, *timers]
        """Series of `metric_samples`: gauges, counters, timers."""
        self.gauges, self.counters, self.timers = map(_slots, (gauges, counters, timers))
        self.sums = np.array([self._slot[series.sum_head] for _slot, series in timers], np.int64)
        self.beats = _slots([one for one in every if one[1].name.name == HEARTBEAT])
        self.are_heartbeats = np.array(
            [series.name.name in HEARTBEATS for _slot, series in counters], np.bool_
        )
        self.late = {
            name: _slots([s for s in every if s[1].part == "quantile" and s[1].name.name == name])
            for name in LATE
        }
        of_timers = np.array([series.name.name for _slot, series in timers], object)
        self.are_parses = of_timers == PARSE_TIME
        self.are_late = {name: of_timers == name for name in LATE}
        means = [s for s in every if s[1].name.name == PARSE_TIME and s[1].part == "count" and s[1].sum_head]
        self.means = _slots(means)
        self.mean_sums = np.array([self._slot.get(series.sum_head, -1) for _slot, series in means], np.int64)
        self.parse_gauges = _slots([s for s in every if s[1].name.name == PARSE_TIME and s[1].kind == GAUGE])
        stems = [
            dict(series.name.labels).get("file_name", "")
            for _slot, series in every
            if series.name.name == SEEN_SERIES and series.name.form != MIXED
        ]
        self.gauged = self._parses([s for s in gauges if s[1].name.name == PARSE_TIME], reading, stems)
        self.timed = self._parses([s for s in timers if s[1].name.name == PARSE_TIME], reading, stems)
        self.pools = by_pool(
            (gauge, dict(series.name.labels).get("pool_name", ""), without_pool(series.name.labels), slot)
            for slot, series in gauges
            if (gauge := gauge_of(series.name.name))
        )

    def _best(self, *, with_quantiles: bool) -> dict[str, int]:
        """The best form of each name that gives rows."""
        rows = {series.name.name for _slot, series in self._every if series.part != "quantile"}
        best = dict.fromkeys(rows, -1)
        for _slot, series in self._every:
            name = series.name
            if name.name in rows and (with_quantiles or series.part != "quantile"):
                best[name.name] = max(best[name.name], name.form)
        return best

    def _is_mean(self, series: Series) -> bool:
        return series.part == "count" and series.sum_head in self._slot

    def _parses(self, told: list[tuple[int, Series]], reading: Reading, stems: list[str]) -> Parses:
        sums = [self._slot[series.sum_head] if series.sum_head else -1 for _slot, series in told]
        return Parses(
            _slots(told), np.array(sums, np.int64), [reading.file_of(series, stems) for _slot, series in told]
        )

    @property
    def is_simple(self) -> bool:
        """Whether each series has rows of its own, no two deployments are mixed, and what is kept does not hang on
        quantiles, which come and go."""
        if self._best(with_quantiles=True) != self._best(with_quantiles=False):
            return False
        keys = {(series.name.name, series.name.labels, series.kind) for _slot, series in self.rows}
        return len(keys) == len(self.rows) and not isinstance(self.pools, Reject)


def _slots(told: list[tuple[int, Series]]) -> Any:
    return np.array([slot for slot, _series in told], np.int64)


def labels_text(labels: Labels) -> str:
    """Labels as the lake sorts them (`windsock.lake.nested`)."""
    return json.dumps(dict(labels), ensure_ascii=False, separators=(",", ":"))
