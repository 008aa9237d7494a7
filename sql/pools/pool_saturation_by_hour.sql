-- At which hours of the week was each pool full?
--
-- grain:    pool, weekday, hour
-- reads:    pool_samples
-- columns:
--   pool        varchar
--   weekday     bigint    1 Monday to 7 Sunday, UTC
--   hour        bigint    0 to 23, UTC
--   samples     bigint
--   full_share  double    fraction of samples with no open slot while tasks are scheduled
--   occupancy   double    running slots as a fraction of all, mean of the samples
select
    pool,
    isodow(sampled_at) as weekday,
    hour(sampled_at) as hour,
    count(*) as samples,
    count(*) filter (where open_slots <= 0 and coalesce(scheduled_slots, 1) > 0) / count(*) as full_share,
    avg(running_slots / nullif(coalesce(total_slots, open_slots + running_slots + coalesce(queued_slots, 0)), 0))
        as occupancy
from pool_samples
where sampled_at >= week_start() and sampled_at < week_end() and not is_quiet(sampled_at)
group by pool, isodow(sampled_at), hour(sampled_at)
order by pool, weekday, hour
