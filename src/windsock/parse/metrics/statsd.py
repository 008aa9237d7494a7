"""One StatsD capture → rows per series and minute, pool samples and parse samples.

Names are resolved at the end, over all series at once: only then it is known which twins are there, which prefix
Airflow was given, and what the digits say about units.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

from windsock.matchers import Match
from windsock.model import Outcome, Parsed, Reject, Row
from windsock.parse.metrics.known import Known
from windsock.parse.metrics.minutes import Minutes
from windsock.parse.metrics.names import GAUGE, TIMER, Name, dotted_name, is_kept
from windsock.parse.metrics.parse_times import parse_row
from windsock.parse.metrics.plain_bytes import TooLarge, line_blocks, unpack_reject
from windsock.parse.metrics.pools import OPEN, Labels, gauge_of, pools_at, several, without_pool
from windsock.parse.metrics.statsd_lines import Capture, Captured, cells_of, instant
from windsock.parse.metrics.units import (
    PARSE_TIME,
    are_milliseconds,
    captured_parse_factor,
    statsd_factor,
    votes,
)

_PREFIX = re.compile(
    r"(.*?\.)??(?:scheduler_heartbeat|dagbag_size|pool\.open_slots|executor\.open_slots|ti_successes)"
)
Resolved = tuple[Captured, Name]


def read_statsd(
    data: bytes,
    *,
    object_url: str,
    modified_at: datetime,
    match: Match | None = None,
    known: Known | None = None,
) -> Outcome:
    """One capture. Rejects: `empty`, `bad_gzip`, `not_statsd`, `no_match`, `several_deployments`."""
    capture: Capture | None = None
    try:
        for lines in line_blocks(data):
            if capture is None and any(map(str.strip, lines)):
                capture = Capture(is_dog=any("|#" in line for line in lines), modified_at=modified_at)
            if capture is not None:
                capture.read(lines)
    except (zlib.error, TooLarge) as error:
        return unpack_reject(error)
    if capture is None:
        return Reject("metrics", "empty", "the object holds no text")
    if not capture.samples:
        return Reject("metrics", "not_statsd", "no line of the form `<epoch> name:value|type`")
    read = [one for one in capture.series.values() if one is not None]
    ours = _ours(read, match or Match())
    if not ours:
        return Reject("metrics", "no_match", f"no series fits {{{(match or Match()).text()}}}")
    kept = _resolve(ours, known or Known())
    pools = _pools(kept)
    if isinstance(pools, Reject):
        return pools
    factors = _factors(kept, is_dog=capture.is_dog)
    rows = {
        "metric_samples": _minutes(kept, factors),
        "pool_samples": pools,
        "parse_samples": _parses(kept, factors),
    }
    notes = [f"{capture.bad} lines that are no samples"] if capture.bad else []
    if capture.beyond:
        notes.append(f"{capture.beyond} lines of series beyond the limit")
    return Parsed("metrics", rows, ", ".join(notes) or None)


def _ours(read: list[Captured], match: Match) -> list[Captured]:
    """A plain capture has no tag to match: it is one emitter's, and all of it counts."""
    if not match or not any(one.tags for one in read):
        return read
    return [one for one in read if match.holds(one.tags)]


def _resolve(read: list[Captured], known: Known) -> list[Resolved]:
    """Names and ids, without the twins that say the same again."""
    prefix = "airflow."
    if not any(one.raw_name.startswith(prefix) for one in read):
        found = next((hit for one in read if (hit := _PREFIX.match(one.raw_name))), None)
        prefix = (found[1] or "") if found else ""
    named = [(one, dotted_name(one.raw_name.removeprefix(prefix), one.tags, known)) for one in read]
    best: dict[str, int] = defaultdict(int)
    for _one, name in named:
        best[name.name] = max(best[name.name], name.form)
    return [(one, name) for one, name in named if is_kept(name, best[name.name])]


def _factors(kept: list[Resolved], *, is_dog: bool) -> dict[int, float]:
    """Seconds per unit, by the series' identity."""
    digits_say_ms = are_milliseconds(
        value
        for one, name in kept
        if one.kind == TIMER and votes(name.name, is_dog=is_dog)
        for cell in one.cells.values()
        for value in cell[2:5]
    )
    factors = {
        id(one): statsd_factor(
            name.name,
            is_dog=is_dog,
            has_bundle=any(key == "bundle_name" for key, _value in name.labels),
            digits_say_ms=digits_say_ms,
        )
        for one, name in kept
        if one.kind == TIMER
    }
    parsing = [one for one, name in kept if one.kind == TIMER and name.name == PARSE_TIME]
    values = [value for one in parsing if factors[id(one)] == 1.0 for _at, value in one.points]
    for one in parsing:
        factors[id(one)] = captured_parse_factor(factors[id(one)], values)
    return factors


def _minutes(kept: list[Resolved], factors: dict[int, float]) -> list[Row]:
    minutes = Minutes()
    for one, name in kept:
        for cell in cells_of(one, factors.get(id(one), 1.0)):
            minutes.add(name.name, name.labels, one.kind, one.raw_name, cell)
    return minutes.rows()


def _parses(kept: list[Resolved], factors: dict[int, float]) -> list[Row]:
    rows = []
    for one, name in kept:
        labels = dict(name.labels)
        if name.name == PARSE_TIME and one.kind == TIMER and "file_name" in labels:
            file_name, bundle = labels["file_name"], labels.get("bundle_name")
            rows += [
                parse_row(
                    instant(at), file_name=file_name, bundle_name=bundle, parse_s=value * factors[id(one)]
                )
                for at, value in one.points
            ]
    return sorted(rows, key=lambda row: (row["parsed_at"], row["dag_file"]))


def _pools(kept: list[Resolved]) -> list[Row] | Reject:
    """One emission sends a pool's open slots, then its other gauges: a new `open_slots` begins a new moment."""
    found: dict[str, dict[Labels, dict[str, list[tuple[float, float]]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for one, name in kept:
        pool, gauge = dict(name.labels).get("pool_name"), gauge_of(name.name)
        if pool and gauge and one.kind == GAUGE:
            found[pool][without_pool(name.labels)][gauge] = one.points
    rows: list[Row] = []
    for pool, sets in found.items():
        if _overlap(series[OPEN] for series in sets.values() if OPEN in series):
            return several(pool, sets)
        for series in sets.values():
            rows += _moments(pool, series)
    return sorted(rows, key=lambda row: (row["sampled_at"], row["pool"]))


def _overlap(openings: Iterable[list[tuple[float, float]]]) -> bool:
    """Whether two emitters spoke over the same time; one after the other is a restart with other tags."""
    spans = sorted((points[0][0], points[-1][0]) for points in openings if points)
    return any(later[0] <= earlier[1] for earlier, later in pairwise(spans))


def _moments(pool: str, series: dict[str, list[tuple[float, float]]]) -> list[Row]:
    opens = series.get(OPEN, [])
    rows: list[Row] = []
    for place, (at, value) in enumerate(opens):
        until = opens[place + 1][0] if place + 1 < len(opens) else float("inf")
        told = [(OPEN, pool, (), value)]
        for gauge, points in series.items():
            first = bisect_left(points, (at, -float("inf")))
            if gauge != OPEN and first < len(points) and points[first][0] < until:
                told.append((gauge, pool, (), points[first][1]))
        made = pools_at(instant(at), told, "statsd")
        rows += made if isinstance(made, list) else []
    return rows
