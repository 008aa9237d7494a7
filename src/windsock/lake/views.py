"""Write `sql/lake.sql` from the contract: `python -m windsock.lake.views` (a test tells when the file is stale).

A missing table is an empty view: `glob()` finds the files, and `query()` reads them only if there are any, because
`read_parquet` raises on an empty list. Every contract column is cast to its declared type, so files with other
integer widths or fewer columns are a valid lake.
"""

from __future__ import annotations

import sys
from pathlib import Path

from windsock.lake.best_known import told_once
from windsock.lake.pool_spans import POOL_SPANS
from windsock.lake.slot_tries import SLOT_LEGS, SLOT_TRIES
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

TELLER_RANK = "case when object_url like 'db:%' then 0 when object_url like 'api:%' then 1 else 2 end"

HEAD = """-- The lake's views, macros and variables. Generated from src/windsock/schema.py; runs unchanged in DuckDB 1.5 and 2.0
-- and its command line. The only file that knows paths.
--
-- Before it: set variable lake = 'path/of/the/lake'; set variable week_start = date '2026-11-16';  (the Monday)
-- Optional:  set variable weeks_back = 8;
--            set variable exclude = ['sandbox_*'];  DAGs that are stored but never judged
--            set variable renamed_from = ['old']; set variable renamed_to = ['new'];  DAGs told under their new name
--            set variable owner_patterns = ['sales_*']; set variable owner_names = ['sales'];  the first that matches counts
--            set variable only_dag = 'orders';  tries, runs and records of that DAG alone; with it, what is known of all:
--            set variable seen_until = timestamptz '2026-11-22 23:30:00Z'; set variable logs_seen = true;
--            set variable quiet_from = [timestamptz '2026-11-20 22:00:00Z']; set variable quiet_until = [timestamptz '…'];
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
-- 95 % interval of a share k of n (Wilson 1927); null without any.
create or replace temp macro wilson_low(k, n) as
    case when n > 0 then greatest(0, (k + 1.9207 - 1.96 * sqrt(k * (n - k) / n + 0.9604)) / (n + 3.8415)) end;
create or replace temp macro wilson_high(k, n) as
    case when n > 0 then least(1, (k + 1.9207 + 1.96 * sqrt(k * (n - k) / n + 0.9604)) / (n + 3.8415)) end;

-- A DAG's name of today: what the pipeline file says was renamed is told under its new name, in every table.
create or replace temp macro dag_now(name) as case
    when getvariable('renamed_from') is null then name
    else coalesce(
        map(cast(getvariable('renamed_from') as varchar[]), cast(getvariable('renamed_to') as varchar[]))[name], name
    )
end;

-- A fact's key under its DAG's name of today, where it is one of a DAG (`dag_version.NAME`, `dag_owner.NAME` …).
create or replace temp macro key_now(key) as case
    when getvariable('renamed_from') is not null and starts_with(key, 'dag_')
        then regexp_extract(key, '^[a-z_]+[.]') || dag_now(regexp_replace(key, '^[a-z_]+[.]', ''))
    else key
end;

-- A provider by its name, without what all of them share.
create or replace temp macro provider_of(key) as
    'provider ' || replace(regexp_extract(key, '^provider[.](.+)[.]version$', 1), 'apache-airflow-providers-', '');

-- A signature without its frame: what was raised, wherever in the code.
create or replace temp macro without_frame(signature) as regexp_replace(signature, ' @ [^ ]+:[^ @]+$', '');

-- What failed, wherever in the code: a signature without its frame; where it names a login, a connection or a host that
-- cannot be reached, that name, for one bad credential is told in many words.
create or replace temp macro cause_of(signature) as coalesce(
    'login ' || nullif(regexp_extract(
        signature,
        '(?i)(?:authentication failed|access denied|login failed|incorrect username or password).{0,60}?'
            || '[^a-z](?:user|role|login)[ :]*["''`]([[:word:]@.+-]+)',
        1
    ), ''),
    'connection ' || nullif(
        regexp_extract(signature, '(?i)[^a-z]conn(?:ection)?[_ ]id[ :=]*["''`]([[:word:].-]+)', 1), ''
    ),
    case when regexp_matches(
        signature,
        '(?i)refused|timed? ?out|resolve|unreachable|max retries|translate host|not known|could not connect'
    ) then 'host ' || nullif(regexp_extract(
        signature,
        '(?i)(?:host=|host name |failed to resolve |server at )["''`]([a-z][[:word:]-]*(?:[.][[:word:]-]+)*)["''`]',
        1
    ), '') end,
    without_frame(signature)
);

-- What is never judged: DAGs by pattern, and windows of time (from inside, until outside).
create or replace temp view excluded_dags as
select unnest(cast(getvariable('exclude') as varchar[])) as pattern;
create or replace temp view quiet_windows as
select
    unnest(cast(getvariable('quiet_from') as timestamptz[])) as from_at,
    unnest(cast(getvariable('quiet_until') as timestamptz[])) as until_at;
create or replace temp macro is_quiet(moment) as exists (
    select 1 from quiet_windows where moment >= from_at and moment < until_at
);
"""

