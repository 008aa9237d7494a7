-- The lake's views, macros and variables. Generated from src/windsock/schema.py; runs unchanged in DuckDB 1.5 and 2.0
-- and its command line. The only file that knows paths.
--
-- Before it: set variable lake = 'path/of/the/lake'; set variable week_start = date '2026-11-16';  (the Monday)
-- Optional:  set variable weeks_back = 8;
--            set variable exclude = ['sandbox_*'];  DAGs that are stored but never judged
--            set variable renamed_from = ['old']; set variable renamed_to = ['new'];  DAGs told under their new name
--            set variable tasks_from = ['orders/old']; set variable tasks_to = ['new'];  the same of tasks, by their DAG's name of today
--            set variable owner_patterns = ['sales_*']; set variable owner_names = ['sales'];  the first that matches counts
--            set variable only_dag = 'orders';  tries, runs and records of that DAG alone; with it, what is known of all:
--            set variable seen_until = timestamptz '2026-11-22 23:30:00Z'; set variable logs_seen = true;
--            set variable listed_until = timestamptz '2026-11-23 06:00:00Z';  up to when a pull looked for new objects
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

-- Whether a try in this state is over. Of one that is not (its log stops, it was still running when it was asked) nobody
-- knows whether it will have failed: no rate takes it for a success without saying so.
create or replace temp macro has_end(state) as
    state in ('success', 'failed', 'up_for_retry', 'skipped', 'upstream_failed', 'removed');

-- A DAG's name of today: what the pipeline file says was renamed is told under its new name, in every table.
create or replace temp macro dag_now(name) as case
    when getvariable('renamed_from') is null then name
    else coalesce(
        map(cast(getvariable('renamed_from') as varchar[]), cast(getvariable('renamed_to') as varchar[]))[name], name
    )
end;

