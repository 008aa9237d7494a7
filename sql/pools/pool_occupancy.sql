-- How full was each pool to the second, from the intervals of its tasks?
--
-- A sweep over task intervals, weighted by time: a slot is taken when a try is queued and given back when it ends. Tries of
-- every run type count: a backfill takes slots too. The size is what was known of it at each moment (pool_sizes), else the
-- largest use seen. When a try was deferred or between two pokes its task log tells (`slot_legs`); tries without one hold
-- their slot too long here: `gauge_mean_slots` shows by how much.
--
-- grain:    pool
-- reads:    slot_legs, pool_spans, pool_samples
-- columns:
--   pool           varchar
--   tries          bigint    tries that held a slot in the week
--   total_slots    bigint    at the end of the week
--   size_from      varchar   gauges, or peak where no gauge told the size
--   sizes          bigint    different sizes in the week
--   busy_hours     double    hours with at least one slot taken
--   full_hours     double    hours with no slot open
--   full_share     double    full hours as a fraction of busy hours
--   full_share_all double    full hours as a fraction of the week
--   mean_slots     double    slots taken, mean over busy hours
--   p50_slots      bigint    slots taken, median over busy hours
--   p95_slots      bigint
--   peak_slots     bigint
--   wait_hours     double    task-hours between ready and queued, of tries queued in the week
--   ready_known    double    fraction of tries with a ready time, told or rebuilt
--   ready_told     double    fraction of tries whose ready time Airflow told
--   gauge_mean_slots double  running + queued by gauges, mean over the week's samples; null without gauges
--   sweep_mean_slots double  slots taken, mean over the moments of these samples
with inside as (
    select
        pool,
        slots,
        taken_at,
        ready_at,
        ready_from,
        is_last_leg,
        greatest(taken_at, week_start()) as from_at,
        least(given_back_at, week_end()) as until_at
    from slot_legs
    where pool is not null and taken_at < week_end() and given_back_at > week_start() and given_back_at > taken_at
),
samples as (
    select pool, sampled_at, running_slots + coalesce(queued_slots, 0) as used_slots
    from pool_samples
    where sampled_at >= week_start() and sampled_at < week_end() and running_slots is not null
),
first_sizes as (
    select pool, arg_min(slots, from_at) as total_slots from pool_spans group by pool
),
moments as (
    select pool, turned_at, sum(slots) as slots, max(total_slots) as total_slots
    from (
        select pool, from_at as turned_at, slots, null as total_slots from inside
        union all
        select pool, until_at, -slots, null from inside
        union all
        select pool, from_at, 0, slots from pool_spans where pool in (select pool from inside)
    ) as events
    group by pool, turned_at
),
levels as (
    select
        moments.pool,
        turned_at,
        epoch_us(coalesce(lead(turned_at) over line, turned_at) - turned_at) as span_us,
        sum(slots) over line as used,
        coalesce(last_value(moments.total_slots ignore nulls) over line, first_sizes.total_slots) as size
    from moments
    left join first_sizes on moments.pool = first_sizes.pool
    window line as (partition by moments.pool order by turned_at)
),
peaks as (
    select pool, max(used) as peak_slots from levels group by pool
),
ranked as (
    select
        levels.pool,
        used,
        sum(span_us) over (partition by levels.pool order by used rows unbounded preceding)
            / sum(span_us) over (partition by levels.pool) as quantile
    from levels
    where used > 0
),
quantiles as (
    select
        pool,
        min(used) filter (where quantile >= 0.5) as p50_slots,
        min(used) filter (where quantile >= 0.95) as p95_slots
    from ranked
    group by pool
),
waits as (
    select
        pool,
        count(*) filter (where is_last_leg) as tries,
        coalesce(sum(epoch_us(taken_at - ready_at)) filter (where taken_at >= week_start()), 0) / 3.6e9 as wait_hours,
        count(ready_at) / nullif(count(*) filter (where is_last_leg), 0) as ready_known,
        count(*) filter (where ready_from = 'told') / nullif(count(*) filter (where is_last_leg), 0) as ready_told
    from inside
    group by pool
),
compared as (
    select samples.pool, avg(samples.used_slots) as gauge_mean_slots, avg(coalesce(levels.used, 0)) as sweep_mean_slots
    from samples
    asof left join levels on samples.pool = levels.pool and samples.sampled_at >= levels.turned_at
    group by samples.pool
)
select
    levels.pool,
    max(waits.tries) as tries,
    cast(coalesce(arg_max(levels.size, levels.turned_at), max(peaks.peak_slots)) as bigint) as total_slots,
    case when max(levels.size) is not null then 'gauges' else 'peak' end as size_from,
    greatest(count(distinct levels.size), 1) as sizes,
    coalesce(sum(span_us) filter (where used > 0), 0) / 3.6e9 as busy_hours,
    coalesce(sum(span_us) filter (where used >= coalesce(levels.size, peaks.peak_slots) and used > 0), 0)
        / 3.6e9 as full_hours,
    full_hours / nullif(busy_hours, 0) as full_share,
    full_hours / 168 as full_share_all,
    sum(span_us * used) / nullif(sum(span_us) filter (where used > 0), 0) as mean_slots,
    cast(max(quantiles.p50_slots) as bigint) as p50_slots,
    cast(max(quantiles.p95_slots) as bigint) as p95_slots,
    cast(max(peaks.peak_slots) as bigint) as peak_slots,
    max(waits.wait_hours) as wait_hours,
    max(waits.ready_known) as ready_known,
    max(waits.ready_told) as ready_told,
    max(compared.gauge_mean_slots) as gauge_mean_slots,
    max(compared.sweep_mean_slots) as sweep_mean_slots
from levels
join peaks on levels.pool = peaks.pool
join waits on levels.pool = waits.pool
left join quantiles on levels.pool = quantiles.pool
left join compared on levels.pool = compared.pool
group by levels.pool
order by wait_hours desc, levels.pool
