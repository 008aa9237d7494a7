-- How long did each new version of a bundle take from its first sight to the first task that ran on it?
--
-- When a commit was made no input tells: the clock starts when the dag-processor first told of the version (its log, a
-- measured parse), `seen_by`. Versions that only task logs name have no such moment: then it is null. A DAG's version tells
-- none either: Airflow 3.2 and newer write the newest commit into its row and keep the time at which the row was made.
-- The wait holds the refresh of the bundle, the parse, and the time until a DAG of it was next due.
--
-- grain:    bundle_name, bundle_version
-- reads:    task_tries, parse_samples, component_events
-- columns:
--   bundle_name     varchar      empty where no source tells it
--   bundle_version  varchar
--   seen_at         timestamptz  first sight by Airflow itself; null where nothing but task logs tell the version
--   seen_by         varchar      dag_processor, parse
--   first_run_at    timestamptz  first try that ran on it; in the week
--   first_dag_id    varchar
--   dags            bigint       that have run on it since, until the week's end
--   wait_s          double       from seen_at to first_run_at
with sights as (
    select reason as bundle_name, detail as bundle_version, event_at as seen_at, 'dag_processor' as seen_by
    from component_events
    where event = 'bundle_changed'
    union all
    select bundle_name, bundle_version, parsed_at, 'parse' from parse_samples where source <> 'task_log'
),
firsts as (
    select
        coalesce(bundle_name, '') as bundle_name,
        bundle_version,
        min(seen_at) as seen_at,
        arg_min(seen_by, (seen_at, seen_by)) as seen_by
    from sights
    where bundle_version is not null and bundle_version <> '' and seen_at is not null
    group by coalesce(bundle_name, ''), bundle_version
),
runs as (
    select
        coalesce(bundle_name, '') as bundle_name,
        bundle_version,
        min(started_at) as first_run_at,
        arg_min(dag_id, (started_at, dag_id)) as first_dag_id,
        count(distinct dag_id) as dags
    from task_tries
    where bundle_version is not null and bundle_version <> '' and started_at < week_end()
    group by coalesce(bundle_name, ''), bundle_version
)
select
    runs.bundle_name,
    runs.bundle_version,
    -- a processor that was asked later than a task ran tells nothing of the wait
    case when firsts.seen_at <= first_run_at then firsts.seen_at end as seen_at,
    case when firsts.seen_at <= first_run_at then firsts.seen_by end as seen_by,
    first_run_at,
    first_dag_id,
    dags,
    case when firsts.seen_at <= first_run_at then epoch_us(first_run_at - firsts.seen_at) / 1e6 end as wait_s
from runs
left join firsts on runs.bundle_name = firsts.bundle_name and runs.bundle_version = firsts.bundle_version
where first_run_at >= week_start()
order by first_run_at, runs.bundle_name, runs.bundle_version
