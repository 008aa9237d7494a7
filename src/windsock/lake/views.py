"""Write `sql/lake.sql` from the contract: `python -m windsock.lake.views` (a test tells when the file is stale).

A missing table is an empty view: `glob()` finds the files, and `query()` reads them only if there are any, because
`read_parquet` raises on an empty list. Every contract column is cast to its declared type, so files with other
integer widths or fewer columns are a valid lake.
"""

from __future__ import annotations

import sys
from pathlib import Path

from windsock.lake.error_causes import ERROR_CAUSES
from windsock.lake.macros import HEAD
from windsock.lake.owned_dags import OWNED_DAGS
from windsock.lake.pool_spans import POOL_SPANS
from windsock.lake.slot_tries import SLOT_LEGS, SLOT_TRIES
from windsock.lake.task_tries import TASK_TRIES, TOLD_RUNS, TOLD_TRIES
from windsock.lake.tasks_now import TASKS_NOW
from windsock.lake.well_runs import WELL_RUNS
from windsock.schema import TABLES, Table

SQL_TYPES = {
    "string": "varchar",
    "timestamp[us, UTC]": "timestamptz",
    "int64": "bigint",
    "int32": "integer",
    "double": "double",
    "map<string, string>": "map(varchar, varchar)",
    "list<string>": "varchar[]",
}


def lake_sql() -> str:
    """The whole file."""
    return (
        HEAD
        + "".join(_view(table) for table in TABLES.values())
        + ERROR_CAUSES
        + TOLD_TRIES
        + TOLD_RUNS
        + TASK_TRIES
        + WELL_RUNS
        + SLOT_TRIES
        + SLOT_LEGS
        + OWNED_DAGS
        + POOL_SPANS
        + TASKS_NOW
    )


def _cast(name: str, kind: str) -> str:
    """A column as declared, and what names a DAG or a task under its name of today."""
    cast = f"try_cast({name} as {kind})"
    if name == "task_id":
        return f"task_now(try_cast(dag_id as varchar), {cast})"
    if name == "downstream_task_ids":
        return f"list_transform({cast}, lambda one: task_now(try_cast(dag_id as varchar), one))"
    renamed = {"dag_id": "dag_now", "key": "key_now"}.get(name)
    return f"{renamed}({cast})" if renamed else cast


def _only_dag(table: Table) -> str:
    """Who asks of one DAG reads its rows alone. What components said is whole: they speak of pools and files, too."""
    if "dag_id" not in table.columns or table.name == "component_events":
        return ""
    return "\nwhere getvariable('only_dag') is null or dag_now(dag_id) = getvariable('only_dag')"


def _view(table: Table) -> str:
    # slots are added up in many questions, and a pool may be as large as its number allows
    columns = {
        name: "bigint" if name.endswith("_slots") else SQL_TYPES[kind] for name, kind in table.columns.items()
    }
    empty = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
    casts = ",\n    ".join(f"{_cast(name, kind)} as {name}" for name, kind in columns.items())
    return f"""
-- {table.name}: one row is {table.one_row_is}
set variable files_{table.name} = (
    select list(file order by file)
    from glob(getvariable('lake') || '/{table.name}/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_{table.name} = case
    when coalesce(len(getvariable('files_{table.name}')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_{table.name}''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view {table.name} as
select
    {casts}
from (
    select {empty} where false
    union all by name
    select * from query(getvariable('read_{table.name}'))
) as stored{_only_dag(table)};
"""


if __name__ == "__main__":
    path = Path(__file__).parents[3] / "sql" / "lake.sql"
    path.write_text(lake_sql(), encoding="utf-8")
    sys.stdout.write(f"{path.name} written\n")
