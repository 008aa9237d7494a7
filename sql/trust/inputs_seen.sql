-- Which inputs does the report rest on, and over which hours of the week?
--
-- grain:    input
-- reads:    task_logs, task_instances, component_events, parse_samples, pool_samples, metric_samples
-- columns:
--   input        varchar
--   row_count    bigint       rows in the week
--   hours_seen   bigint       of 168, hours with at least one row
--   first_at     timestamptz
--   last_at      timestamptz
with told as (
    select 'task_logs' as input, started_at as at from task_logs
    union all select 'task_instances', anchor_at from task_instances
    union all select 'component_events', event_at from component_events
    union all select 'parse_samples', parsed_at from parse_samples
    union all select 'pool_samples', sampled_at from pool_samples
    union all select 'metric_samples', sampled_at from metric_samples
),
inputs as (
    select unnest([
        'task_logs', 'task_instances', 'component_events', 'parse_samples', 'pool_samples', 'metric_samples'
    ]) as input
)
select
    inputs.input,
    count(told.at) as row_count,
    count(distinct date_trunc('hour', told.at)) as hours_seen,
    min(told.at) as first_at,
    max(told.at) as last_at
from inputs
left join told on inputs.input = told.input and told.at >= week_start() and told.at < week_end()
group by inputs.input
order by inputs.input
