-- Which code did cleared tasks run: that of the first execution, newer, or older; and did it help?
--
-- Airflow 3.0 runs a cleared task on the latest code, 3.1 and newer on the code of its run unless told otherwise. A rerun is
-- one task instance that was cleared and ran in the week; it is set against its own first execution. `stale` ones ran on a
-- version although a newer one of the bundle had been seen before they began.
--
-- grain:    dag_id
-- reads:    task_tries, parse_samples
-- columns:
--   dag_id           varchar
--   bundle_name      varchar
--   reruns           bigint       task instances with a version told for both executions
--   same             bigint       on the version of the first execution
--   same_failed      bigint       of those, failed (their last known try)
--   newer            bigint       on a version first seen after it
--   newer_failed     bigint
--   older            bigint       on a version first seen before it
--   older_failed     bigint
--   stale            bigint       a newer version had been seen when they began
--   repeated         bigint       failed on a version, were cleared, ran on it again although a newer one was there, failed again
--   repeated_runs    bigint       runs of those
--   last_run_id      varchar      of the last of those
--   last_version     varchar      its version
--   newest_version   varchar      the newest that had been seen then
--   first_at         timestamptz  first of those
--   last_at          timestamptz
with versions as (
    select bundle_name, bundle_version, min(seen_at) as first_at
    from (
        select coalesce(bundle_name, '') as bundle_name, bundle_version, started_at as seen_at from task_tries
        union all
        select coalesce(bundle_name, ''), bundle_version, parsed_at from parse_samples
    ) as seen
    where bundle_version is not null and bundle_version <> '' and seen_at is not null
    group by bundle_name, bundle_version
),
cleared as (
    select dag_id, run_id, task_id, map_index
    from task_tries
    where is_cleared and week = report_week() and bundle_version <> '' and not is_excluded
    group by dag_id, run_id, task_id, map_index
),
executions as (
    select
        tries.dag_id,
        tries.run_id,
        coalesce(arg_max(tries.bundle_name, tries.try_number), '') as bundle_name,
        arg_max(tries.bundle_version, tries.try_number) filter (where not is_cleared) as first_version,
        arg_max(tries.state, tries.try_number) filter (where not is_cleared) as first_state,
        arg_max(tries.bundle_version, tries.try_number) filter (where is_cleared and week = report_week()) as version,
        arg_max(tries.state, tries.try_number) filter (where is_cleared and week = report_week()) as state,
        arg_max(tries.started_at, tries.try_number) filter (where is_cleared and week = report_week()) as started_at
    from task_tries as tries
    join cleared
        on tries.dag_id = cleared.dag_id
        and tries.run_id = cleared.run_id
        and tries.task_id = cleared.task_id
        and tries.map_index = cleared.map_index
    where tries.bundle_version <> ''
    group by tries.dag_id, tries.run_id, tries.task_id, tries.map_index
),
compared as (
    select
        executions.*,
        newest.bundle_version as newest_version,
        ran.first_at as ran_first_at,
        before.first_at as before_first_at,
        newest.first_at > ran.first_at as is_stale,
        state = 'failed' as is_failed
    from executions
    join versions as ran on executions.bundle_name = ran.bundle_name and executions.version = ran.bundle_version
    join versions as before
        on executions.bundle_name = before.bundle_name and executions.first_version = before.bundle_version
    asof join (
        select bundle_name, first_at, max(bundle_version) as bundle_version from versions group by bundle_name, first_at
    ) as newest
        on executions.bundle_name = newest.bundle_name and executions.started_at >= newest.first_at
),
judged as (
    select
        *,
        version = first_version and is_stale and is_failed and first_state = 'failed' as is_repeated
    from compared
)
select
    dag_id,
    max(bundle_name) as bundle_name,
    count(*) as reruns,
    count(*) filter (where version = first_version) as same,
    count(*) filter (where version = first_version and is_failed) as same_failed,
    count(*) filter (where ran_first_at > before_first_at) as newer,
    count(*) filter (where ran_first_at > before_first_at and is_failed) as newer_failed,
    count(*) filter (where version <> first_version and ran_first_at <= before_first_at) as older,
    count(*) filter (where version <> first_version and ran_first_at <= before_first_at and is_failed) as older_failed,
    count(*) filter (where is_stale) as stale,
    count(*) filter (where is_repeated) as repeated,
    count(distinct run_id) filter (where is_repeated) as repeated_runs,
    max_by(run_id, started_at order by run_id) filter (where is_repeated) as last_run_id,
    max_by(version, started_at order by run_id) filter (where is_repeated) as last_version,
    max_by(newest_version, started_at order by run_id) filter (where is_repeated) as newest_version,
    min(started_at) filter (where is_repeated) as first_at,
    max(started_at) filter (where is_repeated) as last_at
from judged
group by dag_id
order by dag_id
