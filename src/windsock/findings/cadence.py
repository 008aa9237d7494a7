"""How often a DAG runs, in words, and whether its schedule was made rarer; for WS502 and for `windsock why`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from windsock.findings import wording
from windsock.model import Row

MIN_RARER = 1.5
"""Times the usual distance of runs: runs that keep a distance so much longer have another schedule."""
MOST_GAPS = 3
NEAR = timedelta(hours=12)
Span = tuple[datetime, datetime]
_UNITS = ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute"))


def every(value_s: float) -> str:
    """`86400` → `every day`, `21600` → `every 6 hours`, `5400` → `every 1 h 30 min`."""
    total = round(value_s)
    for length, unit in _UNITS:
        if total and total % length == 0:
            count = total // length
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"every {wording.span(value_s)}"


def is_rarer(row: Mapping[str, Any], times: float = MIN_RARER) -> bool:
    """Whether the runs that came of a row of `missing_runs` keep one distance, so much longer than before."""
    return bool(row["every_s"] and row["every_s"] >= times * (row["every_prev_s"] or 0))


def gaps_of(rows: Sequence[Row]) -> list[Span]:
    """Stretches without runs of one DAG, or of several together: what of theirs lies within `NEAR` is one."""
    spans: list[Span] = []
    for first, last in sorted(
        pair for row in rows for pair in zip(row["gap_from"], row["gap_until"], strict=True)
    ):
        if len(rows) > 1 and spans and first <= spans[-1][1] + NEAR:
            spans[-1] = (spans[-1][0], max(spans[-1][1], last))
        else:
            spans.append((first, last))
    return spans


def in_gaps(spans: Sequence[Span]) -> str:
    """`Mon 16 Nov 00:00 UTC to Tue 17 Nov 00:00 UTC`; of several gaps with runs between them each one, the first ones."""
    told = [_span(first, last) for first, last in spans[:MOST_GAPS]]
    if len(spans) > MOST_GAPS:
        told.append(f"{len(spans) - MOST_GAPS} more until {wording.moment(spans[-1][1])}")
    return f"in {len(spans)} gaps: {'; '.join(told)}" if len(spans) > 1 else "".join(told)


def _span(first: datetime, last: datetime) -> str:
    return wording.moment(first) if first == last else f"{wording.moment(first)} to {wording.moment(last)}"


def another_name(rows: Sequence[Row], dag_id: str) -> str:
    """That a DAG with the same tasks from the same file began after this one's last start, as a sentence; else empty.

    Weaker than WS605, which proposes to join the two: one task of a common name may do.
    """
    row = next((one for one in rows if one["former_dag_id"] == dag_id and one["dag_file"]), None)
    if row is None:
        return ""
    new, file = wording.name(row["dag_id"], 60), wording.name(row["dag_file"])
    return (
        f"{new}, of the same tasks in {file}, began {wording.moment(row['first_at'])}: if {wording.name(dag_id, 60)} was renamed, add "
        f'renamed = {{"{row["dag_id"]}" = "{dag_id}"}} to [scope] of the pipeline file. Else see'
    )
