"""Write `sql/lake.sql` from the contract: `python -m windsock.lake.views` (a test tells when the file is stale).

A missing table is an empty view: `glob()` finds the files, and `query()` reads them only if there are any, because
`read_parquet` raises on an empty list. Every contract column is cast to its declared type, so files with other
integer widths or fewer columns are a valid lake.
"""

from __future__ import annotations

import sys
from pathlib import Path

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

HEAD = """-- The lake's views, macros and variables. Generated from src/windsock/schema.py; runs unchanged in DuckDB 1.5 and 2.0
-- and its command line. The only file that knows paths.
--
-- Before it: set variable lake = 'path/of/the/lake'; set variable week_start = date '2026-11-16';  (the Monday)
-- Optional:  set variable weeks_back = 8;
select case
    when getvariable('lake') is null then error('set variable lake to the folder of the lake first')
    when getvariable('week_start') is null then error('set variable week_start to the Monday of the week first')
    when dayofweek(cast(getvariable('week_start') as date)) <> 1 then error('week_start is not a Monday')
    else 'ok'
end as lake_variables;
set TimeZone = 'UTC';
set variable weeks_kept = coalesce(getvariable('weeks_back'), 8) + 1;

-- The report week: a Monday, its bounds as instants, and Mondays before it.
create or replace temp macro report_week() as cast(getvariable('week_start') as date);
create or replace temp macro week_start() as cast(cast(getvariable('week_start') as date) as timestamptz);
create or replace temp macro week_end() as cast(cast(getvariable('week_start') as date) + 7 as timestamptz);
create or replace temp macro weeks_ago(n) as cast(getvariable('week_start') as date) - 7 * cast(n as integer);
create or replace temp macro monday_of(moment) as cast(date_trunc('week', moment) as date);
"""

TOLD_TRIES = """
-- What API, database and component logs tell of tries, with the moment of telling in `read_at`: a line of a component
-- log was told when it was written. A try left running takes the state that a component marked it with afterwards: a
-- marking names no try number (before 2.9 no run either), but the second in which the try began.
create or replace temp view told_tries as
with markings as (
    select
        dag_id,
        run_id,
        task_id,
        coalesce(map_index, -1) as map_index,
        date_trunc('second', started_at) as began_at,
        arg_max(reason, event_at) as marked_state
    from component_events
    where event = 'state_marked' and started_at is not null
    group by dag_id, run_id, task_id, coalesce(map_index, -1), date_trunc('second', started_at)
)
select
    told.* replace (
        coalesce(markings.marked_state, told.state) as state,
        coalesce(told.told_at, told.read_at) as read_at
    )
from task_instances as told
left join markings
    on told.source = 'component_log'
    and (told.state is null or told.state in ('running', 'queued'))
    and told.dag_id = markings.dag_id
    and told.run_id = coalesce(markings.run_id, told.run_id)
    and told.task_id = markings.task_id
    and coalesce(told.map_index, -1) = markings.map_index
    and date_trunc('second', told.started_at) = markings.began_at;
"""

