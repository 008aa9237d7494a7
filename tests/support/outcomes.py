"""What a reader gave, in one form whichever path it took: rows, with those told in columns among them."""

from __future__ import annotations

from typing import Any

from windsock.model import Outcome, Parsed, Row


def rows_of(outcome: Parsed) -> dict[str, list[Row]]:
    """Every row by table; those of `log_events` in the order of their records."""
    rows = {name: list(table) for name, table in outcome.rows.items()}
    for name, slices in outcome.columns.items():
        for one in slices:
            rows[name] += one.table.slice(one.start, len(one)).to_pylist()
    rows["log_events"].sort(key=lambda row: row["record_no"])
    return rows


def comparable(outcome: Outcome) -> Any:
    """Everything but which path it was."""
    if not isinstance(outcome, Parsed):
        return outcome
    rows = {
        name: [{c: v for c, v in row.items() if c != "read_path"} for row in table]
        for name, table in rows_of(outcome).items()
    }
    return outcome.kind, outcome.partial, rows