OWNED_DAGS = """
-- Who owns each DAG: the first pattern of the pipeline file that matches, else what API or database tell of its tasks,
-- else what logs of Airflow 2 name in the newest week in which any does. Airflow's default owner is nobody.
create or replace temp view owned_dags as
with patterns as (
    select
        unnest(cast(getvariable('owner_patterns') as varchar[])) as pattern,
        unnest(cast(getvariable('owner_names') as varchar[])) as owner,
        unnest(range(len(cast(getvariable('owner_patterns') as varchar[])))) as place
),
asked as (
    select substr(key, 11) as dag_id, max_by(value, seen_at order by value) as owner
    from deployments
    where starts_with(key, 'dag_owner.') and seen_at < week_end() + interval 7 days
    group by substr(key, 11)
),
logged_weeks as (
    select dag_id, monday_of(started_at) as week, string_agg(distinct owner, ', ' order by owner) as owner
    from task_logs
    where owner is not null and monday_of(started_at) <= report_week()
    group by dag_id, monday_of(started_at)
),
logged as (
    select dag_id, arg_max(owner, week) as owner from logged_weeks group by dag_id
),
dags as (
    select dag_id from asked
    union
    select dag_id from task_logs
    union
    select dag_id from task_instances
),
patterned as (
    select dags.dag_id, arg_min(patterns.owner, patterns.place) as owner
    from dags
    join patterns on dags.dag_id glob patterns.pattern
    group by dags.dag_id
)
select
    dags.dag_id,
    coalesce(patterned.owner, asked.owner, logged.owner) as owner,
    case
        when patterned.owner is not null then 'pipeline file'
        when asked.owner is not null then 'Airflow'
        else 'log'
    end as told_by
from dags
left join patterned on dags.dag_id = patterned.dag_id
left join asked on dags.dag_id = asked.dag_id
left join logged on dags.dag_id = logged.dag_id
where coalesce(patterned.owner, asked.owner, logged.owner) is not null;
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

TOLD_RUNS = f"""
-- One row per run, of what API, database and component logs tell: the newest telling, and what it leaves open by older ones.
create or replace temp view known_runs as
{told_once("dag_runs", "dag_runs", key="dag_id, run_id", order=f"coalesce(told_at, read_at) desc nulls last, {TELLER_RANK}, object_url", window="tellings")};
"""

TASK_TRIES = """
-- One row per try: what its log says happened, joined with what API, database or component log know about it.
--
-- Further columns: `log_state` and `told_state`, what the log alone and what the others alone say.
-- `process_starts`, processes that began in its log (each poke of a rescheduled sensor, each resume of a deferral).
-- `deferred_s`, `rescheduled_s`, time of the try in which it held no worker, and `away`, these spans, where its log tells.
-- `setup_s`, time of the try spent on fetching its bundle and parsing its file, where the log tells (3.3). `is_cleared`, the try belongs to no first execution: it follows a success of the same task, or a
-- failure that was final (its marking in Airflow 2, max_tries), or the end of its run, or a gap of more than a day.
-- `final_try`, the last known try of the first execution. `is_quiet`, it started inside a quiet window. `is_asked`,
-- API or database told it, so an open state was open when they were asked; the newest line of a log may be an old one.
-- `is_judged`, it counts in rates: a started try of the first execution of a scheduled or asset-triggered run, in scope,
-- not quiet.
create or replace temp view task_tries as
with runs as (
    select * from known_runs
),
-- keys of Airflow 1.10 to 2.2 hold the logical date in place of the run_id
dated_runs as (
    select dag_id, logical_date, min(run_id) as run_id
    from (
        select dag_id, run_id, logical_date from runs
        union all
        select distinct dag_id, run_id, try_cast(regexp_extract(run_id, '__(.+)$', 1) as timestamptz)
        from task_instances
        where (dag_id, run_id) not in (select (dag_id, run_id) from runs where dag_id is not null and run_id is not null)
    ) as known
    where logical_date is not null
    group by dag_id, logical_date
),
named_logs as (
    select
        task_logs.* replace (
            coalesce(dated_runs.run_id, task_logs.run_id) as run_id,
            coalesce(task_logs.map_index, -1) as map_index
        ),
        hash(
            task_logs.dag_id,
            coalesce(dated_runs.run_id, task_logs.run_id),
            task_logs.task_id,
            coalesce(task_logs.map_index, -1),
            task_logs.try_number
        ) as place
    from task_logs
    left join dated_runs
        on regexp_matches(task_logs.run_id, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T')
        and task_logs.dag_id = dated_runs.dag_id
        and coalesce(task_logs.logical_date, try_cast(task_logs.run_id as timestamptz)) = dated_runs.logical_date
),
-- Sorting every try by five ids costs most of the time, and few need it: those told twice, those tried twice.
doubled as (
    select place from named_logs group by place having count(*) > 1
),
logs as (
    select * from named_logs where place not in (select place from doubled)
    union all
    -- one attempt may have objects under two layouts after an upgrade: the last written one speaks
    select *
    from named_logs
    where place in (select place from doubled)
    qualify row_number() over (
        partition by dag_id, run_id, task_id, map_index, try_number
        order by object_modified_at desc nulls last, object_url
    ) = 1
),
told as (
    select
        * replace (coalesce(map_index, -1) as map_index),
        hash(dag_id, run_id, task_id, coalesce(map_index, -1), try_number) as place
    from told_tries
),
told_twice as (
    select place from told group by place having count(*) > 1
),
instances as (
    select * from told where place not in (select place from told_twice)
    union all
    -- the newest reading wins, and what it leaves open is filled by older ones; on a tie database before API before
    -- component log, the row before its history
    INSTANCES_TOLD_ONCE
),
joined as (
    select
        coalesce(l.dag_id, i.dag_id) as dag_id,
        coalesce(l.run_id, i.run_id) as run_id,
        coalesce(l.task_id, i.task_id) as task_id,
        coalesce(l.map_index, i.map_index) as map_index,
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
        coalesce(i.object_url like 'db:%' or i.object_url like 'api:%', false) as is_asked,
        i.max_tries,
        l.exception_type,
        l.exception_message,
        l.error_signature,
        l.blame,
        l.bundle_name,
        l.bundle_version,
        l.dag_file,
        l.bundle_prepare_s,
        l.dag_file_parse_s,
        l.process_starts,
        l.deferred_s,
        l.rescheduled_s,
        l.away,
        l.dialect,
        l.dag_id is not null as has_log,
        coalesce(i.anchor_at, l.object_modified_at) as anchor_at,
        hash(
            coalesce(l.dag_id, i.dag_id),
            coalesce(l.run_id, i.run_id),
            coalesce(l.task_id, i.task_id),
            coalesce(l.map_index, i.map_index)
        ) as attempt
    from logs as l
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
            nullif(runs.run_type, ''),
            nullif(regexp_extract(
                joined.run_id,
                '^(scheduled|manual|backfill|asset_triggered|dataset_triggered|operator_triggered)__',
                1
            ), ''),
            case when starts_with(joined.run_id, 'backfill_') then 'backfill' else 'scheduled' end
        ) as run_type,
        runs.started_at as run_started_at,
        runs.ended_at as run_ended_at,
        coalesce(runs.logical_date, try_cast(regexp_extract(joined.run_id, '__(.+)$', 1) as timestamptz)) as logical_date,
        -- an open or unreadable ending in the log leaves the word to the others; `unknown` is said when nobody knows
        coalesce(
            case when log_state in ('success', 'failed', 'up_for_retry', 'skipped') then log_state end,
            case when told_state in ('success', 'failed', 'up_for_retry', 'skipped', 'upstream_failed', 'removed')
                then told_state end,
            nullif(log_state, 'unknown'),
            told_state,
            'unknown'
        ) as seen_state
    from joined
    left join runs on joined.dag_id = runs.dag_id and joined.run_id = runs.run_id
),
retried as (
    select distinct attempt from joined where try_number is distinct from 1
),
followed as (
    select
        *,
        case
            when try_number <= 1 then false
            when lag(seen_state) over tries in ('success', 'skipped') then true
            when lag(seen_state = 'failed' and state_reason = 'exception' and dialect like 'airflow2%') over tries
                then true
            when lag(max_tries) over tries is not null then lag(try_number > max_tries) over tries
            when started_at > run_ended_at and lag(started_at) over tries < run_ended_at then true
            when lag(try_number) over tries is null then started_at > logical_date + interval 35 days
            else started_at > lag(ended_at) over tries + interval 1 day
        end as is_new_execution
    from typed
    where attempt in (select attempt from retried)
    window tries as (partition by dag_id, run_id, task_id, map_index order by try_number)
),
placed as (
    select
        * exclude (is_new_execution),
        coalesce(bool_or(is_new_execution) over tries, false) as is_cleared,
        coalesce(lead(is_new_execution) over tries, true) as ends_execution,
        max(try_number) over (
            tries rows between unbounded preceding and unbounded following
        ) as last_known_try
    from followed
    window tries as (partition by dag_id, run_id, task_id, map_index order by try_number)
    union all
    select *, false, true, try_number
    from typed
    where attempt not in (select attempt from retried)
),
scoped as (
    select
        *,
        exists (
            select 1 from quiet_windows where placed.started_at >= from_at and placed.started_at < until_at
        ) as is_quiet,
        exists (select 1 from excluded_dags where placed.dag_id glob pattern) as is_excluded
    from placed
)
select
    dag_id,
    run_id,
    task_id,
    map_index,
    try_number,
    run_type,
    case
        when seen_state not in ('failed', 'up_for_retry') then seen_state
        when not ends_execution then 'up_for_retry'
        when told_state in ('failed', 'up_for_retry') then told_state
        else seen_state
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
    monday_of(coalesce(started_at, queued_at, scheduled_at, anchor_at)) as week,
    is_cleared,
    ends_execution and not is_cleared as final_try,
    blame,
    is_quiet,
    is_excluded,
    is_asked,
    coalesce(try_number > 0, false)
        and seen_state not in ('upstream_failed', 'removed')
        and run_type in ('scheduled', 'asset_triggered', 'dataset_triggered')
        and not is_cleared
        and not is_quiet
        and not is_excluded as is_judged,
    log_state,
    told_state,
    max_tries,
    coalesce(dag_file_parse_s, 0) + coalesce(bundle_prepare_s, 0) as setup_s,
    process_starts,
    deferred_s,
    rescheduled_s,
    away
