-- In which runs did a task that always runs leave nothing at all, though nothing failed before it?
--
-- Asked of runs of which only logs tell. The task ran in `runs` other runs of its DAG in nine weeks in which nothing
-- failed, before and after this one; the run is over. Lost with its pod, or skipped for the first time: logs
-- do not say which, so these are counted apart from tries that are known to be lost.
--
-- grain:    dag_id, run_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id     varchar
--   run_id     varchar
--   task_id    varchar
--   ended_at   timestamptz  last end of the run's other tasks
--   runs       bigint       other runs without a failure, all of which have the task
with tries as (
    select dag_id, run_id, task_id, state, started_at, ended_at, told_state, week
    from task_tries
    where is_judged and week >= weeks_ago(8) and week <= report_week() and has_log
),
runs as (
    select
        dag_id,
        run_id,
        min(week) as week,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        count(told_state) = 0 as is_untold,
        bool_and(state in ('success', 'skipped', 'up_for_retry')) as is_clean
    from tries
    group by dag_id, run_id
),
newest as (
    select max(ended_at) as at_last from tries
),
clean as (
    select * from runs where is_clean
),
tasks as (
    select
        tries.dag_id,
        tries.task_id,
        count(distinct tries.run_id) as runs,
        max(clean.started_at) as last_at,
        min(clean.started_at) as first_at
    from tries
    join clean on tries.dag_id = clean.dag_id and tries.run_id = clean.run_id
    group by tries.dag_id, tries.task_id
),
here as (
    select distinct dag_id, run_id, task_id from tries
),
short as (
    select
        clean.dag_id,
        clean.run_id,
        clean.week,
        tasks.task_id,
        clean.ended_at,
        tasks.runs
    from clean
    join tasks
        on clean.dag_id = tasks.dag_id
        and clean.started_at > tasks.first_at
        and clean.started_at < tasks.last_at
    anti join here on clean.dag_id = here.dag_id and clean.run_id = here.run_id and tasks.task_id = here.task_id
    where clean.is_untold and clean.ended_at < (select at_last from newest) - interval 6 hours
)
select
    dag_id,
    run_id,
    task_id,
    ended_at,
    runs
from short
where week = report_week()
    and (dag_id, task_id) not in (select (dag_id, task_id) from short where week < report_week())
order by dag_id, run_id, task_id
