"""Metrics in every form Airflow's reach a file: Prometheus text, `query_range` answers, StatsD captures."""

from windsock.parse.metrics.known import Known
from windsock.parse.metrics.pages import Page, read_snapshots
from windsock.parse.metrics.query_range import read_metadata, read_query_range
from windsock.parse.metrics.snapshots import read_snapshot
from windsock.parse.metrics.statsd import read_statsd
from windsock.parse.metrics.stream import SnapshotStream
from windsock.parse.metrics.taken_at import is_snapshot, stream_of, taken_at

__all__ = [
    "Known",
    "Page",
    "SnapshotStream",
    "is_snapshot",
    "read_metadata",
    "read_query_range",
    "read_snapshot",
    "read_snapshots",
    "read_statsd",
    "stream_of",
    "taken_at",
]
