-- How many tasks were queued, and how many were ready without a slot, in each hour, beside the same hour of weeks before?
--
-- Whatever tells it, each by itself: the executor's gauge of queued tasks; the pools' gauges, added up; the tries of API,
-- database and scheduler log, by the time that each lay there (hours of days on which any try tells its times, from the
-- first of them to the last start seen). Gauges of minutes in which the scheduler's heartbeat advanced, or in which no heartbeat is known at all.
--
-- grain:    measure, source, executor, hour_at
-- reads:    metric_samples, pool_samples, task_tries
-- columns:
--   measure       varchar      queued: taken by the executor, not yet begun. ready: scheduled, and without a slot
--   source        varchar      executor_gauge, pool_gauges, tries
--   executor      varchar      of the executor's gauge, where it names it; else empty
--   hour_at       timestamptz
--   depth         double       tasks (of pools: slots), mean of the hour
--   depth_usual   double       mean of the same weekday and hour in the eight weeks before; null without any
--   weeks_before  bigint       weeks that this usual depth rests on
with beats as (
    select sampled_at, bool_or(value > 0) as is_alive
    from metric_samples
    where name = 'scheduler_heartbeat'
    group by sampled_at
),
executor_gauge as (
    select
        coalesce(labels['executor'], '') as executor,
        date_trunc('hour', metric_samples.sampled_at) as hour_at,
        avg(value) as depth
    from metric_samples
    left join beats on metric_samples.sampled_at = beats.sampled_at
    where name = 'executor.queued_tasks' and coalesce(is_alive, (select count(*) from beats) = 0)
    group by coalesce(labels['executor'], ''), date_trunc('hour', metric_samples.sampled_at)
),
pools as (
    select
        pool,
        date_trunc('hour', pool_samples.sampled_at) as hour_at,
        avg(queued_slots) as queued,
        avg(scheduled_slots) as ready
    from pool_samples
    left join beats on pool_samples.sampled_at = beats.sampled_at
    where source in ('api', 'db') or coalesce(is_alive, (select count(*) from beats) = 0)
    group by pool, date_trunc('hour', pool_samples.sampled_at)
),
lain as (
    select
        kinds.measure,
        case kinds.measure when 'queued' then queued_at else scheduled_at end as from_at,
        coalesce(case kinds.measure when 'queued' then started_at else least(queued_at, started_at) end, ended_at) as until_at,
        is_asked and state in ('scheduled', 'queued') as is_open
    from task_tries, (select unnest(['queued', 'ready']) as measure) as kinds
    where not is_excluded
        and week >= weeks_ago(8)
        and week <= report_week()
        and case kinds.measure when 'queued' then queued_at else scheduled_at end is not null
),
-- the end of what was seen: a try that still lies there does so until then
told as (
    select
        measure,
        from_at,
        coalesce(until_at, case when is_open then least(week_end(), max(until_at) over ()) end) as until_at
    from lain
),
parts as (
    select
        measure,
        unnest(generate_series(date_trunc('hour', from_at), until_at, interval 1 hour)) as hour_at,
        from_at,
        until_at
    from told
    where until_at >= from_at
),
sums as (
    select
        measure,
        hour_at,
        sum(greatest(0, epoch_us(least(until_at, hour_at + interval 1 hour) - greatest(from_at, hour_at)))) / 3.6e9 as depth
    from parts
    group by measure, hour_at
),
days as (
    select
        measure,
        date_trunc('day', from_at) as day_at,
        date_trunc('hour', min(min(from_at)) over (partition by measure)) as first_at,
        max(max(until_at)) over (partition by measure) as last_at
    from told
    where until_at >= from_at
    group by measure, date_trunc('day', from_at)
),
seen_hours as (
    select measure, unnest(generate_series(day_at, day_at + interval 23 hours, interval 1 hour)) as hour_at, first_at, last_at
    from days
),
hours as (
    select 'queued' as measure, 'executor_gauge' as source, executor, hour_at, depth from executor_gauge
    union all
    select 'queued', 'pool_gauges', '', hour_at, sum(queued) from pools where queued is not null group by hour_at
    union all
    select 'ready', 'pool_gauges', '', hour_at, sum(ready) from pools where ready is not null group by hour_at
    union all
    select seen_hours.measure, 'tries', '', seen_hours.hour_at, coalesce(sums.depth, 0)
    from seen_hours
    left join sums on seen_hours.measure = sums.measure and seen_hours.hour_at = sums.hour_at
    where seen_hours.hour_at >= seen_hours.first_at and seen_hours.hour_at < seen_hours.last_at
),
kept as (
    select * from hours where monday_of(hour_at) >= weeks_ago(8) and hour_at < week_end() and not is_quiet(hour_at)
)
select
    now.measure,
    now.source,
    now.executor,
    now.hour_at,
    any_value(now.depth) as depth,
    avg(past.depth) as depth_usual,
    count(past.hour_at) as weeks_before
from kept as now
left join kept as past
    on now.measure = past.measure
    and now.source = past.source
    and now.executor = past.executor
    and past.hour_at < week_start()
    and isodow(past.hour_at) = isodow(now.hour_at)
    and hour(past.hour_at) = hour(now.hour_at)
where now.hour_at >= week_start()
group by now.measure, now.source, now.executor, now.hour_at
order by now.measure, now.source, now.executor, now.hour_at
