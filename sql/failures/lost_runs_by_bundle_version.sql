-- How many runs did each DAG lose under each version of its bundle, in the last nine weeks?
--
-- A run that mixes versions counts for the newest one. Against the last good version a slow drift cannot become the norm.
--
-- grain:    dag_id, bundle_version
-- reads:    task_tries
-- columns:
--   dag_id          varchar
--   bundle_version  varchar
--   bundle_name     varchar
--   first_at        timestamptz  first run seen on it
--   last_at         timestamptz
--   runs            bigint
--   lost_runs       bigint
--   no_end_runs     bigint       runs not lost so far as is known, in which nobody knows how a task ended
--   runs_now        bigint       of `runs`, those of the week
--   lost_now        bigint
--   no_end_now      bigint
with runs as (
    select
        dag_id,
        run_id,
        arg_max(bundle_version, started_at) as bundle_version,
        arg_max(bundle_name, started_at) as bundle_name,
        min(started_at) as started_at,
        min(week) as week,
        coalesce(bool_or(loses_run), false) as is_lost,
        coalesce(bool_or(final_try and not has_end(state)), false) as is_open
    from task_tries
    where is_judged and bundle_version is not null and week >= weeks_ago(8) and week <= report_week()
    group by dag_id, run_id
)
select
    dag_id,
    bundle_version,
    max(bundle_name) as bundle_name,
    min(started_at) as first_at,
    max(started_at) as last_at,
    count(*) as runs,
    count(*) filter (where is_lost) as lost_runs,
    count(*) filter (where is_open and not is_lost) as no_end_runs,
    count(*) filter (where week = report_week()) as runs_now,
    count(*) filter (where week = report_week() and is_lost) as lost_now,
    count(*) filter (where week = report_week() and is_open and not is_lost) as no_end_now
from runs
group by dag_id, bundle_version
order by dag_id, first_at, bundle_version
