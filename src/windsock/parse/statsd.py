"""StatsD captures: `<epoch> <metric line>`, plain, or with InfluxDB or DogStatsD tags. Rows per series and minute.

Traps (facts of real runs): tagged metrics are sent twice, with ids in the name and bare; the bare form without tags
mixes all pools and files. `|ms` holds seconds for some names of 2.x, for the parse time of 3.x, and for everything
in DogStatsD form. `ti.finish` starts with `0` for every state.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean

from windsock.model import Outcome, Parsed, Reject, Row
from windsock.parse.pool_gauges import GAUGES, pool_rows
from windsock.parse.prometheus import unzip

_LINE = re.compile(
    r"^(?P<at>\d{9,11}(?:\.\d+)?)\s+(?P<name>[^:|,\s]+)(?P<influx>(?:,[^:|]*)?):(?P<value>[-+]?[\d.eE+-]+)\|(?P<type>ms|c|g|h|d|s)"
    r"(?:\|@(?P<rate>[\d.]+))?(?:\|#(?P<dog>.*))?$",
    re.MULTILINE,
)
_KIND = {"ms": "timer", "h": "timer", "d": "timer", "c": "counter", "g": "gauge", "s": "gauge"}
_POOL = re.compile(
    r"pool\.(?P<gauge>open_slots|running_slots|queued_slots|deferred_slots|scheduled_slots)(?:\.(?P<pool>.+))?$"
)
_PARSE = "dag_processing.last_duration"
# |ms, but seconds, unless timer_unit_consistency is on (2.x); measured on 2.11.2
_SECONDS_IN_2 = re.compile(r"(?:task|dag\..+)\.(?:queued|scheduled)_duration$")
_ONLY_IN_3 = ("dag_processor_heartbeat", "executor_heartbeat_duration")


@dataclass(frozen=True, slots=True)
class _Point:
    at: datetime
    raw: str
    name: str
    tags: tuple[tuple[str, str], ...]
    kind: str
    value: float
    rate: float
    is_relative: bool
    is_dog: bool


def read_statsd(data: bytes, *, object_url: str, modified_at: datetime) -> Outcome:
    """One capture. Rejects: `empty`, `bad_gzip`, `not_statsd`. Lines that are no samples are counted as partial."""
    plain = unzip(data)
    if isinstance(plain, Reject):
        return plain
    text = plain.decode("utf-8", "replace")
    if not text.strip():
        return Reject("metrics", "empty", "the object holds no text")
    points = [point for match in _LINE.finditer(text) if (point := _point(match))]
    if not points:
        return Reject("metrics", "not_statsd", "no line of the form `<epoch> name:value|type`")
    lines = sum(1 for line in text.split("\n") if line.strip())
    is_three = any(one in text for one in _ONLY_IN_3)
    is_tagged = any(point.tags for point in points)
    rows = {
        "metric_samples": _minutes(points, is_three),
        "pool_samples": _pools(points, is_tagged),
        "parse_samples": _parses(points, is_tagged),
    }
    partial = f"{lines - len(points)} lines that are no samples" if lines > len(points) else None
    return Parsed("metrics", rows, partial)


def _point(match: re.Match[str]) -> _Point | None:
    try:
        at = datetime.fromtimestamp(float(match["at"]), tz=UTC)
        value = float(match["value"])
        rate = float(match["rate"] or 1) or 1.0
    except (ValueError, OverflowError, OSError):
        return None
    if not math.isfinite(value):
        return None
    pairs = [
        one.partition(sep)
        for sep, text in ((":", match["dog"]), ("=", match["influx"]))
        for one in (text or "").split(",")
    ]
    tags = tuple(sorted((key, inner) for key, _, inner in pairs if key))
    name = match["name"].removeprefix("airflow.")
    is_relative = match["type"] == "g" and match["value"][0] in "+-"
    return _Point(
        at,
        match["name"],
        name,
        tags,
        _KIND[match["type"]],
        value,
        rate,
        is_relative,
        match["dog"] is not None,
    )


def _seconds(point: _Point, is_three: bool) -> float:
    """A timer's value in seconds, whatever its type letter claims."""
    if point.is_dog:
        return point.value
    if point.name.startswith(f"{_PARSE}.") and point.name.count(".") == 3:
        return point.value
    if point.name == _PARSE and any(key == "bundle_name" for key, _ in point.tags):
        return point.value
    if not is_three and _SECONDS_IN_2.search(point.name):
        return point.value
    return point.value / 1000


def _minutes(points: list[_Point], is_three: bool) -> list[Row]:
    """One row per series and minute: gauge last, counter sum, timer mean."""
    series: dict[tuple[datetime, str, tuple[tuple[str, str], ...], str], list[float]] = defaultdict(list)
    raw: dict[tuple[str, str], str] = {}
    for point in points:
        if point.kind == "counter" and point.value == 0:
            continue
        value = _seconds(point, is_three) if point.kind == "timer" else point.value
        if point.kind == "counter":
            value /= point.rate
        key = (point.at.replace(second=0, microsecond=0), point.name, point.tags, point.kind)
        if point.is_relative and series[key]:
            value += series[key][-1]
        series[key].append(value)
        raw[point.name, point.kind] = point.raw
    rows: list[Row] = []
    for (at, name, tags, kind), values in sorted(series.items()):
        value = values[-1] if kind == "gauge" else sum(values) if kind == "counter" else fmean(values)
        rows.append(
            {
                "sampled_at": at,
                "name": name,
                "labels": list(tags),
                "kind": kind,
                "value": value,
                "sample_count": len(values),
                "min_value": min(values),
                "max_value": max(values),
                "raw_name": raw[name, kind],
            }
        )
    return rows


def _pools(points: list[_Point], is_tagged: bool) -> list[Row]:
    """Gauges of one pool sent within one emission belong together: a new `open_slots` begins a new moment."""
    current: dict[str, datetime] = {}
    moments: dict[tuple[datetime, str], dict[str, float]] = defaultdict(dict)
    for point in points:
        match = _POOL.match(point.name)
        if not match or point.kind != "gauge" or point.is_relative:
            continue
        tags = dict(point.tags)
        pool = tags.get("pool_name") or tags.get("pool") if is_tagged else match["pool"]
        if not pool or (is_tagged and match["pool"]):
            continue
        if match["gauge"] == GAUGES[0] or pool not in current:
            current[pool] = point.at
        moments[current[pool], pool][match["gauge"]] = point.value
    return pool_rows(moments, "statsd")


def _parses(points: list[_Point], is_tagged: bool) -> list[Row]:
    """`last_duration`: 2.x names the file's stem, 3.x bundle and stem; the tagged form names both as tags."""
    rows: list[Row] = []
    for point in points:
        if point.kind != "timer" or not point.name.startswith(_PARSE):
            continue
        tags = dict(point.tags)
        if is_tagged:
            if point.name != _PARSE or "file_name" not in tags:
                continue
            bundle, stem = tags.get("bundle_name"), tags["file_name"]
        else:
            rest = point.name.removeprefix(_PARSE).lstrip(".")
            if not rest:
                continue
            bundle, _, stem = rest.rpartition(".")
        rows.append(
            {
                "parsed_at": point.at,
                "dag_file": stem,
                "bundle_name": bundle or None,
                "parse_s": _seconds(point, is_three=True),
                "source": "metric",
            }
        )
    return rows
