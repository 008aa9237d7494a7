-- When did each DAG run, at which pace, and what became of its newest runs?
--
-- Runs of all kinds over nine weeks, by the logs, API and database. The pace is the median distance between the logical
-- dates of scheduled runs. Open runs are those that API or database call running or queued.
--
-- grain:    dag_id
-- reads:    dag_runs, task_tries
-- columns:
--   dag_id            varchar
--   runs              bigint       with at least one try, nine weeks
--   scheduled_runs    bigint       of those, scheduled
--   runs_week         bigint       of those, with a try in the week
--   first_at          timestamptz  first try
--   last_at           timestamptz  newest start of a try
--   last_run_id       varchar      of that try
--   last_state        varchar      its state
--   pace_s            double       seconds between scheduled runs; null: fewer than three
--   open_runs         bigint       running or queued by API or database
--   open_without_try  bigint       of those, runs of which no task has started
--   oldest_open_at    timestamptz  when the oldest of these was due
--   seen_until        timestamptz  newest start, or queueing, of any try of any DAG: what came after it is not known
with tries as (
    select dag_id, run_id, task_id, run_type, state, started_at, week, try_number
    from task_tries
    where try_number > 0 and not is_excluded
),
runs as (
    select
        dag_id,
        run_id,
        any_value(run_type) as run_type,
        max(week) = report_week() as is_of_week,
        try_cast(regexp_extract(run_id, '__(.+)$', 1) as timestamptz) as due_at
    from tries
    group by dag_id, run_id
),
paces as (
    select dag_id, median(apart_s) as pace_s
    from (
        select
            dag_id,
            epoch_us(due_at - lag(due_at) over (partition by dag_id order by due_at)) / 1e6 as apart_s
        from runs
        where run_type = 'scheduled' and due_at is not null
    ) as pairs
    group by dag_id
    having count(apart_s) >= 2
),
counted as (
    select
        dag_id,
        count(*) as runs,
        count(*) filter (where run_type = 'scheduled') as scheduled_runs,
        count(*) filter (where is_of_week) as runs_week
    from runs
    group by dag_id
),
newest as (
    select
        dag_id,
        min(started_at) as first_at,
        max(started_at) as last_at,
        max_by(run_id, started_at order by run_id, task_id) as last_run_id,
        max_by(state, started_at order by run_id, task_id) as last_state
    from tries
    group by dag_id
),
told_runs as (
    select *
    from known_runs
),
open_runs as (
    select
        told_runs.dag_id,
        count(*) as open_runs,
        count(*) filter (where runs.run_id is null) as open_without_try,
        min(coalesce(run_after, queued_at, told_runs.started_at)) as oldest_open_at
    from told_runs
    left join runs on told_runs.dag_id = runs.dag_id and told_runs.run_id = runs.run_id
    where told_runs.state in ('running', 'queued')
        and not exists (select 1 from excluded_dags where told_runs.dag_id glob pattern)
    group by told_runs.dag_id
)
select
    coalesce(counted.dag_id, open_runs.dag_id) as dag_id,
    coalesce(counted.runs, 0) as runs,
    coalesce(counted.scheduled_runs, 0) as scheduled_runs,
    coalesce(counted.runs_week, 0) as runs_week,
    newest.first_at,
    newest.last_at,
    newest.last_run_id,
    newest.last_state,
    paces.pace_s,
    coalesce(open_runs.open_runs, 0) as open_runs,
    coalesce(open_runs.open_without_try, 0) as open_without_try,
    open_runs.oldest_open_at,
    coalesce(getvariable('seen_until'), (select max(coalesce(started_at, queued_at)) from task_tries)) as seen_until
from counted
left join newest on counted.dag_id = newest.dag_id
left join paces on counted.dag_id = paces.dag_id
full join open_runs on counted.dag_id = open_runs.dag_id
order by coalesce(counted.dag_id, open_runs.dag_id)
