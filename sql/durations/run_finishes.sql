-- When did each DAG's runs finish, against when they were due, this week and in the eight weeks before?
--
-- The finish is the end of the run's last judged try, less the logical date in its run_id: it holds the interval itself,
-- waiting and all retries, whatever caused the delay. Runs that lost a task are left out: their end is no finish.
--
-- grain:    dag_id
-- reads:    task_tries
-- columns:
--   dag_id          varchar
--   runs            bigint         finished runs of the week
--   runs_prev       bigint         the 8 weeks before
--   finish_s        double         median finish of the week, seconds after the logical date
--   finish_prev_s   double         median of the 8 weeks before
--   p95_prev_s      double         95th percentile of the 8 weeks before
--   late_runs       bigint         runs of the week that finished after that percentile
--   late_days       bigint         distinct days on which they began
--   day_runs        bigint[]       finished runs of each day of nine weeks, in order
--   day_late        bigint[]       of those, after that percentile
--   day_late_at     timestamptz[]  the first late one of the day began; null: none was
--   took_s          double         median time from first start to last end in the week, seconds
--   took_prev_s     double         the 8 weeks before
--   waited_s        double         median time from due to first start in the week, less the usual one
--   last_at         timestamptz    newest finish
--   times_s         double[]       start of each six hours in which a run began, seconds since 1970
--   tooks_s         double[]       median time of their runs from first start to last end, seconds
with runs as (
    select
        dag_id,
        run_id,
        min(week) as week,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        try_cast(regexp_extract(run_id, '__(.+)$', 1) as timestamptz) as due_at,
        coalesce(bool_or(loses_run), false) as is_lost
    from task_tries
    where is_judged
        and run_type = 'scheduled'
        and week >= weeks_ago(8)
        and week <= report_week()
    group by dag_id, run_id
),
finished as (
    select
        *,
        epoch(ended_at) - epoch(due_at) as finish_s,
        epoch(started_at) - epoch(due_at) as start_s,
        epoch(ended_at) - epoch(started_at) as took_s,
        week = report_week() as is_now
    from runs
    where not is_lost and started_at is not null and ended_at >= started_at
),
habits as (
    select
        dag_id,
        quantile_cont(finish_s, 0.95) as p95_prev_s,
        median(start_s) as start_prev_s
    from finished
    where not is_now and due_at is not null
    group by dag_id
),
days as (
    select
        finished.dag_id,
        cast(started_at as date) as day,
        count(*) as runs,
        count(*) filter (where finish_s > p95_prev_s) as late,
        min(started_at) filter (where finish_s > p95_prev_s) as late_at
    from finished
    join habits on finished.dag_id = habits.dag_id
    group by finished.dag_id, cast(started_at as date)
),
by_day as (
    select
        dag_id,
        list(runs order by day) as day_runs,
        list(late order by day) as day_late,
        list(late_at order by day) as day_late_at
    from days
    group by dag_id
),
quarters as (
    select
        dag_id,
        floor(epoch(started_at) / 21600) * 21600 as at_s,
        median(greatest(took_s, 0.001)) as took_s
    from finished
    group by dag_id, floor(epoch(started_at) / 21600) * 21600
),
series as (
    select
        dag_id,
        list(at_s order by at_s) as times_s,
        list(took_s order by at_s) as tooks_s
    from quarters
    group by dag_id
)
select
    finished.dag_id,
    count(*) filter (where is_now) as runs,
    count(*) filter (where not is_now) as runs_prev,
    median(finish_s) filter (where is_now) as finish_s,
    median(finish_s) filter (where not is_now) as finish_prev_s,
    max(habits.p95_prev_s) as p95_prev_s,
    count(*) filter (where is_now and finish_s > p95_prev_s) as late_runs,
    count(distinct cast(started_at as date)) filter (where is_now and finish_s > p95_prev_s) as late_days,
    any_value(by_day.day_runs) as day_runs,
    any_value(by_day.day_late) as day_late,
    any_value(by_day.day_late_at) as day_late_at,
    median(took_s) filter (where is_now) as took_s,
    median(took_s) filter (where not is_now) as took_prev_s,
    median(start_s - start_prev_s) filter (where is_now) as waited_s,
    max(ended_at) as last_at,
    any_value(series.times_s) as times_s,
    any_value(series.tooks_s) as tooks_s
from finished
join series on finished.dag_id = series.dag_id
left join by_day on finished.dag_id = by_day.dag_id
left join habits on finished.dag_id = habits.dag_id
group by finished.dag_id
order by finished.dag_id
