-- How full was each pool, and how long did tasks wait for it?
--
-- From gauges: a pool is full in a sample when no slot is open while tasks are scheduled for it (before Airflow 2.10, which
-- tells no scheduled slots, when no slot is open). Each sample stands for the time until the next one, at most 15 minutes.
-- So when a pool became full, and when it ceased to be, is known to one sample: the error is that of uniform moments, and
-- a full time that one sample alone saw may as well have been missed. Wait is scheduled tasks × time while full. Never from
-- pool.starving_tasks, which freezes when the pool is full.
--
-- grain:    pool
-- reads:    pool_samples
-- columns:
--   pool           varchar
--   samples        bigint
--   total_slots    bigint    newest known size
--   seen_hours     double    hours the samples stand for
--   busy_hours     double    of those, hours with at least one running or queued slot
--   full_hours     double
--   full_error_hours double  95 % of such weeks have full hours this near to the truth
--   full_share     double    full hours as a fraction of busy hours
--   full_share_all double    full hours as a fraction of the hours seen
--   wait_hours     double    task-hours waited for a slot
--   p50_slots      bigint    running + queued, median over busy hours
--   p95_slots      bigint
--   peak_slots     bigint
--   peak_demand    bigint    running + queued + scheduled, largest
--   deferred_hours double    slots times hours of deferred tasks
with spaced as (
    select
        *,
        least(epoch_us(coalesce(lead(sampled_at) over (partition by source, pool order by sampled_at), sampled_at)
            - sampled_at) / 1e6, 900) as span_s,
        running_slots + coalesce(queued_slots, 0) as used_slots,
        coalesce(open_slots <= 0 and coalesce(scheduled_slots, 1) > 0, false) as is_full
    from pool_samples
    where sampled_at >= week_start() and sampled_at < week_end() and not is_quiet(sampled_at)
),
turns as (
    select
        *,
        is_full and not coalesce(lag(is_full) over line, false) as is_first,
        is_full and not coalesce(lead(is_full) over line, false) as is_last
    from spaced
    window line as (partition by source, pool order by sampled_at)
),
errors as (
    -- seen once: s squared; an entry and an exit: s squared over twelve each
    select
        pool,
        1.96 * sqrt(sum(case when is_first and is_last then 1.0 else 1 / 12 end * span_s * span_s)) / 3600
            as full_error_hours
    from turns
    where is_first or is_last
    group by pool
),
ranked as (
    select
        pool,
        used_slots,
        sum(span_s) over (partition by pool order by used_slots) / sum(span_s) over (partition by pool) as quantile
    from spaced
    where used_slots > 0 and span_s > 0
),
quantiles as (
    select
        pool,
        min(used_slots) filter (where quantile >= 0.5) as p50_slots,
        min(used_slots) filter (where quantile >= 0.95) as p95_slots
    from ranked
    group by pool
)
select
    spaced.pool,
    count(*) as samples,
    arg_max(coalesce(total_slots, open_slots + running_slots + coalesce(queued_slots, 0)), sampled_at) as total_slots,
    sum(span_s) / 3600 as seen_hours,
    coalesce(sum(span_s) filter (where used_slots > 0), 0) / 3600 as busy_hours,
    coalesce(sum(span_s) filter (where is_full), 0) / 3600 as full_hours,
    coalesce(max(errors.full_error_hours), 0) as full_error_hours,
    full_hours / nullif(busy_hours, 0) as full_share,
    full_hours / nullif(seen_hours, 0) as full_share_all,
    coalesce(sum(span_s * scheduled_slots) filter (where open_slots <= 0), 0) / 3600 as wait_hours,
    cast(max(quantiles.p50_slots) as bigint) as p50_slots,
    cast(max(quantiles.p95_slots) as bigint) as p95_slots,
    cast(max(used_slots) as bigint) as peak_slots,
    cast(max(used_slots + coalesce(scheduled_slots, 0)) as bigint) as peak_demand,
    coalesce(sum(span_s * deferred_slots), 0) / 3600 as deferred_hours
from spaced
left join quantiles on spaced.pool = quantiles.pool
left join errors on spaced.pool = errors.pool
group by spaced.pool
order by wait_hours desc, spaced.pool
