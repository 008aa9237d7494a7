-- Which runs had tasks on more than one version of their bundle?
--
-- A versioned bundle (git) pins a run to one version; two versions in one run mean that tasks were cleared to run the
-- latest code, or that versioning is off. A local bundle tells no versions: nothing is known of its runs.
--
-- grain:    dag_id, run_id, bundle_name
-- reads:    task_tries
-- columns:
--   dag_id         varchar
--   run_id         varchar
--   run_type       varchar
--   bundle_name    varchar      empty where no source tells it
--   versions       bigint       of the bundle, in this run
--   first_version  varchar      of the run's first try
--   last_version   varchar      of the first try on another version
--   tries_before   bigint       on the first version
--   tries_after    bigint       on any other
--   changed_at     timestamptz  first try on another version; it lies in the week
--   is_rerun       boolean      whether every task that ran on another version had run in this run before
--   is_lost        boolean      whether a task's last known try failed
with mixed as (
    -- hardly any run is, so only those are sorted try by try
    select dag_id, run_id, coalesce(bundle_name, '') as bundle_name
    from task_tries
    where bundle_version <> '' and started_at is not null
    group by dag_id, run_id, coalesce(bundle_name, '')
    having min(bundle_version) <> max(bundle_version)
),
known as (
    select
        task_tries.* replace (coalesce(task_tries.bundle_name, '') as bundle_name),
        arg_min(bundle_version, started_at) over (partition by dag_id, run_id, bundle_name) as first_version,
        min(started_at) over (partition by dag_id, run_id, bundle_name, task_id, map_index) as task_began_at
    from task_tries
    semi join mixed
        on task_tries.dag_id = mixed.dag_id
        and task_tries.run_id = mixed.run_id
        and coalesce(task_tries.bundle_name, '') = mixed.bundle_name
    where bundle_version <> '' and started_at is not null
)
select
    dag_id,
    run_id,
    any_value(run_type) as run_type,
    bundle_name,
    count(distinct bundle_version) as versions,
    any_value(first_version) as first_version,
    arg_min(bundle_version, started_at) filter (where bundle_version <> first_version) as last_version,
    count(*) filter (where bundle_version = first_version) as tries_before,
    count(*) filter (where bundle_version <> first_version) as tries_after,
    min(started_at) filter (where bundle_version <> first_version) as changed_at,
    bool_and(task_began_at < started_at) filter (where bundle_version <> first_version) as is_rerun,
    coalesce(bool_or(loses_run), false) as is_lost
from known
group by dag_id, run_id, bundle_name
having min(started_at) filter (where bundle_version <> first_version) >= week_start()
    and min(started_at) filter (where bundle_version <> first_version) < week_end()
order by changed_at, dag_id, run_id, bundle_name
