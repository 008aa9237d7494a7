"""Bytes as a task log, a component log and a StatsD capture: read by pieces they tell what they tell as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from tests.support.outcomes import comparable
from windsock.model import Outcome, Parsed, SourceObject
from windsock.parse import collected, order
from windsock.parse.batch import LogObject
from windsock.parse.component import read_growing
from windsock.parse.metrics import read_statsd, statsd_lines
from windsock.parse.stream import read_stream
from windsock.parse.task_log import Lines

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FILE = SourceObject("mem://scheduler.log", "scheduler.log", 0, NOW, "")
_PIECE_BYTES = 61


def check_stream(one: LogObject, lines: Lines, whole: Outcome) -> None:
    """A task log by pieces, with whatever a collector put around it, tells what `whole` does; entries that are out of order
    are sorted in runs of a few lines. Of a compressed one only the sizes differ at which it is too much."""
    with patch.object(collected, "RUN_BYTES", 500), patch.object(order, "_BATCH_BYTES", 200):
        found = read_stream(
            one.key, lambda: _cut(one.data), size=len(one.data), object_url=one.url, etag=one.etag,
            modified_at=one.modified_at, lines=lines, whole_bytes=0, piece_bytes=_PIECE_BYTES,
        )  # fmt: skip
    assert _in_lists(comparable(found)) == _in_lists(comparable(whole)), (lines, one.data)


def _in_lists(told: Any) -> Any:
    """Rows that lie on the disk, read back."""
    if not isinstance(told, tuple):
        return told
    kind, partial, tables = told
    return kind, partial, {name: list(rows) for name, rows in tables.items()}


def check_pieces(data: bytes) -> None:
    """The same outcomes however the bytes come; of a capture also when it does not fit into memory."""
    parts = [
        list(read_growing(FILE, chunks, known=[], min_bytes=1, part_bytes=500))
        for chunks in ((data,), _cut(data))
    ]
    assert parts[0] == parts[1]
    whole = _capture([data])
    with patch.object(statsd_lines, "HELD_CELLS", 3), patch("windsock.parse.metrics.points.HELD", 4):
        laid = _capture(_cut(data))
    assert _rows(laid) == _rows(whole)


def _cut(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _PIECE_BYTES] for at in range(0, len(data), _PIECE_BYTES))


def _capture(chunks: Any) -> Outcome:
    return read_statsd(chunks, object_url="mem://x.statsd", modified_at=NOW)


def _rows(outcome: Outcome) -> Any:
    """In one order; a sum is the same up to its last digits, whatever was added first."""
    if not isinstance(outcome, Parsed):
        return outcome
    told = {
        name: sorted((sorted((key, _digits(value)) for key, value in row.items()) for row in rows), key=str)
        for name, rows in outcome.rows.items()
    }
    return told, outcome.partial


def _digits(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) and math.isfinite(value) else str(value)


AT = 1795447300  # 2026-11-23 15:21:40
CAPTURES = [
    b"".join(
        b"%d airflow.pool.open_slots.p:%d|g\n%d airflow.pool.running_slots.p:1|g\n" % (AT + 20 * no, no, AT + 20 * no)
        + b"%d airflow.dag_processing.last_duration.f:%d.5|ms\n%d airflow.x:-%d|g\n" % (AT + 20 * no, no, AT - 20 * no, no)
        for no in range(12)
    ),
    b"".join(
        b"%d airflow.pool.open_slots:%d|g|#pool_name:p\n%d airflow.ti.finish:1|c|@0.1|#dag_id:d,task_id:t\n"
        % (AT + 9 * no, no, AT + 70 * no)
        for no in range(12)
    ),
    b"%d airflow.a,dag_id=d,task_id=t:1.5|ms\nairflow.b:2|h\n-1 x:1|c\n1e300 x:1|c\n%d x:1e308|g\n%d x:+1e308|g\n" % (AT, AT, AT),
]  # fmt: skip
