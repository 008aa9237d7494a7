-- How many tasks wanted each pool at each moment of the week?
--
-- The material of WS301 and of `windsock what-if pool` where only gauges are known.
--
-- grain:    pool, sampled_at
-- reads:    pool_samples
-- columns:
--   pool         varchar
--   sampled_at   timestamptz
--   span_s       double    seconds until the next sample, at most 900
--   total_slots  bigint
--   busy_slots   bigint    running + queued
--   waiting      bigint    scheduled while no slot is open, else 0
select
    pool,
    sampled_at,
    least(epoch_us(coalesce(lead(sampled_at) over (partition by source, pool order by sampled_at), sampled_at)
        - sampled_at) / 1e6, 900) as span_s,
    coalesce(total_slots, open_slots + running_slots + coalesce(queued_slots, 0)) as total_slots,
    coalesce(running_slots, 0) + coalesce(queued_slots, 0) as busy_slots,
    case when open_slots <= 0 then coalesce(scheduled_slots, 0) else 0 end as waiting
from pool_samples
where sampled_at >= week_start() and sampled_at < week_end() and not is_quiet(sampled_at)
order by pool, sampled_at, source
