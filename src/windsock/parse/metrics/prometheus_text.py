"""Prometheus text and OpenMetrics → moments: what each series showed, and when.

Formats: prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics specification 1.0. A snapshot repeats
the lines of the one before with other values, so a line's head is understood once and looked up from then on.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from windsock.model import Reject
from windsock.parse.metrics.heads import MAX_SERIES, Heads, Series
from windsock.parse.metrics.names import GAUGE
from windsock.parse.metrics.plain_bytes import TooLarge, line_blocks, unpack_reject
from windsock.parse.metrics.taken_at import EARLIEST, LATEST

_SAMPLE = re.compile(
    r"(?P<head>(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>(?:[^\"{}]|\"(?:[^\"\\]|\\.)*\")*)\})?)[ \t]+"
    r"(?P<value>[^\s#]+)(?:[ \t]+(?P<at>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))?[ \t]*(?:# \{.*)?\Z"
)
_LABEL = re.compile(r'(?P<name>[a-zA-Z_]\w*)[ \t]*=[ \t]*"(?P<value>(?:[^"\\]|\\.)*)"')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


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


def scan_text(data: bytes, heads: Heads, *, taken_at: datetime) -> Scan | Reject:
    """Read one object. Rejects: `empty`, `bad_gzip`, `too_large`, `html`, `not_metrics`."""
    if len(heads.table) > MAX_SERIES:
        heads.relearn()
    scanner = _Scanner(heads, taken_at)
    text_seen = False
    lines: list[str] = []
    try:
        for lines in line_blocks((data,)):
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
        if at is not None and not self.taken_at - EARLIEST <= at <= self.taken_at + LATEST:
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
