-- How much of what the logs tell did Airflow's own counters count?
--
-- Attempts that ended in hours in which metrics were seen, beside the counters of those hours. Airflow loses counts by
-- version (metric_gaps.csv beside this file): a rate from metrics is worth what this fraction says. Where the same
-- counter comes from snapshots and from a Prometheus server, the larger of the two counts.
--
-- grain:    counter, outcome
-- reads:    metric_samples, task_tries
-- columns:
--   counter         varchar   ti_failures, ti_successes, ti.finish
--   outcome         varchar   success, failure (failed or up for retry)
--   counted         double    increase over the week
--   attempts        bigint    attempts with a log, ended in hours with metrics
--   attempts_total  bigint    the same in all hours of the week
--   hours_seen      bigint    hours of the week with metrics
--   coverage        double    fraction; above 1: counted more than logged; null without attempts
with samples as (
    select
        name,
        value,
        sampled_at,
        coalesce(labels['state'], '') as state,
        coalesce(starts_with(object_url, 'prometheus:'), false) as is_server
    from metric_samples
    where sampled_at >= week_start() and sampled_at < week_end()
),
hours as (
    select distinct date_trunc('hour', sampled_at) as hour from samples
),
counters as (
    select unnest(['ti_failures', 'ti_successes', 'ti.finish', 'ti.finish']) as counter,
        unnest(['failure', 'success', 'failure', 'success']) as outcome
),
counts as (
    select name as counter, outcome, max(counted) as counted
    from (
        select
            name,
            case
                when name = 'ti_failures' then 'failure'
                when name = 'ti_successes' then 'success'
                when state = 'success' then 'success'
                when state in ('failed', 'up_for_retry') then 'failure'
            end as outcome,
            is_server,
            sum(value) as counted
        from samples
        where name in ('ti_failures', 'ti_successes', 'ti.finish')
        group by all
    )
    group by name, outcome
),
attempts as (
    select
        case when state = 'success' then 'success' else 'failure' end as outcome,
        count(*) filter (where hours.hour is not null) as attempts,
        count(*) as attempts_total
    from task_tries
    left join hours on date_trunc('hour', task_tries.ended_at) = hours.hour
    where has_log
        and try_number > 0
        and state in ('success', 'failed', 'up_for_retry')
        and ended_at >= week_start()
        and ended_at < week_end()
    group by outcome
)
select
    counters.counter,
    counters.outcome,
    coalesce(counts.counted, 0) as counted,
    coalesce(attempts.attempts, 0) as attempts,
    coalesce(attempts.attempts_total, 0) as attempts_total,
    (select count(*) from hours) as hours_seen,
    coalesce(counts.counted, 0) / nullif(attempts.attempts, 0) as coverage
from counters
left join counts on counters.counter = counts.counter and counters.outcome = counts.outcome
left join attempts on counters.outcome = attempts.outcome
where (select count(*) from hours) > 0
order by counters.counter, counters.outcome