TASK_TRIES = """
-- One row per try: what its log says happened, joined with what API, database or component log know about it.
create or replace temp view task_tries as
with logs as (
    -- one attempt may have objects under two layouts after an upgrade: the last written one speaks
    select *
    from task_logs
    qualify row_number() over (
        partition by dag_id, run_id, task_id, map_index, try_number
        order by object_modified_at desc nulls last, object_url
    ) = 1
),
runs as (
    select dag_id, run_id, run_type, logical_date from dag_runs
),
-- keys of Airflow 1.10 to 2.2 hold the logical date in place of the run_id
known_logs as (
    select
        logs.* replace (coalesce(runs.run_id, logs.run_id) as run_id)
    from logs
    left join runs
        on logs.logical_date is not null
        and logs.dag_id = runs.dag_id
        and logs.logical_date = runs.logical_date
        and regexp_matches(logs.run_id, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T')
),
instances as (
    select *
    from told_tries
    qualify row_number() over (
        partition by dag_id, run_id, task_id, map_index, try_number
        order by read_at desc nulls last, is_history nulls first, object_url
    ) = 1
),
joined as (
    select
        coalesce(l.dag_id, i.dag_id) as dag_id,
        coalesce(l.run_id, i.run_id) as run_id,
        coalesce(l.task_id, i.task_id) as task_id,
        coalesce(l.map_index, i.map_index, -1) as map_index,
        coalesce(l.try_number, i.try_number) as try_number,
        l.state as log_state,
        i.state as told_state,
        l.state_reason,
        coalesce(l.started_at, i.started_at) as started_at,
        coalesce(l.ended_at, i.ended_at) as ended_at,
        i.scheduled_at,
        i.queued_at,
        i.pool,
        i.pool_slots,
        i.queue,
        i.executor,
        coalesce(l.hostname, i.hostname) as hostname,
        coalesce(l.operator, i.operator) as operator,
        i.priority_weight,
        l.exception_type,
        l.exception_message,
        l.error_signature,
        l.bundle_name,
        l.bundle_version,
        l.dag_file,
        l.dag_id is not null as has_log
    from known_logs as l
    full join instances as i
        on l.dag_id = i.dag_id
        and l.run_id = i.run_id
        and l.task_id = i.task_id
        and l.map_index = i.map_index
        and l.try_number = i.try_number
),
typed as (
    select
        joined.*,
        coalesce(
            runs.run_type,
            regexp_extract(joined.run_id, '^(scheduled|manual|backfill|asset_triggered|dataset_triggered)__', 1)
        ) as known_type,
        min(try_number) filter (where try_number > 0) over attempt as least_try,
        max(try_number) over attempt as last_known_try
    from joined
    left join runs on joined.dag_id = runs.dag_id and joined.run_id = runs.run_id
    window attempt as (partition by joined.dag_id, joined.run_id, joined.task_id, joined.map_index)
)
select
    dag_id,
    run_id,
    task_id,
    map_index,
    try_number,
    case when known_type is null or known_type = '' then 'scheduled' else known_type end as run_type,
    case
        when coalesce(nullif(log_state, 'unknown'), told_state, log_state) = 'failed'
            and try_number < last_known_try then 'up_for_retry'
        when log_state = 'failed' and told_state = 'up_for_retry' then 'up_for_retry'
        else coalesce(nullif(log_state, 'unknown'), told_state, log_state)
    end as state,
    state_reason,
    coalesce(try_number = 1, false) as first_try,
    coalesce(try_number = last_known_try, false) as last_try,
    started_at,
    ended_at,
    scheduled_at,
    queued_at,
    epoch_us(ended_at - started_at) / 1e6 as duration_s,
    epoch_us(coalesce(queued_at, started_at) - scheduled_at) / 1e6 as wait_s,
    pool,
    pool_slots,
    queue,
    executor,
    hostname,
    operator,
    priority_weight,
    exception_type,
    exception_message,
    error_signature,
    bundle_name,
    bundle_version,
    dag_file,
    has_log,
    monday_of(coalesce(started_at, queued_at, scheduled_at)) as week
from typed;
"""


def lake_sql() -> str:
    """The whole file."""
    return HEAD + "".join(_view(table) for table in TABLES.values()) + TOLD_TRIES + TASK_TRIES


def _view(table: Table) -> str:
    columns = {name: SQL_TYPES[kind] for name, kind in table.columns.items()}
    empty = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
    casts = ",\n    ".join(f"try_cast({name} as {kind}) as {name}" for name, kind in columns.items())
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
) as stored;
"""


if __name__ == "__main__":
    path = Path(__file__).parents[3] / "sql" / "lake.sql"
    path.write_text(lake_sql(), encoding="utf-8")
    sys.stdout.write(f"{path.name} written\n")
