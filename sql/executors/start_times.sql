-- How long did workers and pods take to start a task, quarter day by quarter day, over the last nine weeks?
--
-- From queued by the executor to the task's first line: a pod's image and node, a worker's process and imports, and the wait
-- for a free worker. Started judged tries; one that was deferred or rescheduled is left out, as its last queue time stands
-- beside its first start. The series are medians of six hours, so that a burst counts no more than a quiet night.
--
-- grain:    executor, queue
-- reads:    task_tries
-- columns:
--   executor     varchar   empty where nobody names it
--   queue        varchar   empty where nobody names it
--   starts       bigint    tries of the week with both times
--   starts_prev  bigint    the 8 weeks before
--   hosts        bigint    different host names in the week; of pods their number
--   start_hours  double    hours from queued to started, of the week's tries
--   median_s     double    seconds, in the week; null: none
--   p95_s        double
--   prev_s       double    median of the week before; null: none
--   usual_s      double    median of the 8 weeks before; null: none
--   times_s      double[]  start of each six hours with a try, seconds since 1970
--   starts_s     double[]  median start in them, seconds
with starts as (
    select
        coalesce(executor, '') as executor,
        coalesce(queue, '') as queue,
        hostname,
        week,
        epoch_us(started_at - queued_at) / 1e6 as start_s,
        floor(epoch(started_at) / 21600) * 21600 as at_s
    from task_tries
    where is_judged
        and queued_at <= started_at
        and coalesce(deferred_s, 0) + coalesce(rescheduled_s, 0) = 0
        and (process_starts is null or process_starts <= 1)
        and week >= weeks_ago(8)
        and week <= report_week()
),
quarters as (
    select executor, queue, at_s, median(start_s) as start_s from starts group by executor, queue, at_s
),
series as (
    select
        executor,
        queue,
        list(at_s order by at_s) as times_s,
        list(start_s order by at_s) as starts_s
    from quarters
    group by executor, queue
),
totals as (
    select
        executor,
        queue,
        count(*) filter (where week = report_week()) as starts,
        count(*) filter (where week < report_week()) as starts_prev,
        count(distinct hostname) filter (where week = report_week()) as hosts,
        coalesce(sum(start_s) filter (where week = report_week()), 0) / 3600 as start_hours,
        median(start_s) filter (where week = report_week()) as median_s,
        quantile_cont(start_s, 0.95) filter (where week = report_week()) as p95_s,
        median(start_s) filter (where week = weeks_ago(1)) as prev_s,
        median(start_s) filter (where week < report_week()) as usual_s
    from starts
    group by executor, queue
)
select
    totals.executor,
    totals.queue,
    totals.starts,
    totals.starts_prev,
    totals.hosts,
    totals.start_hours,
    totals.median_s,
    totals.p95_s,
    totals.prev_s,
    totals.usual_s,
    series.times_s,
    series.starts_s
from totals
join series on totals.executor = series.executor and totals.queue = series.queue
order by totals.start_hours desc, totals.executor, totals.queue
