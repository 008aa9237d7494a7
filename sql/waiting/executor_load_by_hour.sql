-- How full was each executor in each hour of the week, and how long was its queue, beside the same hour of weeks before?
--
-- Gauges of minutes in which the scheduler's heartbeat advanced, or in which no heartbeat is known at all. Queued tasks are
-- those that the executor holds, not those that wait for it.
--
-- grain:    executor, hour_at
-- reads:    metric_samples
-- columns:
--   executor           varchar      empty where the metric does not name it
--   hour_at            timestamptz
--   minutes            bigint       minutes seen
--   full_minutes       bigint       minutes in which no slot was open
--   slots              double       open + running, the most in the hour: parallelism of one scheduler, its queue is none of it
--   running_most       double
--   queued_mean        double
--   queued_usual       double       mean of the same weekday and hour in the eight weeks before; null without any
--   weeks_before       bigint       weeks that this usual queue rests on
with beats as (
    select sampled_at, bool_or(value > 0) as is_alive
    from metric_samples
    where name = 'scheduler_heartbeat'
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
        and monday_of(sampled_at) >= weeks_ago(8)
        and sampled_at < week_end()
        and not is_quiet(sampled_at)
    group by executor, sampled_at
),
alive as (
    select gauges.*
    from gauges
    left join beats on gauges.sampled_at = beats.sampled_at
    where coalesce(beats.is_alive, (select count(*) from beats) = 0) and open_slots is not null
),
hours as (
    select
        executor,
        date_trunc('hour', sampled_at) as hour_at,
        count(*) as minutes,
        count(*) filter (where open_slots <= 0) as full_minutes,
        max(open_slots + coalesce(running_tasks, 0)) as slots,
        max(running_tasks) as running_most,
        avg(queued_tasks) as queued_mean
    from alive
    group by executor, date_trunc('hour', sampled_at)
)
select
    now.executor,
    now.hour_at,
    now.minutes,
    now.full_minutes,
    any_value(now.slots) as slots,
    any_value(now.running_most) as running_most,
    any_value(now.queued_mean) as queued_mean,
    avg(past.queued_mean) as queued_usual,
    count(past.hour_at) as weeks_before
from hours as now
left join hours as past
    on now.executor = past.executor
    and past.hour_at < week_start()
    and isodow(past.hour_at) = isodow(now.hour_at)
    and hour(past.hour_at) = hour(now.hour_at)
where now.hour_at >= week_start()
group by now.executor, now.hour_at, now.minutes, now.full_minutes
order by now.executor, now.hour_at