from scoped;
""".replace(
    "INSTANCES_TOLD_ONCE",
    told_once(
        "task_instances",
        "(select * from told where place in (select place from told_twice)) as twice",
        key="place",
        order=f"read_at desc nulls last, {TELLER_RANK}, is_history nulls first, object_url",
        window="tellings",
    ),
)


def lake_sql() -> str:
    """The whole file."""
    return (
        HEAD
        + "".join(_view(table) for table in TABLES.values())
        + TOLD_TRIES
        + TOLD_RUNS
        + TASK_TRIES
        + SLOT_TRIES
        + SLOT_LEGS
        + OWNED_DAGS
        + POOL_SPANS
    )


def _cast(name: str, kind: str) -> str:
    cast = f"try_cast({name} as {kind})"
    renamed = {"dag_id": "dag_now", "key": "key_now"}.get(name)
    return f"{renamed}({cast})" if renamed else cast


def _only_dag(table: Table) -> str:
    """Who asks of one DAG reads its rows alone. What components said is whole: they speak of pools and files, too."""
    if "dag_id" not in table.columns or table.name == "component_events":
        return ""
    return "\nwhere getvariable('only_dag') is null or dag_now(dag_id) = getvariable('only_dag')"


def _view(table: Table) -> str:
    columns = {name: SQL_TYPES[kind] for name, kind in table.columns.items()}
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