-- A task's name of today, in its DAG (no id of Airflow has a slash).
create or replace temp macro task_now(dag, name) as case
    when getvariable('tasks_from') is null then name
    else coalesce(
        map(cast(getvariable('tasks_from') as varchar[]), cast(getvariable('tasks_to') as varchar[]))[
            dag_now(dag) || '/' || name
        ],
        name
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

-- task_logs: one row is one task-attempt log object
set variable files_task_logs = (
    select list(file order by file)
    from glob(getvariable('lake') || '/task_logs/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_task_logs = case
    when coalesce(len(getvariable('files_task_logs')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_task_logs''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view task_logs as
select
    dag_now(try_cast(dag_id as varchar)) as dag_id,
    try_cast(run_id as varchar) as run_id,
    task_now(try_cast(dag_id as varchar), try_cast(task_id as varchar)) as task_id,
    try_cast(map_index as integer) as map_index,
    try_cast(try_number as integer) as try_number,
    try_cast(state as varchar) as state,
    try_cast(state_reason as varchar) as state_reason,
    try_cast(started_at as timestamptz) as started_at,
    try_cast(ended_at as timestamptz) as ended_at,
    try_cast(exception_type as varchar) as exception_type,
    try_cast(exception_message as varchar) as exception_message,
    try_cast(error_signature as varchar) as error_signature,
    try_cast(record_count as bigint) as record_count,
    try_cast(warning_count as bigint) as warning_count,
    try_cast(error_count as bigint) as error_count,
    try_cast(process_starts as bigint) as process_starts,
    try_cast(log_bytes as bigint) as log_bytes,
    try_cast(bundle_name as varchar) as bundle_name,
    try_cast(bundle_version as varchar) as bundle_version,
    try_cast(dag_file as varchar) as dag_file,
    try_cast(dag_file_parse_s as double) as dag_file_parse_s,
    try_cast(bundle_prepare_s as double) as bundle_prepare_s,
    try_cast(hostname as varchar) as hostname,
    try_cast(dialect as varchar) as dialect,
    try_cast(object_url as varchar) as object_url,
    try_cast(object_etag as varchar) as object_etag,
    try_cast(object_modified_at as timestamptz) as object_modified_at,
    try_cast(logical_date as timestamptz) as logical_date,
    try_cast(operator as varchar) as operator,
    try_cast(read_path as varchar) as read_path,
    try_cast(blame as varchar) as blame,
    try_cast(owner as varchar) as owner,
    try_cast(deferred_s as double) as deferred_s,
    try_cast(rescheduled_s as double) as rescheduled_s,
    try_cast(away as varchar[]) as away,
    try_cast(connections as varchar[]) as connections,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as varchar) as dag_id, cast(null as varchar) as run_id, cast(null as varchar) as task_id, cast(null as integer) as map_index, cast(null as integer) as try_number, cast(null as varchar) as state, cast(null as varchar) as state_reason, cast(null as timestamptz) as started_at, cast(null as timestamptz) as ended_at, cast(null as varchar) as exception_type, cast(null as varchar) as exception_message, cast(null as varchar) as error_signature, cast(null as bigint) as record_count, cast(null as bigint) as warning_count, cast(null as bigint) as error_count, cast(null as bigint) as process_starts, cast(null as bigint) as log_bytes, cast(null as varchar) as bundle_name, cast(null as varchar) as bundle_version, cast(null as varchar) as dag_file, cast(null as double) as dag_file_parse_s, cast(null as double) as bundle_prepare_s, cast(null as varchar) as hostname, cast(null as varchar) as dialect, cast(null as varchar) as object_url, cast(null as varchar) as object_etag, cast(null as timestamptz) as object_modified_at, cast(null as timestamptz) as logical_date, cast(null as varchar) as operator, cast(null as varchar) as read_path, cast(null as varchar) as blame, cast(null as varchar) as owner, cast(null as double) as deferred_s, cast(null as double) as rescheduled_s, cast(null as varchar[]) as away, cast(null as varchar[]) as connections, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_task_logs'))
) as stored
where getvariable('only_dag') is null or dag_now(dag_id) = getvariable('only_dag');

-- task_instances: one row is one try as API, database or component log tells it
set variable files_task_instances = (
    select list(file order by file)
    from glob(getvariable('lake') || '/task_instances/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_task_instances = case
    when coalesce(len(getvariable('files_task_instances')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_task_instances''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view task_instances as
select
    dag_now(try_cast(dag_id as varchar)) as dag_id,
    try_cast(run_id as varchar) as run_id,
    task_now(try_cast(dag_id as varchar), try_cast(task_id as varchar)) as task_id,
    try_cast(map_index as integer) as map_index,
    try_cast(try_number as integer) as try_number,
    try_cast(state as varchar) as state,
    try_cast(max_tries as integer) as max_tries,
    try_cast(operator as varchar) as operator,
    try_cast(pool as varchar) as pool,
    try_cast(pool_slots as bigint) as pool_slots,
    try_cast(queue as varchar) as queue,
    try_cast(executor as varchar) as executor,
    try_cast(priority_weight as bigint) as priority_weight,
    try_cast(hostname as varchar) as hostname,
    try_cast(scheduled_at as timestamptz) as scheduled_at,
    try_cast(queued_at as timestamptz) as queued_at,
    try_cast(started_at as timestamptz) as started_at,
    try_cast(ended_at as timestamptz) as ended_at,
    try_cast(anchor_at as timestamptz) as anchor_at,
    try_cast(source as varchar) as source,
    try_cast(is_history as integer) as is_history,
    try_cast(told_at as timestamptz) as told_at,
    try_cast(object_url as varchar) as object_url,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as varchar) as dag_id, cast(null as varchar) as run_id, cast(null as varchar) as task_id, cast(null as integer) as map_index, cast(null as integer) as try_number, cast(null as varchar) as state, cast(null as integer) as max_tries, cast(null as varchar) as operator, cast(null as varchar) as pool, cast(null as bigint) as pool_slots, cast(null as varchar) as queue, cast(null as varchar) as executor, cast(null as bigint) as priority_weight, cast(null as varchar) as hostname, cast(null as timestamptz) as scheduled_at, cast(null as timestamptz) as queued_at, cast(null as timestamptz) as started_at, cast(null as timestamptz) as ended_at, cast(null as timestamptz) as anchor_at, cast(null as varchar) as source, cast(null as integer) as is_history, cast(null as timestamptz) as told_at, cast(null as varchar) as object_url, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_task_instances'))
) as stored
where getvariable('only_dag') is null or dag_now(dag_id) = getvariable('only_dag');

-- dag_runs: one row is one DAG run
set variable files_dag_runs = (
    select list(file order by file)
    from glob(getvariable('lake') || '/dag_runs/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_dag_runs = case
    when coalesce(len(getvariable('files_dag_runs')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_dag_runs''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view dag_runs as
select
    dag_now(try_cast(dag_id as varchar)) as dag_id,
    try_cast(run_id as varchar) as run_id,
    try_cast(run_type as varchar) as run_type,
    try_cast(state as varchar) as state,
    try_cast(logical_date as timestamptz) as logical_date,
    try_cast(run_after as timestamptz) as run_after,
    try_cast(queued_at as timestamptz) as queued_at,
    try_cast(started_at as timestamptz) as started_at,
    try_cast(ended_at as timestamptz) as ended_at,
    try_cast(bundle_version as varchar) as bundle_version,
    try_cast(anchor_at as timestamptz) as anchor_at,
    try_cast(source as varchar) as source,
    try_cast(told_at as timestamptz) as told_at,
    try_cast(object_url as varchar) as object_url,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as varchar) as dag_id, cast(null as varchar) as run_id, cast(null as varchar) as run_type, cast(null as varchar) as state, cast(null as timestamptz) as logical_date, cast(null as timestamptz) as run_after, cast(null as timestamptz) as queued_at, cast(null as timestamptz) as started_at, cast(null as timestamptz) as ended_at, cast(null as varchar) as bundle_version, cast(null as timestamptz) as anchor_at, cast(null as varchar) as source, cast(null as timestamptz) as told_at, cast(null as varchar) as object_url, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_dag_runs'))
) as stored
where getvariable('only_dag') is null or dag_now(dag_id) = getvariable('only_dag');

-- log_events: one row is one log record at or above `lines` (default: error), or with an exception; redacted
set variable files_log_events = (
    select list(file order by file)
    from glob(getvariable('lake') || '/log_events/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_log_events = case
    when coalesce(len(getvariable('files_log_events')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_log_events''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view log_events as
select
    dag_now(try_cast(dag_id as varchar)) as dag_id,
    try_cast(run_id as varchar) as run_id,
    task_now(try_cast(dag_id as varchar), try_cast(task_id as varchar)) as task_id,
    try_cast(map_index as integer) as map_index,
    try_cast(try_number as integer) as try_number,
    try_cast(logged_at as timestamptz) as logged_at,
    try_cast(record_no as bigint) as record_no,
    try_cast(level as varchar) as level,
    try_cast(logger as varchar) as logger,
    try_cast(message as varchar) as message,
    try_cast(exception_type as varchar) as exception_type,
    try_cast(error_signature as varchar) as error_signature,
    try_cast(object_url as varchar) as object_url,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as varchar) as dag_id, cast(null as varchar) as run_id, cast(null as varchar) as task_id, cast(null as integer) as map_index, cast(null as integer) as try_number, cast(null as timestamptz) as logged_at, cast(null as bigint) as record_no, cast(null as varchar) as level, cast(null as varchar) as logger, cast(null as varchar) as message, cast(null as varchar) as exception_type, cast(null as varchar) as error_signature, cast(null as varchar) as object_url, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_log_events'))
) as stored
where getvariable('only_dag') is null or dag_now(dag_id) = getvariable('only_dag');

-- parse_samples: one row is one measured parse of a DAG file
set variable files_parse_samples = (
    select list(file order by file)
    from glob(getvariable('lake') || '/parse_samples/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_parse_samples = case
    when coalesce(len(getvariable('files_parse_samples')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_parse_samples''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view parse_samples as
select
    try_cast(parsed_at as timestamptz) as parsed_at,
    try_cast(dag_file as varchar) as dag_file,
    try_cast(bundle_name as varchar) as bundle_name,
    try_cast(bundle_version as varchar) as bundle_version,
    try_cast(parse_s as double) as parse_s,
    try_cast(dag_count as bigint) as dag_count,
    try_cast(error_count as bigint) as error_count,
    try_cast(source as varchar) as source,
    try_cast(object_url as varchar) as object_url,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as timestamptz) as parsed_at, cast(null as varchar) as dag_file, cast(null as varchar) as bundle_name, cast(null as varchar) as bundle_version, cast(null as double) as parse_s, cast(null as bigint) as dag_count, cast(null as bigint) as error_count, cast(null as varchar) as source, cast(null as varchar) as object_url, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_parse_samples'))
) as stored;

-- pool_samples: one row is one pool at one moment
set variable files_pool_samples = (
    select list(file order by file)
    from glob(getvariable('lake') || '/pool_samples/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_pool_samples = case
    when coalesce(len(getvariable('files_pool_samples')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_pool_samples''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view pool_samples as
select
    try_cast(sampled_at as timestamptz) as sampled_at,
    try_cast(pool as varchar) as pool,
    try_cast(total_slots as bigint) as total_slots,
    try_cast(open_slots as bigint) as open_slots,
    try_cast(running_slots as bigint) as running_slots,
    try_cast(queued_slots as bigint) as queued_slots,
    try_cast(deferred_slots as bigint) as deferred_slots,
    try_cast(scheduled_slots as bigint) as scheduled_slots,
    try_cast(source as varchar) as source,
    try_cast(object_url as varchar) as object_url,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as timestamptz) as sampled_at, cast(null as varchar) as pool, cast(null as bigint) as total_slots, cast(null as bigint) as open_slots, cast(null as bigint) as running_slots, cast(null as bigint) as queued_slots, cast(null as bigint) as deferred_slots, cast(null as bigint) as scheduled_slots, cast(null as varchar) as source, cast(null as varchar) as object_url, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_pool_samples'))
) as stored;

-- metric_samples: one row is one series over one minute
set variable files_metric_samples = (
    select list(file order by file)
    from glob(getvariable('lake') || '/metric_samples/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_metric_samples = case
    when coalesce(len(getvariable('files_metric_samples')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_metric_samples''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view metric_samples as
select
    try_cast(sampled_at as timestamptz) as sampled_at,
    try_cast(name as varchar) as name,
    try_cast(labels as map(varchar, varchar)) as labels,
    try_cast(kind as varchar) as kind,
    try_cast(value as double) as value,
    try_cast(sample_count as bigint) as sample_count,
    try_cast(min_value as double) as min_value,
    try_cast(max_value as double) as max_value,
    try_cast(raw_name as varchar) as raw_name,
    try_cast(from_at as timestamptz) as from_at,
    try_cast(until_at as timestamptz) as until_at,
    try_cast(reset_count as bigint) as reset_count,
    try_cast(object_url as varchar) as object_url,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as timestamptz) as sampled_at, cast(null as varchar) as name, cast(null as map(varchar, varchar)) as labels, cast(null as varchar) as kind, cast(null as double) as value, cast(null as bigint) as sample_count, cast(null as double) as min_value, cast(null as double) as max_value, cast(null as varchar) as raw_name, cast(null as timestamptz) as from_at, cast(null as timestamptz) as until_at, cast(null as bigint) as reset_count, cast(null as varchar) as object_url, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_metric_samples'))
) as stored;

-- import_errors: one row is an import error as seen
set variable files_import_errors = (
    select list(file order by file)
    from glob(getvariable('lake') || '/import_errors/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_import_errors = case
    when coalesce(len(getvariable('files_import_errors')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_import_errors''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view import_errors as
select
    try_cast(seen_at as timestamptz) as seen_at,
    try_cast(dag_file as varchar) as dag_file,
    try_cast(bundle_name as varchar) as bundle_name,
    try_cast(message as varchar) as message,
    try_cast(error_signature as varchar) as error_signature,
    try_cast(source as varchar) as source,
    try_cast(object_url as varchar) as object_url,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as timestamptz) as seen_at, cast(null as varchar) as dag_file, cast(null as varchar) as bundle_name, cast(null as varchar) as message, cast(null as varchar) as error_signature, cast(null as varchar) as source, cast(null as varchar) as object_url, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_import_errors'))
) as stored;

-- component_events: one row is one event that a component told; holds are kept once per minute (`windsock.parse.component.facts.EVENTS`)
set variable files_component_events = (
    select list(file order by file)
    from glob(getvariable('lake') || '/component_events/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_component_events = case
    when coalesce(len(getvariable('files_component_events')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_component_events''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view component_events as
select
    try_cast(event_at as timestamptz) as event_at,
    try_cast(component as varchar) as component,
    try_cast(event as varchar) as event,
    dag_now(try_cast(dag_id as varchar)) as dag_id,
    try_cast(run_id as varchar) as run_id,
    task_now(try_cast(dag_id as varchar), try_cast(task_id as varchar)) as task_id,
    try_cast(map_index as integer) as map_index,
    try_cast(try_number as integer) as try_number,
    try_cast(pool as varchar) as pool,
    try_cast(dag_file as varchar) as dag_file,
    try_cast(reason as varchar) as reason,
    try_cast(exit_code as integer) as exit_code,
    try_cast(limit_value as bigint) as limit_value,
    try_cast(value as bigint) as value,
    try_cast(detail as varchar) as detail,
    try_cast(started_at as timestamptz) as started_at,
    try_cast(hostname as varchar) as hostname,
    try_cast(queue as varchar) as queue,
    try_cast(object_url as varchar) as object_url,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as timestamptz) as event_at, cast(null as varchar) as component, cast(null as varchar) as event, cast(null as varchar) as dag_id, cast(null as varchar) as run_id, cast(null as varchar) as task_id, cast(null as integer) as map_index, cast(null as integer) as try_number, cast(null as varchar) as pool, cast(null as varchar) as dag_file, cast(null as varchar) as reason, cast(null as integer) as exit_code, cast(null as bigint) as limit_value, cast(null as bigint) as value, cast(null as varchar) as detail, cast(null as timestamptz) as started_at, cast(null as varchar) as hostname, cast(null as varchar) as queue, cast(null as varchar) as object_url, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_component_events'))
) as stored;

-- dag_tasks: one row is one task of a DAG as it was when the DAG was read; a reading holds all its tasks
set variable files_dag_tasks = (
    select list(file order by file)
    from glob(getvariable('lake') || '/dag_tasks/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_dag_tasks = case
    when coalesce(len(getvariable('files_dag_tasks')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_dag_tasks''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view dag_tasks as
select
    try_cast(seen_at as timestamptz) as seen_at,
    dag_now(try_cast(dag_id as varchar)) as dag_id,
    task_now(try_cast(dag_id as varchar), try_cast(task_id as varchar)) as task_id,
    try_cast(operator as varchar) as operator,
    try_cast(start_date as timestamptz) as start_date,
    try_cast(end_date as timestamptz) as end_date,
    try_cast(trigger_rule as varchar) as trigger_rule,
    try_cast(depends_on_past as integer) as depends_on_past,
    try_cast(wait_for_downstream as integer) as wait_for_downstream,
    try_cast(is_mapped as integer) as is_mapped,
    try_cast(retries as integer) as retries,
    try_cast(retry_delay_s as double) as retry_delay_s,
    try_cast(execution_timeout_s as double) as execution_timeout_s,
    try_cast(pool as varchar) as pool,
    try_cast(pool_slots as bigint) as pool_slots,
    try_cast(queue as varchar) as queue,
    try_cast(priority_weight as bigint) as priority_weight,
    try_cast(max_active_tis_per_dag as integer) as max_active_tis_per_dag,
    try_cast(max_active_tis_per_dagrun as integer) as max_active_tis_per_dagrun,
    list_transform(try_cast(downstream_task_ids as varchar[]), lambda one: task_now(try_cast(dag_id as varchar), one)) as downstream_task_ids,
    try_cast(source as varchar) as source,
    try_cast(object_url as varchar) as object_url,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as timestamptz) as seen_at, cast(null as varchar) as dag_id, cast(null as varchar) as task_id, cast(null as varchar) as operator, cast(null as timestamptz) as start_date, cast(null as timestamptz) as end_date, cast(null as varchar) as trigger_rule, cast(null as integer) as depends_on_past, cast(null as integer) as wait_for_downstream, cast(null as integer) as is_mapped, cast(null as integer) as retries, cast(null as double) as retry_delay_s, cast(null as double) as execution_timeout_s, cast(null as varchar) as pool, cast(null as bigint) as pool_slots, cast(null as varchar) as queue, cast(null as bigint) as priority_weight, cast(null as integer) as max_active_tis_per_dag, cast(null as integer) as max_active_tis_per_dagrun, cast(null as varchar[]) as downstream_task_ids, cast(null as varchar) as source, cast(null as varchar) as object_url, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_dag_tasks'))
) as stored
where getvariable('only_dag') is null or dag_now(dag_id) = getvariable('only_dag');

-- deployments: one row is a fact about the deployment as seen
set variable files_deployments = (
    select list(file order by file)
    from glob(getvariable('lake') || '/deployments/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_deployments = case
    when coalesce(len(getvariable('files_deployments')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_deployments''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view deployments as
select
    try_cast(seen_at as timestamptz) as seen_at,
    key_now(try_cast(key as varchar)) as key,
    try_cast(value as varchar) as value,
    try_cast(object_url as varchar) as object_url,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as timestamptz) as seen_at, cast(null as varchar) as key, cast(null as varchar) as value, cast(null as varchar) as object_url, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_deployments'))
) as stored;

-- objects: one row is the ledger: one object read
set variable files_objects = (
    select list(file order by file)
    from glob(getvariable('lake') || '/objects/week=*/*.parquet')
    where try_cast(regexp_extract(file, 'week=([0-9]{4}-[0-9]{2}-[0-9]{2})/[^/]*$', 1) as date)
        between weeks_ago(getvariable('weeks_kept')) and report_week() + 7
);
set variable read_objects = case
    when coalesce(len(getvariable('files_objects')), 0) = 0 then 'select 1 as no_files where false'
    else 'select * from read_parquet(getvariable(''files_objects''), union_by_name = true, hive_partitioning = false)'
end;
create or replace temp view objects as
select
    try_cast(object_url as varchar) as object_url,
    try_cast(etag as varchar) as etag,
    try_cast(size as bigint) as size,
    try_cast(modified_at as timestamptz) as modified_at,
    try_cast(kind as varchar) as kind,
    try_cast(outcome as varchar) as outcome,
    try_cast(rows as bigint) as rows,
    try_cast(reject_reason as varchar) as reject_reason,
    try_cast(weeks as varchar[]) as weeks,
    try_cast(parser_version as varchar) as parser_version,
    try_cast(read_at as timestamptz) as read_at
from (
    select cast(null as varchar) as object_url, cast(null as varchar) as etag, cast(null as bigint) as size, cast(null as timestamptz) as modified_at, cast(null as varchar) as kind, cast(null as varchar) as outcome, cast(null as bigint) as rows, cast(null as varchar) as reject_reason, cast(null as varchar[]) as weeks, cast(null as varchar) as parser_version, cast(null as timestamptz) as read_at where false
    union all by name
    select * from query(getvariable('read_objects'))
) as stored;

-- A signature without its frame: what was raised, wherever in the code.
create or replace temp macro without_frame(signature) as regexp_replace(signature, ' @ ([^ ]+|[^@:]+[.]py):[^ @]+$', '');

-- What failed, wherever in the code: a signature without its frame; where it names a login, a connection or a host that
-- cannot be reached, that name, for one bad credential is told in many words. A server that refuses credentials without naming
-- a user is a login of that host. A refusal that says of what (a table, a dataset) is not: it is one cause for each.
create or replace temp macro cause_of(signature) as coalesce(
    'login ' || nullif(regexp_extract(
        signature,
        '(?i)(?:authentication failed|access denied|login failed|incorrect username or password|no pg_hba[.]conf entry).{0,60}?'
            || '[^a-z](?:user|role|login)[ :]*["''`]([[:word:]@.+-]+)',
        1
    ), ''),
    'connection ' || nullif(
        regexp_extract(signature, '(?i)[^a-z]conn(?:ection)?[_ ]id["''`]?[ :=]*["''`]([[:word:].-]+)', 1), ''
    ),
    'connection ' || nullif(
        regexp_extract(signature, '(?i)connection with id ["''`]?([[:word:].-]+)["''`]? (?:was )?not found', 1), ''
    ),
    -- requests and google-auth: 401, and 403 of a whole address
    'login ' || nullif(regexp_extract(
        signature,
        '(?i)(?:client error: (?:unauthorized|forbidden) for url: |unauthorized: <n> [a-z]+ )https?://([a-z][[:word:]<>.-]*)',
        1
    ), ''),
    'login ' || nullif(
        regexp_extract(signature, '(?i)failed to connect to db: ([a-z][[:word:]<>.-]*):.{0,9} incorrect username or password', 1), ''
    ),
    case when regexp_matches(
        signature,
        '(?i)refused|timed? ?out|resolve|unreachable|max retries|translate host|not known|could not connect|can''t connect|'
            || 'cannot connect|unable to connect|ssl error|certificate|reset by peer'
    ) then 'host ' || nullif(regexp_extract(
        signature,
        '(?i)(?:host=|host name |failed to resolve |server (?:at|on) )["''`]([a-z][[:word:]-]*(?:[.][[:word:]<>-]+)*)["''`]',
        1
    ), '') end,
    -- botocore, requests, aiohttp, Snowflake: an address without its path, or a name with a dot
    'host ' || nullif(regexp_extract(
        signature,
        '(?i)(?:could not connect to the|connect timeout on|read timeout on) endpoint url: ["''`]https?://([a-z][[:word:]<>.-]*)',
        1
    ), ''),
    'host ' || nullif(regexp_extract(
        signature,
        '(?i)(?:ssl validation failed for|server error: (?:service unavailable|bad gateway|gateway time-?out) for url:) '
            || 'https?://([a-z][[:word:]<>.-]*)',
        1
    ), ''),
    'host ' || nullif(regexp_extract(
        signature,
        '(?i)(?:cannot connect to host|connection to host|verify the account name is correct:) '
            || '([a-z][[:word:]<>-]*(?:[.][[:word:]<>-]+)+)',
        1
    ), ''),
    without_frame(signature)
);

-- Whether an error is one of reaching something, or of being let in, whatever the client: of such a one the connection that
-- was taken last before it is worth a name. A right that lacks on one table or bucket is no such error.
create or replace temp macro is_of_connection(signature) as regexp_matches(
    signature,
    '(?i)connection (?:refused|timed out|reset|aborted|to server at)|lost connection|closed the connection|connection closed|'
        || 'connect timeout|(?:could not|cannot|can''t|unable to|failed to) (?:re)?connect|broken pipe|network is unreachable|'
        || 'name or service not known|temporary failure in name resolution|no route to host|ssh protocol banner|'
        || 'remote end closed|max retries exceeded|certificate verify failed|ssl error|handshake|'
        || 'unable to locate credentials|determine credentials|invalid ?access ?key|expired ?token|token (?:has |is )?expired|'
        || 'invalid_grant|invalid_client|authentication failed|authenticationexception|login (?:failed|denied)|logon denied|'
        || 'invalid (?:username|password|credentials|api key|token)|incorrect username or password|'
        || 'unauthorized|unauthenticated|http <n>: forbidden|[(]<n>[)][^a-z]{0,4}when calling the headobject|headobject operation: forbidden'
);

-- One row per signature without its frame, of the weeks seen: `cause`, what its text names (`cause_of`).
-- Where it is an error of reaching something and names nothing, the connection that nine in ten of its tries took last, where
-- their logs tell: the clients' words differ, the connection is one. Where the tries took several, it is no connection's fault.
create or replace temp view error_causes as
with errors as (
    select without_frame(error_signature) as bare_signature, connections[-1] as connection, count(*) as tries
    from task_logs
    where error_signature is not null  -- whatever the log's own state: others may know that the try failed
    group by all
),
taken as (
    select
        bare_signature,
        arg_max(connection, (tries, connection)) as connection,
        max(tries) filter (where connection is not null) as most,
        sum(tries) as tries
    from errors
    group by bare_signature
)
select
    bare_signature,
    case
        when most >= 0.9 * tries and cause_of(bare_signature) = bare_signature and is_of_connection(bare_signature)
            then 'connection ' || connection
        else cause_of(bare_signature)
    end as cause
from taken;

-- What API, database and component logs tell of tries, with the moment of telling in `read_at`: a line of a component
-- log was told when it was written. A try left running takes the state that a component marked it with afterwards: a
-- marking names no try number (before 2.9 no run either), but the second in which the try began. A try of which nothing was
-- heard any more, or that waited in the queue for too long, has failed by that: of a worker that is gone nobody tells more.
create or replace temp view told_tries as
with ended_by_scheduler as (
    select
        dag_id,
        run_id,
        task_id,
        map_index,
        try_number,
        'failed' as state,
        started_at,
        event_at as ended_at,
        event_at as told_at,
        event_at as anchor_at,
        event_at as read_at,
        queue,
        hostname,
        'component_log' as source,
        object_url
    from component_events
    where event in ('heartbeat_timeout', 'queue_timeout')
        and dag_id is not null
        and run_id is not null
        and task_id is not null
        and try_number > 0
),
markings as (
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
from (
    select * from task_instances
    union all by name
    select * from ended_by_scheduler
) as told
left join markings
    on told.source = 'component_log'
    and (told.state is null or told.state in ('running', 'queued'))
    and told.dag_id = markings.dag_id
    and told.run_id = coalesce(markings.run_id, told.run_id)
    and told.task_id = markings.task_id
    and coalesce(told.map_index, -1) = markings.map_index
    and date_trunc('second', told.started_at) = markings.began_at;

-- One row per run, of what API, database and component logs tell: the newest telling, and what it leaves open by older ones.
-- `first_end`, the oldest end told: what is cleared later ends anew.
create or replace temp view known_runs as
select *
    replace (
        first_value(run_type ignore nulls) over tellings as run_type,
        first_value(logical_date ignore nulls) over tellings as logical_date,
        first_value(run_after ignore nulls) over tellings as run_after,
        first_value(bundle_version ignore nulls) over tellings as bundle_version,
        coalesce(queued_at, case when coalesce(first_value(queued_at ignore nulls) over tellings <= started_at, true) then first_value(queued_at ignore nulls) over tellings end) as queued_at,
        coalesce(started_at, case when state not in ('queued', 'scheduled', 'restarting', 'removed') and coalesce(first_value(started_at ignore nulls) over tellings <= ended_at, true) then first_value(started_at ignore nulls) over tellings end) as started_at,
        coalesce(ended_at, case when state in ('success', 'failed', 'skipped', 'up_for_retry', 'upstream_failed') and coalesce(first_value(ended_at ignore nulls) over tellings >= started_at, true) then first_value(ended_at ignore nulls) over tellings end) as ended_at
    ),
    last_value(case when state in ('success', 'failed') then state end ignore nulls) over tellings as first_end
    from dag_runs
    window tellings as (
        partition by dag_id, run_id order by coalesce(told_at, read_at) desc nulls last, case when object_url like 'db:%' then 0 when object_url like 'api:%' then 1 else 2 end, object_url rows between unbounded preceding and unbounded following
    )
    qualify row_number() over tellings = 1;

-- One row per try: what its log says happened, joined with what API, database or component log know about it.
--
-- Further columns: `log_state` and `told_state`, what the log alone and what the others alone say.
-- `process_starts`, processes that began in its log (each poke of a rescheduled sensor, each resume of a deferral).
-- `deferred_s`, `rescheduled_s`, time of the try in which it held no worker, and `away`, these spans, where its log tells.
-- `connections`, ids of those that its hooks took, the last one last, where its log tells (Airflow 2 and 3.0; later at debug).
-- `setup_s`, time of the try spent on fetching its bundle and parsing its file, where the log tells (3.3). `is_cleared`, the try belongs to no first execution: it follows a success of the same task, or a
-- failure that was final (its marking in Airflow 2, max_tries), or the end of its run, or a gap of more than a day.
-- `final_try`, the last known try of the first execution. `loses_run`, it failed, and its run with it: where API, database or
-- scheduler tell how the run first ended, that decides (a task after it may have dealt with the failure, a teardown loses no run),
-- unless a person marked the try; where they do not, a task that never lost one of the runs that they tell of loses none. `run_end`, what they tell;
-- null: nothing, or it was marked or cleared. `is_quiet`, it started inside a quiet window. `is_asked`,
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
    -- one attempt may have objects under two layouts after an upgrade: the last written one speaks; where exports of
    -- two days divide it between them, it began with the first
    select * replace (
        case
            when ends_with(object_url, '.log/000000.gz') then min(started_at) over (
                partition by dag_id, run_id, task_id, map_index, try_number, ends_with(object_url, '.log/000000.gz')
            )
            else started_at
        end as started_at
    )
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
    select *
    replace (
        first_value(max_tries ignore nulls) over tellings as max_tries,
        first_value(operator ignore nulls) over tellings as operator,
        first_value(pool ignore nulls) over tellings as pool,
        first_value(pool_slots ignore nulls) over tellings as pool_slots,
        first_value(queue ignore nulls) over tellings as queue,
        first_value(executor ignore nulls) over tellings as executor,
        first_value(priority_weight ignore nulls) over tellings as priority_weight,
        first_value(hostname ignore nulls) over tellings as hostname,
        coalesce(scheduled_at, case when coalesce(first_value(scheduled_at ignore nulls) over tellings <= started_at, true) then first_value(scheduled_at ignore nulls) over tellings end) as scheduled_at,
        coalesce(queued_at, case when coalesce(first_value(queued_at ignore nulls) over tellings <= started_at, true) then first_value(queued_at ignore nulls) over tellings end) as queued_at,
        coalesce(started_at, case when state not in ('queued', 'scheduled', 'restarting', 'removed') and coalesce(first_value(started_at ignore nulls) over tellings <= ended_at, true) then first_value(started_at ignore nulls) over tellings end) as started_at,
        coalesce(ended_at, case when state in ('success', 'failed', 'skipped', 'up_for_retry', 'upstream_failed') and coalesce(first_value(ended_at ignore nulls) over tellings >= started_at, true) then first_value(ended_at ignore nulls) over tellings end) as ended_at
    )
    from (select * from told where place in (select place from told_twice)) as twice
    window tellings as (
        partition by place order by read_at desc nulls last, case when object_url like 'db:%' then 0 when object_url like 'api:%' then 1 else 2 end, is_history nulls first, object_url rows between unbounded preceding and unbounded following
    )
    qualify row_number() over tellings = 1
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
        l.connections,
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
        runs.first_end,
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
-- tasks that failed in runs which ended well, and lost none alone
handled as (
    select dag_id, task_id
    from (
        select distinct
            failed.dag_id,
            failed.run_id,
            failed.task_id,
            runs.first_end as end_state,
            count(distinct failed.task_id) over (partition by failed.dag_id, failed.run_id) as failed_tasks
        from task_instances as failed
        join runs on failed.dag_id = runs.dag_id and failed.run_id = runs.run_id
        where failed.state = 'failed' and failed.is_history is distinct from 1 and runs.first_end is not null
    ) as each_failure
    group by dag_id, task_id
    having count(*) filter (where end_state = 'success') >= 2
        and count(*) filter (where end_state = 'failed' and failed_tasks = 1) = 0
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
reruns as (
    select distinct dag_id, run_id from followed where is_new_execution
),
scoped as (
    select
        *,
        exists (
            select 1 from quiet_windows where placed.started_at >= from_at and placed.started_at < until_at
        ) as is_quiet,
        exists (select 1 from excluded_dags where placed.dag_id glob pattern) as is_excluded,
        case
            when told_state = 'success' then null  -- a person marked it, where its log says that it failed
            when (dag_id, run_id) not in (select (dag_id, run_id) from reruns) then first_end
        end as run_end,
        (dag_id, task_id) in (select (dag_id, task_id) from handled) as is_handled
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
        -- its log stops, and yet there was another try: this one did not end well
        when seen_state in ('unknown', 'running', 'deferred', 'up_for_reschedule') and not ends_execution then 'up_for_retry'
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
    ends_execution
        and not is_cleared
        and seen_state in ('failed', 'up_for_retry')
        and case run_end when 'success' then false when 'failed' then true else not is_handled end as loses_run,
    run_end,
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
    away,
    connections
from scoped;

-- well_runs: one row is one run of nine weeks with judged tries, in which nothing failed and which is over: nothing of it was
-- heard for twice as long as a run of its DAG takes, and for six hours. `began_at`, its first try.
create or replace temp view well_runs as
with ended as (
    select
        dag_id,
        run_id,
        min(coalesce(started_at, queued_at, scheduled_at)) as began_at,
        max(ended_at) as ended_at,
        max(max(ended_at)) over () as heard_until,
        bool_and(state in ('success', 'skipped', 'up_for_retry')) as is_well
    from task_tries
    where is_judged and week >= weeks_ago(8) and week <= report_week()
    group by dag_id, run_id
),
lasting as (
    select
        *,
        greatest(interval 6 hours, 2 * max(ended_at - began_at) over (partition by dag_id)) as span
    from ended
    where is_well and began_at is not null
)
select dag_id, run_id, began_at
from lasting
where ended_at + span < heard_until;

-- One row per try that was queued or started, of this week and the one before: when it was ready (`ready_from`: told,
-- retry, upstream, run; the last three are rebuilt), when it took its slot and gave it back. A try that is open by
-- API or database holds its slot until the end of the week; a deferred one only where the pool counts deferred tasks.
create or replace temp view slot_tries as
with deferring as (
    select
        regexp_extract(key, '^pool[.](.*)[.]include_deferred$', 1) as pool,
        arg_max(lower(value), seen_at) = 'true' as counts_deferred
    from deployments
    where key like 'pool.%.include_deferred'
    group by pool
),
runs as (
    select dag_id, run_id, min(started_at) as run_started_at
    from dag_runs
    group by dag_id, run_id
),
tries as (
    select
        task_tries.*,
        deferring.counts_deferred,
        coalesce(queued_at, task_tries.started_at) as taken_at,
        coalesce(
            ended_at,
            case
                when is_asked
                    and (state in ('running', 'queued', 'restarting') or (state = 'deferred' and counts_deferred))
                    then greatest(week_end(), coalesce(queued_at, task_tries.started_at))
            end
        ) as given_back_at,
        -- what a person cleared days later did not wait for a retry
        case when not is_cleared then lag(ended_at) over attempts end as prev_ended_at
    from task_tries
    left join deferring on task_tries.pool = deferring.pool
    where week >= weeks_ago(1)
        and week <= report_week()
        and try_number > 0
        and coalesce(queued_at, task_tries.started_at) is not null
    window attempts as (partition by dag_id, run_id, task_id, map_index order by try_number)
),
untold as (
    select dag_id, run_id, task_id, map_index, try_number, taken_at
    from tries
    where scheduled_at is null and queued_at is not null and try_number = 1
),
spans as (
    select
        dag_id,
        run_id,
        task_id,
        min(taken_at) as first_taken_at,
        max(ended_at) as last_ended_at,
        max(priority_weight) as weight
    from tries
    where not is_cleared and dag_id in (select dag_id from untold)
    group by dag_id, run_id, task_id
),
recent as (
    select dag_id, run_id
    from spans
    group by dag_id, run_id
    qualify row_number() over (partition by dag_id order by max(first_taken_at) desc, run_id) <= 20
),
weighted as (
    select dag_id, count(distinct weight) > 1 as has_weights from spans group by dag_id
),
upstream as (
    select first.dag_id, first.task_id as upstream_id, later.task_id
    from recent
    join spans as first on recent.dag_id = first.dag_id and recent.run_id = first.run_id
    join spans as later on recent.dag_id = later.dag_id and recent.run_id = later.run_id
    join weighted on recent.dag_id = weighted.dag_id
    where first.task_id <> later.task_id and (not has_weights or first.weight is distinct from later.weight)
    group by first.dag_id, first.task_id, later.task_id
    having coalesce(bool_and(first.last_ended_at <= later.first_taken_at), false)
),
upstream_ends as (
    select untold.dag_id, untold.run_id, untold.task_id, untold.map_index, max(spans.last_ended_at) as upstream_ended_at
    from untold
    join upstream on untold.dag_id = upstream.dag_id and untold.task_id = upstream.task_id
    join spans
        on spans.dag_id = untold.dag_id
        and spans.run_id = untold.run_id
        and spans.task_id = upstream.upstream_id
        and spans.last_ended_at <= untold.taken_at
    group by untold.dag_id, untold.run_id, untold.task_id, untold.map_index
),
delays as (
    select dag_id, task_id, min(taken_at - prev_ended_at) as least_delay
    from tries
    where scheduled_at is null
        and queued_at is not null
        and try_number > 1
        and not is_cleared
        and taken_at >= prev_ended_at
    group by dag_id, task_id
),
rebuilt as (
    select
        tries.*,
        run_started_at,
        upstream_ended_at,
        case
            when scheduled_at is not null then 'told'
            -- queued again after it began: it came back from a deferral, and when it was ready for that nobody tells
            when queued_at is null or queued_at > tries.started_at then null
            when is_cleared then null
            when try_number > 1 and prev_ended_at is not null and least_delay is not null then 'retry'
            when try_number > 1 then null
            when upstream_ended_at is not null and upstream_ended_at >= coalesce(run_started_at, upstream_ended_at)
                then 'upstream'
            when run_started_at is not null then 'run'
        end as ready_from,
        prev_ended_at + least_delay as retry_at
    from tries
    left join runs on tries.dag_id = runs.dag_id and tries.run_id = runs.run_id
    left join upstream_ends
        on tries.dag_id = upstream_ends.dag_id
        and tries.run_id = upstream_ends.run_id
        and tries.task_id = upstream_ends.task_id
        and tries.map_index = upstream_ends.map_index
        and tries.try_number = 1
    left join delays on tries.dag_id = delays.dag_id and tries.task_id = delays.task_id
)
select
    dag_id,
    run_id,
    task_id,
    map_index,
    try_number,
    state,
    pool,
    queue,
    cast(coalesce(pool_slots, 1) as bigint) as slots,
    cast(coalesce(priority_weight, 1) as bigint) as priority,
    case ready_from
        when 'told' then least(scheduled_at, taken_at)
        when 'retry' then least(retry_at, taken_at)
        when 'upstream' then least(upstream_ended_at, taken_at)
        when 'run' then least(run_started_at, taken_at)
    end as ready_at,
    ready_from,
    queued_at,
    taken_at,
    started_at,
    given_back_at,
    run_started_at,
    prev_ended_at,
    is_excluded,
    week,
    operator,
    away,
    coalesce(counts_deferred, false) as counts_deferred,
    coalesce(regexp_matches(operator, '(?i)sensor$') and process_starts = 1, false) as is_poking
from rebuilt;

-- One row per time that a try held its slot: `slot_tries`, but where its log tells when it was deferred or rescheduled, a
-- row for each process. A pool that counts deferred tasks keeps the slot while they are. The ready time belongs to the last
-- leg, as do `scheduled_at` and `queued_at`; earlier ones begin with their process. `is_last_leg` is true once per try.
create or replace temp view slot_legs as
with spans as (
    select
        *,
        list_filter(away, lambda span: split_part(span, '/', 1) <> 'deferred' or not counts_deferred) as gaps
    from slot_tries
),
bounds as (
    select
        *,
        list_concat([started_at], [cast(split_part(gap, '/', 3) as timestamptz) for gap in gaps]) as begins,
        list_concat([cast(split_part(gap, '/', 2) as timestamptz) for gap in gaps], [given_back_at]) as ends
    from spans
    where len(gaps) > 0 and started_at is not null
),
numbered as (
    select *, unnest(range(1, len(begins) + 1)) as leg from bounds
),
placed as (
    select
        * replace (
            ends[leg] as given_back_at,
            -- the last process was queued after the one before had left
            case
                when leg = len(begins) and queued_at between ends[leg - 1] and begins[leg] then queued_at
                else begins[leg]
            end as taken_at
        )
    from numbered
)
select
    * exclude (gaps, begins, ends, leg) replace (
        case
            when leg = len(begins) and ready_at >= ends[leg - 1] then least(ready_at, taken_at)
        end as ready_at,
        case when leg = len(begins) and ready_at >= ends[leg - 1] then ready_from end as ready_from
    ),
    leg = len(begins) as is_last_leg
from placed
union all by name
select
    * exclude (gaps) replace (
        -- deferred without a gap: the slot was kept from the first process on
        case when len(away) > 0 then least(taken_at, started_at) else taken_at end as taken_at,
        case when len(away) > 0 and ready_at > started_at then null else ready_at end as ready_at,
        case when len(away) > 0 and ready_at > started_at then null else ready_from end as ready_from
    ),
    true as is_last_leg
from spans
where coalesce(len(gaps), 0) = 0 or started_at is null;

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

-- One row per pool and size, of the report week. API and database tell the size; gauges tell open, running and queued slots,
-- whose sum it is, with the deferred ones where that is the steadier sum (a pool that counts deferred tasks). Gauges of one
-- scrape are not of one instant, so theirs is the median of five neighbouring samples. A size of -1 is no limit.
-- Whether deferred tasks hold slots is what API or database said last, else what the gauges show.
create or replace temp view pool_spans as
with deferring as (
    select
        regexp_extract(key, '^pool[.](.*)[.]include_deferred$', 1) as pool,
        arg_max(lower(value), seen_at) = 'true' as includes_deferred
    from deployments
    where key like 'pool.%.include_deferred'
    group by pool
),
told as (
    select
        pool,
        sampled_at,
        source in ('api', 'db') as is_exact,
        case when total_slots < 0 then 2147483647 else total_slots end as total_slots,
        open_slots + running_slots + coalesce(queued_slots, 0) as without_deferred,
        open_slots + running_slots + coalesce(queued_slots, 0) + coalesce(deferred_slots, 0) as with_deferred
    from pool_samples
    where monday_of(sampled_at) >= weeks_ago(1)
        and sampled_at < week_end()
        and coalesce(total_slots, open_slots + running_slots) is not null
),
kinds as (
    select
        pool,
        coalesce(sum(abs(with_deferred - usual_with)) < sum(abs(without_deferred - usual_without)), false)
            as includes_deferred
    from (
        select
            *,
            median(with_deferred) over (partition by pool) as usual_with,
            median(without_deferred) over (partition by pool) as usual_without
        from told
        where not is_exact
    ) as spread
    group by pool
),
sized as (
    select
        told.pool,
        sampled_at,
        is_exact,
        coalesce(deferring.includes_deferred, kinds.includes_deferred, false) as includes_deferred,
        case
            when is_exact then coalesce(total_slots, without_deferred)
            when coalesce(deferring.includes_deferred, kinds.includes_deferred) then greatest(coalesce(total_slots, 0), with_deferred)
            else coalesce(total_slots, without_deferred)
        end as slots
    from told
    left join kinds on told.pool = kinds.pool
    left join deferring on told.pool = deferring.pool
),
smooth as (
    select
        pool,
        sampled_at,
        includes_deferred,
        cast(case
            when is_exact then slots
            else median(slots) over (
                partition by pool, is_exact order by sampled_at rows between 2 preceding and 2 following
            )
        end as bigint) as slots
    from sized
),
turns as (
    select *
    from smooth
    qualify slots is distinct from lag(slots) over (partition by pool order by sampled_at)
),
spans as (
    select
        pool,
        sampled_at,
        coalesce(lead(sampled_at) over (partition by pool order by sampled_at), week_end()) as until_at,
        row_number() over (partition by pool order by sampled_at) = 1 as is_first,
        slots,
        includes_deferred
    from turns
)
select
    pool,
    -- nothing is known before the first sample: its size is taken back to the start of the week
    case when is_first or sampled_at < week_start() then week_start() else sampled_at end as from_at,
    until_at,
    slots,
    includes_deferred
from spans
where until_at > week_start();

-- tasks_now: one row is one task of a DAG as the newest reading up to two days after the week has it, else as the first one after.
-- A pull of Monday tells of the week that ended; of two sources of one pull the database tells more.
create or replace temp view tasks_now as
with readings as (
    select
        dag_id,
        coalesce(max(seen_at) filter (where seen_at < week_end() + interval 2 days), min(seen_at)) as seen_at
    from dag_tasks
    group by dag_id
),
tellers as (
    select dag_tasks.dag_id, dag_tasks.seen_at, max(dag_tasks.source) as source
    from dag_tasks
    join readings on dag_tasks.dag_id = readings.dag_id and dag_tasks.seen_at = readings.seen_at
    group by dag_tasks.dag_id, dag_tasks.seen_at
)
select dag_tasks.*
from dag_tasks
join tellers
    on dag_tasks.dag_id = tellers.dag_id
    and dag_tasks.seen_at = tellers.seen_at
    and dag_tasks.source is not distinct from tellers.source;
