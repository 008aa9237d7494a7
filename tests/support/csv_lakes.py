"""A lake from rows: what windsock writes, or what somebody else wrote (fewer columns, other widths, other names)."""

from __future__ import annotations

from pathlib import Path

import duckdb

from windsock.schema import TABLES

TYPES = {
    "string": "varchar",
    "timestamp[us, UTC]": "timestamptz",
    "int64": "bigint",
    "int32": "integer",
    "double": "double",
    "map<string, string>": "map(varchar, varchar)",
    "list<string>": "varchar[]",
}
FOREIGN = TYPES | {"int64": "integer", "int32": "bigint"}


def write_csv(conn: duckdb.DuckDBPyConnection, lake: Path, table: str, csv: Path, *, foreign: bool) -> None:
    """Rows of a CSV into the lake's weeks, by the table's own anchor. `foreign`: only the CSV's columns, and as
    another writer might store them.
    """
    conn.execute(
        "create or replace temp table given as select * from read_csv(?, all_varchar = true, nullstr = '')",
        [str(csv)],
    )
    told = [row[0] for row in conn.execute("describe given").fetchall()]
    spec = TABLES[table]
    assert set(told) <= set(spec.columns), f"{csv}: {set(told) - set(spec.columns)}"
    types = FOREIGN if foreign else TYPES
    columns = told if foreign else list(spec.columns)
    casts = ", ".join(
        f"cast({name if name in told else 'null'} as {types[spec.columns[name]]}) as {name}"
        for name in columns
    )
    anchor = (
        f"cast(coalesce({spec.anchor}, '2026-11-16') as timestamptz)"
        if spec.anchor in told
        else "timestamptz '2026-11-16'"
    )
    weeks = f"select distinct cast(date_trunc('week', {anchor}) as date) from given"
    for (week,) in conn.execute(weeks).fetchall():
        folder = lake / table / f"week={week}"
        folder.mkdir(parents=True, exist_ok=True)
        name = "rows.parquet" if foreign else "part-000-of-001.parquet"
        order = ", ".join(column for column in spec.sort_key if column in columns)
        conn.execute(
            f"copy (select {casts} from given where cast(date_trunc('week', {anchor}) as date) = date '{week}' "
            f"order by {order}) to '{folder / name}' (format parquet)"
        )
