-- How many runs of each DAG were lost on each day of the last nine weeks?
--
-- The judge's material: judged runs only, one unit per run, whatever number of its tasks failed. A run that spans midnight
-- belongs to the day it began, and one that ends in the next week to the week it began.
--
-- grain:    dag_id, day
-- reads:    task_tries
-- columns:
--   dag_id         varchar
--   day            date         UTC day on which the run's first judged try started
--   week           date         its Monday
--   runs           bigint
--   lost_runs      bigint       runs that a task lost: it failed its last known try, and its run with it
--   saved_runs     bigint       runs not lost in which a first try failed, and each task that failed was saved by a retry
--   no_end_runs    bigint       runs not lost so far as is known, in which nobody knows how a task ended
--   tries          bigint
--   failures       bigint       tries that failed, retried or not
--   hours          double       hours that the tries ran
--   first_lost_at  timestamptz  the first try that lost one of these runs began; null: none was lost
--   first_well_at  timestamptz  the first of the runs known not to be lost began; null: none is
with runs as (
    select
        dag_id,
        run_id,
        min(week) as week,
        min(coalesce(started_at, queued_at, scheduled_at)) as began_at,
        cast(min(coalesce(started_at, queued_at, scheduled_at)) as date) as day,
        min(coalesce(started_at, queued_at, scheduled_at)) filter (
            where loses_run
        ) as lost_at,
        count(*) as tries,
        count(*) filter (where state in ('failed', 'up_for_retry')) as failures,
        coalesce(sum(duration_s), 0) / 3600 as hours,
        coalesce(bool_or(loses_run), false) as is_lost,
        coalesce(bool_or(final_try and state in ('failed', 'up_for_retry')), false) as has_lost_task,
        coalesce(bool_or(final_try and not has_end(state) and week <= report_week()), false) as is_open,
        coalesce(bool_or(first_try and state in ('failed', 'up_for_retry')), false) as is_first_failed
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week() + 7
        and is_judged
    group by dag_id, run_id
    having min(week) <= report_week() and min(coalesce(started_at, queued_at, scheduled_at)) is not null
)
select
    dag_id,
    day,
    week,
    count(*) as runs,
    count(*) filter (where is_lost) as lost_runs,
    count(*) filter (where is_first_failed and not is_lost and not has_lost_task and not is_open) as saved_runs,
    count(*) filter (where is_open and not is_lost) as no_end_runs,
    cast(sum(tries) as bigint) as tries,
    cast(sum(failures) as bigint) as failures,
    sum(hours) as hours,
    min(coalesce(lost_at, began_at)) filter (where is_lost) as first_lost_at,
    min(began_at) filter (where not is_lost and not is_open) as first_well_at
from runs
group by dag_id, day, week
order by dag_id, day
