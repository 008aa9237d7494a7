-- How many task-hours were waited for each pool in each of the last nine weeks?
--
-- From gauges, as in pool_full_share: scheduled tasks × time while no slot is open; a sample stands for the time until
-- the next one, at most 15 minutes.
--
-- grain:    pool, week
-- reads:    pool_samples
-- columns:
--   pool           varchar
--   week           date         Monday
--   samples        bigint
--   seen_hours     double       that the samples stand for
--   wait_hours     double       task-hours
--   first_full_at  timestamptz  first sample with a task waiting and no open slot; null: none was
with spaced as (
    select
        pool,
        monday_of(sampled_at) as week,
        sampled_at,
        open_slots,
        scheduled_slots,
        least(epoch_us(coalesce(lead(sampled_at) over (partition by source, pool order by sampled_at), sampled_at)
            - sampled_at) / 1e6, 900) as span_s
    from pool_samples
    where monday_of(sampled_at) >= weeks_ago(8) and monday_of(sampled_at) <= report_week() and not is_quiet(sampled_at)
)
select
    pool,
    week,
    count(*) as samples,
    sum(span_s) / 3600 as seen_hours,
    coalesce(sum(span_s * scheduled_slots) filter (where open_slots <= 0), 0) / 3600 as wait_hours,
    min(sampled_at) filter (where open_slots <= 0 and scheduled_slots > 0) as first_full_at
from spaced
group by pool, week
order by pool, week
