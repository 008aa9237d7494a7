"""One StatsD capture → rows per series and minute, pool samples and parse samples.

Names are resolved at the end, over all series at once: only then it is known which twins are there, which prefix
Airflow was given, and what the digits say about units.
"""

from __future__ import annotations

import re
import zlib
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from operator import itemgetter

from windsock.matchers import Match
from windsock.model import Outcome, Parsed, Reject, Row
from windsock.parse.metrics.known import Known
from windsock.parse.metrics.minutes import Minutes
from windsock.parse.metrics.names import GAUGE, TIMER, Name, dotted_name, is_kept
from windsock.parse.metrics.parse_times import parse_row
from windsock.parse.metrics.plain_bytes import TooLarge, line_blocks, unpack_reject
from windsock.parse.metrics.points import Lazy, Points
from windsock.parse.metrics.pools import OPEN, Labels, gauge_of, pools_at, several, without_pool
from windsock.parse.metrics.statsd_lines import Capture, Captured, cell_of, instant
from windsock.parse.metrics.units import (
    PARSE_TIME,
    are_milliseconds,
    are_parse_milliseconds,
    statsd_factor,
    votes,
)

_PREFIX = re.compile(
    r"(.*?\.)??(?:scheduler_heartbeat|dagbag_size|pool\.open_slots|executor\.open_slots|ti_successes)"
)
Resolved = tuple[Captured, Name]


def read_statsd(
    chunks: Iterable[bytes],
    *,
    object_url: str,
    modified_at: datetime,
    match: Match | None = None,
    known: Known | None = None,
) -> Outcome:
    """One capture, in memory that does not grow with its length: of a long one the rows are made while they are read.
    Rejects: `empty`, `bad_gzip`, `not_statsd`, `no_match`, `several_deployments`."""
    capture: Capture | None = None
    try:
        for lines in line_blocks(chunks):
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
    capture.end()
    read = [one for one in capture.series.values() if one is not None]
    ours = _ours(read, match or Match())
    if not ours:
        return Reject("metrics", "no_match", f"no series fits {{{(match or Match()).text()}}}")
    kept = _resolve(ours, known or Known())
    sets = _pools(kept)
    if isinstance(sets, Reject):
        return sets
    factors = _factors(kept, is_dog=capture.is_dog)
    rows: dict[str, Sequence[Row]] = {
        "metric_samples": Lazy(lambda: _laid_minutes(capture, kept, factors))
        if capture.is_laid
        else _minutes(kept, factors),
        "pool_samples": _told(capture, lambda: _moments_of(sets), ("sampled_at", "pool")),
        "parse_samples": _told(capture, lambda: _parses(kept, factors), ("parsed_at", "dag_file")),
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
    digits_say_ms = _digits_say_ms(
        [one for one, name in kept if one.kind == TIMER and votes(name.name, is_dog=is_dog)]
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
    parsing = [
        one for one, name in kept if one.kind == TIMER and name.name == PARSE_TIME and factors[id(one)] == 1.0
    ]
    if are_parse_milliseconds(value for one in parsing for _at, value in _points(one)):
        factors |= {id(one): 0.001 for one in parsing}
    return factors


def _digits_say_ms(voters: list[Captured]) -> bool:
    if any(one.is_finer for one in voters):
        return False
    values = [value for one in voters for cell in one.cells.values() for value in cell[2:5]]
    return are_milliseconds(values) if values else any(one.is_laid for one in voters)


def _points(one: Captured) -> Iterable[tuple[float, float]]:
    return zip(*one.points.read(), strict=True) if one.points else ()


def _told(capture: Capture, rows: Callable[[], Iterator[Row]], order: tuple[str, str]) -> Sequence[Row]:
    """A list in order; of a long capture, which the lake will sort, rows that are made while they are read."""
    return Lazy(rows) if capture.shelf.size else sorted(rows(), key=itemgetter(*order))


def _minutes(kept: list[Resolved], factors: dict[int, float]) -> list[Row]:
    minutes = Minutes()
    for one, name in kept:
        for raw in one.cells.values():
            if cell := cell_of(one, raw, factors.get(id(one), 1.0)):
                minutes.add(name.name, name.labels, one.kind, one.raw_name, cell)
    return minutes.rows()


def _laid_minutes(capture: Capture, kept: list[Resolved], factors: dict[int, float]) -> Iterator[Row]:
    """The same, one minute in memory at a time."""
    ours = {one.number: (one, name) for one, name in kept}
    for cells in capture.minutes():
        minutes = Minutes()
        for number in sorted(cells.keys() & ours.keys()):
            one, name = ours[number]
            if cell := cell_of(one, cells[number], factors.get(id(one), 1.0)):
                minutes.add(name.name, name.labels, one.kind, one.raw_name, cell)
        yield from minutes.rows()


def _parses(kept: list[Resolved], factors: dict[int, float]) -> Iterator[Row]:
    for one, name in kept:
        labels = dict(name.labels)
        if name.name == PARSE_TIME and one.kind == TIMER and "file_name" in labels:
            file_name, bundle, factor = labels["file_name"], labels.get("bundle_name"), factors[id(one)]
            for at, value in _points(one):
                yield parse_row(instant(at), file_name=file_name, bundle_name=bundle, parse_s=value * factor)


def _pools(kept: list[Resolved]) -> list[tuple[str, dict[str, Points]]] | Reject:
    """Of each pool the gauges of each emitter."""
    found: dict[str, dict[Labels, dict[str, Points]]] = defaultdict(lambda: defaultdict(dict))
    for one, name in kept:
        pool, gauge = dict(name.labels).get("pool_name"), gauge_of(name.name)
        if pool and gauge and one.kind == GAUGE and one.points:
            found[pool][without_pool(name.labels)][gauge] = one.points
    for pool, sets in found.items():
        if _overlap(series[OPEN] for series in sets.values() if OPEN in series):
            return several(pool, sets)
    return [(pool, series) for pool, sets in found.items() for series in sets.values()]


def _overlap(openings: Iterable[Points]) -> bool:
    """Whether two emitters spoke over the same time; one after the other is a restart with other tags."""
    spans = sorted((one.first_at, one.last_at) for one in openings if one.first_at is not None)
    return any(later[0] <= earlier[1] for earlier, later in pairwise(spans))


def _moments_of(sets: list[tuple[str, dict[str, Points]]]) -> Iterator[Row]:
    for pool, series in sets:
        if OPEN in series:
            yield from _moments(pool, {gauge: points.read() for gauge, points in series.items()})


def _moments(pool: str, series: dict[str, tuple[array[float], array[float]]]) -> Iterator[Row]:
    """One emission sends a pool's open slots, then its other gauges: a new `open_slots` begins a new moment."""
    times, opens = series[OPEN]
    for place, (at, value) in enumerate(zip(times, opens, strict=True)):
        until = times[place + 1] if place + 1 < len(times) else float("inf")
        told = [(OPEN, pool, (), value)]
        for gauge, (when, values) in series.items():
            first = bisect_left(when, at)
            if gauge != OPEN and first < len(when) and when[first] < until:
                told.append((gauge, pool, (), values[first]))
        made = pools_at(instant(at), told, "statsd")
        yield from made if isinstance(made, list) else []
