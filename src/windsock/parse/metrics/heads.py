"""Heads of Prometheus lines, `name{labels}`, understood once: which series each is, and which are not ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from windsock.matchers import Match
from windsock.parse.metrics.known import Known
from windsock.parse.metrics.names import COUNTER, GAUGE, TIMER, Name, exported_name

MAX_SERIES = 300_000
"""Series that are remembered; an object with more is read as far as they go, and says so."""

_MARKS = r"(?:scheduler_heartbeat|dagbag_size|pool_open_slots|executor_open_slots|ti_successes)"
_OTHER_PREFIX = re.compile(rb"^([a-zA-Z_]\w*?_)??" + _MARKS.encode(), re.MULTILINE)
_SUFFIXES = {"_sum": "sum", "_count": "count", "_bucket": "skip", "_created": "skip", "_total": "total"}
# one family per job that ever ran; no question asks for it
_UNBOUNDED = "local_task_job"


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A line's head, understood. `part` is `value`, or the `count` of a timer whose `sum` stands in `sum_head`."""

    raw_name: str
    name: Name
    kind: str
    part: str
    sum_head: str = ""


class Heads:
    """Heads that were understood, shared by the snapshots of one source. None: a head that is not ours."""

    def __init__(self, *, match: Match, known: Known) -> None:
        self.match, self.known = match, known
        self.table: dict[str, Series | None] = {}
        self.types: dict[str, str] = {}
        self.prefix = "airflow_"
        self.dropped = 0

    def learn(self, head: str, raw: str, labels: dict[str, str]) -> Series | None:
        """Understand a head seen for the first time."""
        series = self._series(raw, labels, head)
        self.table[head] = series
        return series

    def _series(self, raw: str, labels: dict[str, str], head: str) -> Series | None:
        if not raw.startswith(self.prefix):
            return None
        if not self.match.holds(labels | {"__name__": raw}):
            self.dropped += 1
            return None
        family, part = self._family(raw, labels)
        if part == "skip" or family.startswith(f"{self.prefix}{_UNBOUNDED}"):
            return None
        name = exported_name(family.removeprefix(self.prefix), labels, self.known)
        sum_head = head.replace(raw, f"{family}_sum", 1) if part == "count" else ""
        return Series(raw, name, self._kind(family, part, name), part, sum_head)

    def _family(self, raw: str, labels: dict[str, str]) -> tuple[str, str]:
        for suffix, part in _SUFFIXES.items():
            if raw.endswith(suffix):
                family = raw.removesuffix(suffix)
                told = self.types.get(family)
                if part == "total":
                    is_part = raw not in self.types or self.types[raw] == "counter"
                    return (family, "value") if is_part else (raw, "value")
                if told in ("summary", "histogram") or (told is None and self._is_timer(family)):
                    return family, part
                if suffix == "_created" and self._is_counter(family):
                    return family, "skip"
        return raw, "quantile" if "quantile" in labels else "value"

    def _is_counter(self, family: str) -> bool:
        """prometheus_client gives `_created` a family of its own, a gauge."""
        told = (self.types.get(family), self.types.get(f"{family}_total"))
        return "counter" in told

    def _is_timer(self, family: str) -> bool:
        """Without `# TYPE` lines (`query_range` has none) the registry tells."""
        return exported_name(family.removeprefix(self.prefix), {}, self.known).kind == TIMER

    def _kind(self, family: str, part: str, name: Name) -> str:
        told = self.types.get(family) or self.types.get(f"{family}_total")
        if part in ("sum", "count", "quantile"):
            return TIMER
        if told == "counter":
            return COUNTER
        if told == "gauge":
            return GAUGE
        return COUNTER if name.kind == COUNTER else GAUGE

    def find_prefix(self, data: bytes) -> None:
        """`[metrics] statsd_prefix` may be another one than airflow."""
        prefix = self.find_prefix_in(data)
        if prefix is not None and prefix != self.prefix:
            self.relearn(prefix)

    @staticmethod
    def find_prefix_in(data: bytes) -> str | None:
        """What stands before the names; None where no name tells it."""
        if data.startswith(b"airflow_") or b"\nairflow_" in data:
            return "airflow_"
        match = _OTHER_PREFIX.search(data)
        return (match[1] or b"").decode() if match else None

    def relearn(self, prefix: str | None = None) -> None:
        """Forget the heads: too many of them, or another prefix."""
        self.prefix = prefix or self.prefix
        self.table.clear()
        if len(self.types) > MAX_SERIES:
            self.types.clear()
