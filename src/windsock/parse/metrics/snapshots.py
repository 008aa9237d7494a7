"""Snapshots in time order → rows. A counter's increase and a timer's mean lie between two of them."""

from __future__ import annotations

from datetime import datetime

from windsock.model import Outcome, Parsed, Reject, Row
from windsock.parse.metrics.heads import MAX_SERIES
from windsock.parse.metrics.minutes import Minutes
from windsock.parse.metrics.moments import Reading
from windsock.parse.metrics.prometheus_text import Scan, scan_text
from windsock.parse.metrics.stream import SnapshotStream


def read_snapshot(data: bytes, *, object_url: str, taken_at: datetime, stream: SnapshotStream) -> Outcome:
    """One object, with `stream` as the snapshots before it left it; it is left behind this one."""
    stream.heads.dropped = 0
    scan = scan_text(data, stream.heads, taken_at=taken_at)
    return scan if isinstance(scan, Reject) else rows_of(scan, stream)


def rows_of(scan: Scan, stream: SnapshotStream, *, begins_at: datetime | None = None) -> Outcome:
    """Rows of all moments; those before `begins_at` are context and give none."""
    minutes = Minutes()
    pools: list[Row] = []
    parses: list[Row] = []
    for moment in scan.moments:
        reading = Reading(moment, stream)
        if begins_at is None or moment.at >= begins_at:
            reading.metrics(minutes)
            told = reading.pools()
            if isinstance(told, Reject):
                return told
            pools += told
            parses += reading.parses()
        else:
            reading.is_live()
        stream.advance(moment, is_whole=not scan.is_cut and not scan.beyond)
    if not scan.moments and stream.heads.dropped:
        return Reject("metrics", "no_match", f"no series fits {{{stream.heads.match.text()}}}")
    rows = {"metric_samples": minutes.rows(), "pool_samples": pools, "parse_samples": parses}
    return Parsed("metrics", rows, _partial(scan))


def _partial(scan: Scan) -> str | None:
    notes = []
    if scan.bad:
        notes.append(f"{scan.bad} lines that are no samples")
    if scan.beyond:
        notes.append(f"{scan.beyond} series beyond the first {MAX_SERIES}")
    if not scan.moments:
        notes.append("no Airflow metric in it")
    return ", ".join(notes) or None
