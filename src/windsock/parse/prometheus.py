"""Prometheus text snapshots, as a scrape of a StatsD exporter shows them: one object, one moment.

Read are gauges: Airflow's pools and every other gauge family. Counters and summaries of one snapshot are running
totals; they need the snapshot before and are not stored yet (docs/decisions.md 010).
Names: Airflow's Helm chart maps `pool.open_slots.<pool>` to `airflow_pool_open_slots{pool=…}` and leaves
`airflow_pool_running_slots_<pool>` as it is.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections import defaultdict
from datetime import UTC, datetime

from windsock.model import Outcome, Parsed, Reject, Row
from windsock.parse.pool_gauges import GAUGES, pool_rows

_SAMPLE = re.compile(
    r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})?[ \t]+(?P<value>\S+)(?:[ \t]+(?P<at>-?\d+(?:\.\d+)?))?[ \t]*$"
)
_LABEL = re.compile(r'(?P<name>[a-zA-Z_]\w*)="(?P<value>(?:[^"\\]|\\.)*)"')
_TYPE = re.compile(r"^# TYPE (?P<name>\S+) (?P<type>\w+)")
_PATH_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)/(\d\d)(\d\d)(\d\d)\.prom(?:\.gz)?\Z")
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
MAX_PLAIN_BYTES = 256 * 1024 * 1024


def read_prometheus(data: bytes, *, object_url: str, modified_at: datetime) -> Outcome:
    """Gauges of one snapshot. Rejects: `empty`, `bad_gzip`, `html`, `not_metrics`. A cut last line is noted as partial."""
    plain = unzip(data)
    if isinstance(plain, Reject):
        return plain
    text = plain.decode("utf-8", "replace")
    if not text.strip():
        return Reject("metrics", "empty", "the object holds no text")
    if text.lstrip()[:1] == "<":
        return Reject("metrics", "html", "HTML where metrics were expected")
    taken_at = _taken_at(object_url, modified_at)
    types: dict[str, str] = {}
    pools: dict[tuple[datetime, str], dict[str, float]] = defaultdict(dict)
    rows: list[Row] = []
    bad = 0
    for line in text.split("\n"):
        if not line.strip():
            continue
        if line.startswith("#"):
            if match := _TYPE.match(line):
                types[match["name"]] = match["type"]
            continue
        sample = _sample(line, taken_at)
        if sample is None:
            bad += 1
            continue
        name, labels, value, at = sample
        if types.get(name, "gauge") not in ("gauge", "untyped", "unknown") or not math.isfinite(value):
            continue
        if name.startswith("airflow_pool_"):
            _pool(pools, name, labels, value, at)
        rows.append(_row(name, labels, value, at))
    if not rows:
        return Reject("metrics", "not_metrics", "no gauge of any kind in it")
    partial = f"{bad} lines that are no samples" if bad else None
    return Parsed(
        "metrics", {"metric_samples": rows, "pool_samples": pool_rows(pools, "prometheus")}, partial
    )


def unzip(data: bytes) -> bytes | Reject:
    """Plain bytes of an object that may be gzipped; a cut stream gives what could be unpacked."""
    if data[:2] != b"\x1f\x8b":
        return data
    unpack = zlib.decompressobj(wbits=31)
    try:
        plain = unpack.decompress(data, MAX_PLAIN_BYTES)
    except (zlib.error, gzip.BadGzipFile) as error:
        return Reject("metrics", "bad_gzip", str(error))
    return Reject("metrics", "too_large", "unpacks to too much") if unpack.unconsumed_tail else plain


def _taken_at(url: str, modified_at: datetime) -> datetime:
    """The time in the key (`2026-11-23/152300.prom`), else the object's own."""
    if match := _PATH_TIME.search(url):
        try:
            return datetime(*(int(part) for part in match.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
        except ValueError:
            pass
    return modified_at


def _sample(line: str, taken_at: datetime) -> tuple[str, dict[str, str], float, datetime] | None:
    match = _SAMPLE.match(line)
    if not match:
        return None
    try:
        value = float(match["value"])
        at = datetime.fromtimestamp(float(match["at"]) / 1000, tz=UTC) if match["at"] else taken_at
    except (ValueError, OverflowError, OSError):
        return None
    labels = {one["name"]: _unescape(one["value"]) for one in _LABEL.finditer(match["labels"] or "")}
    return match["name"], labels, value, at


def _unescape(text: str) -> str:
    return re.sub(r'\\[\\"n]', lambda match: _ESCAPES[match[0]], text) if "\\" in text else text


def _pool(
    pools: dict[tuple[datetime, str], dict[str, float]],
    name: str,
    labels: dict[str, str],
    value: float,
    at: datetime,
) -> None:
    rest = name.removeprefix("airflow_pool_")
    for gauge in GAUGES:
        if rest == gauge:
            # the unlabelled twin mixes all pools: it is not a pool
            pool = labels.get("pool") or labels.get("pool_name")
        elif rest.startswith(f"{gauge}_"):
            pool = rest.removeprefix(f"{gauge}_")
        else:
            continue
        if pool:
            pools[at, pool][gauge] = value


def _row(name: str, labels: dict[str, str], value: float, at: datetime) -> Row:
    return {
        "sampled_at": at,
        "name": name.removeprefix("airflow_"),
        "labels": sorted(labels.items()),
        "kind": "gauge",
        "value": value,
        "sample_count": 1,
        "min_value": value,
        "max_value": value,
        "raw_name": name,
    }
