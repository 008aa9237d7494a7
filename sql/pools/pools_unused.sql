-- Which pools has no task used, and for how long?
--
-- A pool counts as seen in a week with a sample, as used in one with a running, queued, deferred or scheduled slot.
--
-- grain:    pool
-- reads:    pool_samples, slot_tries
-- columns:
--   pool         varchar
--   total_slots  bigint       newest known size
--   weeks_seen   bigint       of nine, weeks with samples
--   weeks_used   bigint
--   tries        bigint       of this week and the last, by API, database or scheduler log
--   last_used_at timestamptz  null: never in nine weeks
with sampled as (
    select
        pool,
        arg_max(coalesce(total_slots, open_slots + running_slots + coalesce(queued_slots, 0)), sampled_at) as total_slots,
        count(distinct monday_of(sampled_at)) as weeks_seen,
        count(distinct monday_of(sampled_at)) filter (where is_used) as weeks_used,
        max(sampled_at) filter (where is_used) as last_used_at
    from (
        select
            *,
            coalesce(running_slots, 0) + coalesce(queued_slots, 0) + coalesce(deferred_slots, 0)
                + coalesce(scheduled_slots, 0) > 0 as is_used
        from pool_samples
        where monday_of(sampled_at) >= weeks_ago(8) and sampled_at < week_end()
    ) as looks
    group by pool
),
tried as (
    select pool, count(*) as tries, max(taken_at) as last_taken_at
    from slot_tries
    where pool is not null
    group by pool
)
select
    sampled.pool,
    cast(sampled.total_slots as bigint) as total_slots,
    sampled.weeks_seen,
    sampled.weeks_used,
    coalesce(tried.tries, 0) as tries,
    greatest(sampled.last_used_at, tried.last_taken_at) as last_used_at
from sampled
left join tried on sampled.pool = tried.pool
where sampled.weeks_used = 0 and tried.tries is null
order by sampled.pool
