"""The lake's views, planned once and looked at over one lake after another: planning them anew costs .1 s."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import duckdb

from windsock import resources
from windsock.lake import Lake
from windsock.week import Week


@cache
def _views() -> tuple[duckdb.DuckDBPyConnection, tuple[str, ...]]:
    """A connection with the views, and the statements of `lake.sql` by which they find their files."""
    with tempfile.TemporaryDirectory() as folder:
        conn = Lake.open(folder, deployment="prod", create=True).connect(Week.parse("2026-W47"))
    # lakes of tests change within the second, at the same address
    conn.execute("set enable_external_file_cache = false")
    text = (resources.folder("sql") / "lake.sql").read_text(encoding="utf-8")
    statements = duckdb.extract_statements(text)
    return conn, tuple(one.query for one in statements if one.type == duckdb.StatementType.SET)


def views_over(
    lake: Path,
    week: Week,
    *,
    exclude: Sequence[str] = (),
    quiet: Sequence[tuple[datetime, datetime]] = (),
    owners: Mapping[str, str] | None = None,
) -> duckdb.DuckDBPyConnection:
    """What `Lake.connect` gives, until the next call: the connection is one and the same. Nobody closes it."""
    conn, finding_files = _views()
    conn.execute("set variable lake = ?", [str(lake)])
    conn.execute(f"set variable week_start = date '{week.monday}'")
    for name, type_, values in (
        ("exclude", "varchar[]", list(exclude)),
        ("quiet_from", "timestamptz[]", [one[0] for one in quiet]),
        ("quiet_until", "timestamptz[]", [one[1] for one in quiet]),
        ("owner_patterns", "varchar[]", list(owners) if owners else None),
        ("owner_names", "varchar[]", list(owners.values()) if owners else None),
    ):
        conn.execute(f"set variable {name} = ?::{type_}", [values])
    for sql in finding_files:
        conn.execute(sql)
    return conn
