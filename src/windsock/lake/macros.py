"""The head of `lake.sql`: its variables, macros of the week and of names, and what is never judged."""

HEAD = """-- The lake's views, macros and variables. Generated from src/windsock/schema.py; runs unchanged in DuckDB 1.5 and 2.0
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
"""
