-- How many slots of each executor were open, minute by minute?
--
-- Gauges of minutes in which the scheduler's heartbeat advanced, or in which no heartbeat is known at all.
--
-- grain:    executor
-- reads:    metric_samples
-- columns:
--   executor       varchar   empty where the metric does not name it
--   minute_s       double[]  seconds since Monday 00:00 UTC
--   open_slots     double[]  the most that were open in the minute
--   running_tasks  double[]
--   queued_tasks   double[]
with beats as (
    select sampled_at, bool_or(value > 0) as is_alive
    from metric_samples
    where name = 'scheduler_heartbeat' and sampled_at >= week_start() and sampled_at < week_end()
    group by sampled_at
),
gauges as (
    select
        coalesce(labels['executor'], '') as executor,
        sampled_at,
        max(coalesce(max_value, value)) filter (where name = 'executor.open_slots') as open_slots,
        max(value) filter (where name = 'executor.running_tasks') as running_tasks,
        max(value) filter (where name = 'executor.queued_tasks') as queued_tasks
    from metric_samples
    where name in ('executor.open_slots', 'executor.running_tasks', 'executor.queued_tasks')
        and sampled_at >= week_start()
        and sampled_at < week_end()
        and not is_quiet(sampled_at)
    group by executor, sampled_at
),
alive as (
    select gauges.*
    from gauges
    left join beats on gauges.sampled_at = beats.sampled_at
    where coalesce(beats.is_alive, (select count(*) from beats) = 0) and open_slots is not null
)
select
    executor,
    list(epoch_us(sampled_at - week_start()) / 1e6 order by sampled_at) as minute_s,
    list(open_slots order by sampled_at) as open_slots,
    list(running_tasks order by sampled_at) as running_tasks,
    list(queued_tasks order by sampled_at) as queued_tasks
from alive
group by executor
order by executor
