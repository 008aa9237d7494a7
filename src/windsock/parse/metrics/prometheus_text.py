"""Prometheus text and OpenMetrics → moments: what each series showed, and when.

Formats: prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics specification 1.0. A snapshot repeats
the lines of the one before with other values, so a line's head is understood once and looked up from then on.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from windsock.matchers import Match
from windsock.model import Reject
from windsock.parse.metrics.known import Known
from windsock.parse.metrics.names import COUNTER, GAUGE, TIMER, Name, exported_name
from windsock.parse.metrics.plain_bytes import TooLarge, line_blocks, unpack_reject

MAX_SERIES = 300_000
"""Series that are remembered; an object with more is read as far as they go, and says so."""

_SAMPLE = re.compile(
    r"(?P<head>(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>(?:[^\"{}]|\"(?:[^\"\\]|\\.)*\")*)\})?)[ \t]+"
    r"(?P<value>[^\s#]+)(?:[ \t]+(?P<at>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))?[ \t]*(?:# \{.*)?\Z"
)
_LABEL = re.compile(r'(?P<name>[a-zA-Z_]\w*)[ \t]*=[ \t]*"(?P<value>(?:[^"\\]|\\.)*)"')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
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


@dataclass(slots=True)
class Moment:
    """What all series showed at one time, by head."""

    at: datetime
    values: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Scan:
    """One object's moments in time order, and how many of its lines are no samples."""

    moments: list[Moment]
    bad: int
    is_cut: bool
    samples: int
    beyond: int = 0


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
        if data.startswith(b"airflow_") or b"\nairflow_" in data:
            prefix = "airflow_"
        elif match := _OTHER_PREFIX.search(data):
            prefix = (match[1] or b"").decode()
        else:
            return
        if prefix != self.prefix:
            self.relearn(prefix)

    def relearn(self, prefix: str | None = None) -> None:
        """Forget the heads: too many of them, or another prefix."""
        self.prefix = prefix or self.prefix
        self.table.clear()
        if len(self.types) > MAX_SERIES:
            self.types.clear()


def scan_text(data: bytes, heads: Heads, *, taken_at: datetime) -> Scan | Reject:
    """Read one object. Rejects: `empty`, `bad_gzip`, `too_large`, `html`, `not_metrics`."""
    if len(heads.table) > MAX_SERIES:
        heads.relearn()
    scanner = _Scanner(heads, taken_at)
    text_seen = False
    lines: list[str] = []
    try:
        for lines in line_blocks(data):
            if not text_seen and (text_seen := any(map(str.strip, lines))):
                start = "".join(lines[:20]).lstrip()
                if start[:1] in "<{[":
                    reason = "html" if start[0] == "<" else "not_metrics"
                    return Reject("metrics", reason, f"{reason} where metrics were expected: {start[:60]!r}")
                heads.find_prefix(data if data[:1] != b"\x1f" else "\n".join(lines).encode())
            scanner.read(lines)
    except (zlib.error, TooLarge) as error:
        return unpack_reject(error)
    if not text_seen:
        return Reject("metrics", "empty", "the object holds no text")
    if not scanner.samples:
        return Reject("metrics", "not_metrics", "no line of the form `name{labels} value`")
    return scanner.scan(last_line=lines[-1] if lines else "")


class _Scanner:
    """Lines of one object into moments."""

    def __init__(self, heads: Heads, taken_at: datetime) -> None:
        self.heads, self.taken_at = heads, taken_at
        self.untimed: dict[str, float] = {}
        self.timed: dict[datetime, dict[str, float]] = {}
        self.bad = self.samples = self.beyond = 0

    def read(self, lines: list[str]) -> None:
        table, values = self.heads.table, self.untimed
        for line in lines:
            if line[:1] == "#":
                if line.startswith("# TYPE "):
                    _, _, name, *told = line.split(" ", 3)
                    self.heads.types[name] = told[0].strip() if told else ""
                continue
            head, _, text = line.rpartition(" ")
            if head in table:
                try:
                    value = float(text)
                except ValueError:
                    self.bad += 1
                    continue
                self.samples += 1
                if table[head] is not None and value - value == 0:  # neither NaN nor infinite
                    values[head] = value
            elif line.strip():
                self._slow(line.rstrip("\r"))

    def _slow(self, line: str) -> None:
        """A head seen for the first time, a line with its own time, or no sample at all."""
        match = _SAMPLE.match(line)
        if not match:
            self.bad += 1
            return
        try:
            value = float(match["value"])
            at = _line_time(match["at"]) if match["at"] else None
        except (ValueError, OverflowError, OSError):
            self.bad += 1
            return
        self.samples += 1
        head = match["head"]
        if head not in self.heads.table and len(self.heads.table) >= MAX_SERIES + 50_000:
            self.beyond += 1
            return
        series = self.heads.table[head] if head in self.heads.table else self._learn(head, match)
        if series is not None and value - value == 0:
            (self.untimed if at is None else self.timed.setdefault(at, {}))[head] = value

    def _learn(self, head: str, match: re.Match[str]) -> Series | None:
        labels = {one["name"]: _unescape(one["value"]) for one in _LABEL.finditer(match["labels"] or "")}
        return self.heads.learn(head, match["name"], labels)

    def scan(self, *, last_line: str) -> Scan:
        """A cut leaves no newline at the end. Of a number only the head may be left, and a total that is
        cut would look like a restart: it is not taken. A gauge is, because many writers forget the newline."""
        is_cut = bool(last_line.strip()) and not last_line.startswith("#")
        if is_cut:
            head = last_line.rpartition(" ")[0]
            series = self.heads.table.get(head)
            if series is not None and series.kind != GAUGE:
                self.untimed.pop(head, None)
        moments = [Moment(at, values) for at, values in self.timed.items()]
        if self.untimed:
            moments.append(Moment(self.taken_at, self.untimed))
        return Scan(sorted(moments, key=lambda one: one.at), self.bad, is_cut, self.samples, self.beyond)


def _line_time(text: str) -> datetime:
    """Prometheus text counts milliseconds, OpenMetrics seconds."""
    number = float(text)
    seconds = number / 1000 if "." not in text and abs(number) > 1e11 else number
    return datetime.fromtimestamp(seconds, tz=UTC)


def _unescape(text: str) -> str:
    return re.sub(r'\\[\\"n]', lambda match: _ESCAPES[match[0]], text) if "\\" in text else text
