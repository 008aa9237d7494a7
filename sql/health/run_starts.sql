-- When was each scheduled run of the week due, and when did it start?
--
-- A run is due as long after its stamp as runs of its DAG usually start: the median over five weeks. The stamp is
-- run_after where API or database tell it, else the time in the run_id. So the answer is right for runs named by the
-- start of their interval (2.x) as well as by its end. A schedule that skips days has no such habit: see usual_spread_s.
--
-- grain:    dag_id, run_id
-- reads:    task_tries, dag_runs
-- columns:
--   dag_id          varchar
--   run_id          varchar
--   due_at          timestamptz
--   started_at      timestamptz  the run's start, else its first try's
--   late_s          double       seconds after due
--   usual_spread_s  double       three quarters of the DAG's runs start within so many seconds after due
--   runs_known      bigint       runs of the DAG that its habit rests on
with tries as (
    select dag_id, run_id, min(started_at) as first_try_at
    from task_tries
    where week >= weeks_ago(4)
        and week <= report_week()
        and first_try
        and run_type = 'scheduled'
        and not is_excluded
    group by dag_id, run_id
),
runs as (
    select dag_id, run_id, max(run_after) as run_after, min(started_at) as run_started_at
    from dag_runs
    group by dag_id, run_id
),
stamped as (
    select
        tries.dag_id,
        tries.run_id,
        coalesce(runs.run_after, try_cast(regexp_extract(tries.run_id, '__(.+)$', 1) as timestamptz)) as stamp_at,
        -- a run that was cleared has a later start than its first try
        least(tries.first_try_at, runs.run_started_at) as started_at
    from tries
    left join runs on tries.dag_id = runs.dag_id and tries.run_id = runs.run_id
),
lagged as (
    select *, epoch_us(started_at - stamp_at) / 1e6 as lag_s
    from stamped
    where stamp_at is not null and started_at >= stamp_at
),
habits as (
    select
        dag_id,
        median(lag_s) as usual_lag_s,
        quantile_cont(lag_s, 0.75) - median(lag_s) as usual_spread_s,
        count(*) as runs_known
    from lagged
    group by dag_id
)
select
    lagged.dag_id,
    lagged.run_id,
    lagged.stamp_at + to_microseconds(cast(habits.usual_lag_s * 1e6 as bigint)) as due_at,
    lagged.started_at,
    lagged.lag_s - habits.usual_lag_s as late_s,
    habits.usual_spread_s,
    habits.runs_known
from lagged
join habits on lagged.dag_id = habits.dag_id
where monday_of(lagged.started_at) = report_week()
order by lagged.dag_id, lagged.started_at, lagged.run_id
