-- Which tasks have not run any more, though the runs of their DAG went on and ended well?
--
-- Nothing failed before them, so nothing alerts: removed from the DAG, skipped by a branch, or never started. Only judged runs
-- of nine weeks count in which nothing failed, and which are over (`well_runs`). A task that is told as skipped has run.
--
-- grain:    dag_id, task_id
-- reads:    task_tries, well_runs
-- columns:
--   dag_id           varchar
--   task_id          varchar
--   last_at          timestamptz  the last run that has it began
--   first_missed_at  timestamptz  the first one after it began
--   newest_at        timestamptz  the newest run of the DAG began
--   runs_with        bigint       runs that have it
--   runs_before      bigint       runs of the DAG from the first to the last that has it
--   longest_gap      bigint       of those, the most in a row that lack it
--   runs_since       bigint       runs after the last that has it
--   new_tasks        bigint       tasks of the DAG that were seen for the first time after it
with tries as (
    select dag_id, run_id, task_id, coalesce(started_at, queued_at, scheduled_at) as began_at
    from task_tries
    where is_judged and week >= weeks_ago(8) and week <= report_week()
),
over as (
    select *, row_number() over (partition by dag_id order by began_at, run_id) as place from well_runs
),
dags as (
    select dag_id, max(place) as places, max(began_at) as newest_at from over group by dag_id
),
here as (
    select distinct tries.dag_id, tries.task_id, over.place
    from tries
    join over on tries.dag_id = over.dag_id and tries.run_id = over.run_id
),
gaps as (
    select
        *,
        place - lag(place) over (partition by dag_id, task_id order by place) - 1 as gap
    from here
),
tasks as (
    select
        dag_id,
        task_id,
        min(place) as first_place,
        max(place) as last_place,
        count(*) as runs_with,
        coalesce(max(gap), 0) as longest_gap
    from gaps
    group by dag_id, task_id
),
seen as (
    select dag_id, task_id, max(began_at) as seen_at from tries group by dag_id, task_id
)
select
    tasks.dag_id,
    tasks.task_id,
    lasts.began_at as last_at,
    missed.began_at as first_missed_at,
    dags.newest_at,
    tasks.runs_with,
    tasks.last_place - tasks.first_place + 1 as runs_before,
    tasks.longest_gap,
    dags.places - tasks.last_place as runs_since,
    (
        select count(*) from tasks as others
        where others.dag_id = tasks.dag_id and others.first_place > tasks.last_place
    ) as new_tasks
from tasks
join dags on tasks.dag_id = dags.dag_id
join over as lasts on tasks.dag_id = lasts.dag_id and tasks.last_place = lasts.place
join over as missed on tasks.dag_id = missed.dag_id and tasks.last_place + 1 = missed.place
join seen on tasks.dag_id = seen.dag_id and tasks.task_id = seen.task_id
where seen.seen_at < missed.began_at
order by tasks.dag_id, tasks.task_id
