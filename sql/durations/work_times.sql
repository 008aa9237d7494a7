-- How long did each task work, quarter day by quarter day, over the last nine weeks?
--
-- Successful judged tries; work is the run time less what the log tells of fetching the bundle and parsing the file, and
-- of being deferred or rescheduled. Waiting, queueing and earlier tries are no part of it. Sensors are left out: their time
-- is somebody else's. The series are medians of six hours, so that a task of each minute and a task of each night are as
-- long to look at.
--
-- grain:    dag_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id      varchar
--   task_id     varchar
--   tries       bigint     successful tries of the week
--   tries_prev  bigint     the 8 weeks before
--   hours       double     hours of work in the week
--   median_s    double     work of a try in the week, seconds
--   p99_s       double     in all nine weeks, seconds
--   longest_s   double     in all nine weeks, seconds
--   times_s     double[]   start of each six hours with a try, seconds since 1970
--   works_s     double[]   median work in them, seconds
with works as (
    select
        dag_id,
        task_id,
        week,
        greatest(duration_s - setup_s - coalesce(deferred_s, 0) - coalesce(rescheduled_s, 0), 0.001) as work_s,
        floor(epoch(started_at) / 21600) * 21600 as at_s
    from task_tries
    where is_judged
        and state = 'success'
        and duration_s > 0
        and coalesce(operator, '') not ilike '%sensor%'
        and week >= weeks_ago(8)
        and week <= report_week()
),
quarters as (
    select dag_id, task_id, at_s, median(work_s) as work_s from works group by dag_id, task_id, at_s
),
series as (
    select
        dag_id,
        task_id,
        list(at_s order by at_s) as times_s,
        list(work_s order by at_s) as works_s
    from quarters
    group by dag_id, task_id
),
totals as (
    select
        dag_id,
        task_id,
        count(*) filter (where week = report_week()) as tries,
        count(*) filter (where week < report_week()) as tries_prev,
        coalesce(sum(work_s) filter (where week = report_week()), 0) / 3600 as hours,
        median(work_s) filter (where week = report_week()) as median_s,
        quantile_cont(work_s, 0.99) as p99_s,
        max(work_s) as longest_s
    from works
    group by dag_id, task_id
)
select
    totals.dag_id,
    totals.task_id,
    totals.tries,
    totals.tries_prev,
    totals.hours,
    totals.median_s,
    totals.p99_s,
    totals.longest_s,
    series.times_s,
    series.works_s
from totals
join series on totals.dag_id = series.dag_id and totals.task_id = series.task_id
order by totals.hours desc, totals.dag_id, totals.task_id
