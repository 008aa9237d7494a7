"""One moment of all series beside what is remembered of the one before → metric samples, pools, parse times.

An exporter repeats the last value of every gauge for ever, whoever sent it. So pool gauges count only while the
scheduler's heartbeat advances; what was seen of them stays in `metric_samples` either way.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

from windsock.model import Reject, Row
from windsock.parse.metrics.heads import Series
from windsock.parse.metrics.minutes import Cell, Minutes
from windsock.parse.metrics.names import COUNTER, GAUGE, MIXED, TAGGED, TIMER, is_kept
from windsock.parse.metrics.parse_times import parse_row, split_file
from windsock.parse.metrics.pools import gauge_of, pools_at, without_pool
from windsock.parse.metrics.prometheus_text import Moment
from windsock.parse.metrics.stream import SnapshotStream
from windsock.parse.metrics.units import (
    PARSE_TIME,
    are_parse_milliseconds,
    exported_late_factor,
    exported_parse_factor,
)

LIVE = timedelta(seconds=60)
"""A heartbeat that does not advance for so long is silent; Airflow's own limit is 30 s (scheduler_health_check_threshold)."""
HEARTBEAT = "scheduler_heartbeat"
HEARTBEATS = (HEARTBEAT, "triggerer_heartbeat", "dag_processor_heartbeat")
SEEN_SERIES = "dag_processing.last_run.seconds_ago"


class Reading:
    """One moment beside what the stream remembers."""

    def __init__(self, moment: Moment, stream: SnapshotStream) -> None:
        self.moment, self.stream = moment, stream
        table = stream.heads.table
        self.series: list[tuple[str, Series, float]] = [
            (head, series, value) for head, value in moment.values.items() if (series := table.get(head))
        ]
        best: dict[str, int] = {}
        for _head, series, _value in self.series:
            name = series.name
            if name.form > best.get(name.name, -1):
                best[name.name] = name.form
        self.kept = [one for one in self.series if is_kept(one[1].name, best[one[1].name.name])]

    def metrics(self, minutes: Minutes) -> None:
        at = self.moment.at
        late = self._late_factors()
        for head, series, value in self.kept:
            name = series.name
            if series.kind == GAUGE:
                minutes.add(
                    name.name,
                    name.labels,
                    GAUGE,
                    series.raw_name,
                    Cell(1, value, value, value, value, at, at),
                )
            elif series.kind == COUNTER:
                self._counter(minutes, head, series, value)
            elif series.part == "count" and (told := self._mean(head, series, value)):
                factor = self._parse_factor if name.name == PARSE_TIME else late.get(name.name, 1.0)
                count, total, resets = told
                before = self.stream.at or at
                cell = Cell(count, total * factor, None, None, total * factor / count, before, at, resets)
                minutes.add(name.name, name.labels, TIMER, series.raw_name, cell)

    def _counter(self, minutes: Minutes, head: str, series: Series, value: float) -> None:
        """Increases of nothing are kept for heartbeats only, where they say that somebody looked."""
        told = self.stream.increase(head, value)
        if told is None or self.stream.at is None or self.moment.at <= self.stream.at:
            return
        grown, resets = told
        if grown or series.name.name in HEARTBEATS:
            cell = Cell(1, grown, grown, grown, grown, self.stream.at, self.moment.at, resets)
            minutes.add(series.name.name, series.name.labels, COUNTER, series.raw_name, cell)

    def _mean(self, head: str, series: Series, value: float) -> tuple[int, float, int] | None:
        """How many observations since the snapshot before, and their sum; None when there were none."""
        total = self.moment.values.get(series.sum_head)
        if total is None or (self.stream.at is not None and self.moment.at <= self.stream.at):
            return None
        count = self.stream.increase(head, value)
        if count is None or count[0] < 1:
            return None
        if count[1] or series.sum_head not in self.stream.totals:
            return int(count[0]), total, count[1]
        return int(count[0]), total - self.stream.totals[series.sum_head], 0

    @cached_property
    def _parse_factor(self) -> float:
        """From means since the exporter began: the unit must not hang on one interval's few parses."""
        means = [
            self.moment.values.get(series.sum_head, 0.0) / value
            for _head, series, value in self.series
            if series.part == "count" and series.name.name == PARSE_TIME and value > 0 and series.sum_head
        ]
        return exported_parse_factor(means)

    @cached_property
    def _gauge_factor(self) -> float:
        """OpenTelemetry's collector shows timers as gauges, in seconds or milliseconds as Airflow sent them."""
        told = [
            v for _head, series, v in self.series if series.name.name == PARSE_TIME and series.kind == GAUGE
        ]
        return 0.001 if are_parse_milliseconds(told) else 1.0

    def _late_factors(self) -> dict[str, float]:
        seen: dict[str, list[float]] = {}
        for _head, series, value in self.series:
            if series.part == "quantile" and value:
                seen.setdefault(series.name.name, []).append(value)
        return {name: exported_late_factor(name, values) for name, values in seen.items()}

    def is_live(self) -> bool:
        """Whether the scheduler was heard of within `LIVE`. Where no heartbeat is exported nobody can tell: yes."""
        beats = [(head, value) for head, series, value in self.series if series.name.name == HEARTBEAT]
        if not beats:
            return True
        stream, at = self.stream, self.moment.at
        if stream.live_at is None or any(
            (stream.increase(head, value) or (0, 0))[0] > 0 for head, value in beats
        ):
            stream.live_at = at
        return at - stream.live_at < LIVE

    def pools(self) -> list[Row] | Reject:
        gauges = [
            (gauge, dict(series.name.labels).get("pool_name", ""), without_pool(series.name.labels), value)
            for _head, series, value in self.kept
            if series.kind == GAUGE and (gauge := gauge_of(series.name.name))
        ]
        told = pools_at(self.moment.at, gauges, "prometheus")
        is_live = self.is_live()  # also where there is no pool: the stream must learn of the heartbeat
        return told if is_live or isinstance(told, Reject) else []

    def parses(self) -> list[Row]:
        stems = [
            dict(series.name.labels).get("file_name", "")
            for _head, series, _value in self.series
            if series.name.name == SEEN_SERIES and series.name.form != MIXED
        ]
        rows: list[Row] = []
        for head, series, value in self.kept:
            if series.name.name != PARSE_TIME:
                continue
            if series.kind == GAUGE:
                if value != self.stream.totals.get(head):  # a repeated value is no new parse
                    rows.append(self._parse(series, value * self._gauge_factor, stems))
            elif series.part == "count" and (told := self._mean(head, series, value)):
                count, total, _resets = told
                rows.append(self._parse(series, total / count * self._parse_factor, stems))
        return rows

    def _parse(self, series: Series, parse_s: float, stems: list[str]) -> Row:
        file_name, bundle = self.file_of(series, stems)
        return parse_row(self.moment.at, file_name=file_name, bundle_name=bundle, parse_s=parse_s)

    def file_of(self, series: Series, stems: list[str]) -> tuple[str, str | None]:
        """File and bundle of a series of parse times. `stems` are the files that other series name alone."""
        labels = dict(series.name.labels)
        bundle, file_name = labels.get("bundle_name"), labels.get("file_name", "")
        if bundle is None and series.name.form != TAGGED:
            bundle, file_name = split_file(file_name, stems, self.stream.heads.known)
        return file_name, bundle or None
