-- How full was each pool to the second, from the intervals of its tasks?
--
-- A sweep over task intervals: a slot is taken when a try is queued and given back when it ends. Tries of every run type
-- count: a backfill takes slots too. The size is the newest one that a gauge told, else the largest use seen.
--
-- grain:    pool
-- reads:    task_tries, pool_samples
-- columns:
--   pool           varchar
--   tries          bigint    tries that held a slot in the week
--   total_slots    bigint
--   size_from      varchar   gauges, or peak where no gauge told the size
--   busy_hours     double    hours with at least one slot taken
--   full_hours     double    hours with no slot open
--   full_share     double    full hours as a fraction of busy hours
--   full_share_all double    full hours as a fraction of the week
--   mean_slots     double    slots taken, mean over busy hours
--   peak_slots     bigint
--   wait_hours     double    task-hours between ready and queued, of tries queued in the week
--   ready_known    double    fraction of tries with a known ready time
with held as (
    select
        pool,
        coalesce(queued_at, started_at) as taken_at,
        coalesce(
            ended_at,
            case when state in ('running', 'queued', 'restarting', 'deferred') then week_end() end
        ) as given_back_at,
        coalesce(pool_slots, 1) as slots,
        scheduled_at
    from task_tries
    where week >= weeks_ago(1)
        and week <= report_week()
        and pool is not null
        and try_number > 0
        and coalesce(queued_at, started_at) < week_end()
),
inside as (
    select *, greatest(taken_at, week_start()) as from_at, least(given_back_at, week_end()) as until_at
    from held
    where given_back_at > week_start() and given_back_at > taken_at
),
moments as (
    select pool, turned_at, sum(slots) as slots
    from (
        select pool, from_at as turned_at, slots from inside
        union all
        select pool, until_at, -slots from inside
    ) as events
    group by pool, turned_at
),
levels as (
    select
        pool,
        epoch_us(lead(turned_at) over line - turned_at) as span_us,
        sum(slots) over line as used
    from moments
    window line as (partition by pool order by turned_at)
),
gauges as (
    select
        pool,
        arg_max(coalesce(total_slots, open_slots + running_slots + coalesce(queued_slots, 0)), sampled_at) as total_slots
    from pool_samples
    where sampled_at < week_end()
    group by pool
),
peaks as (
    select pool, max(used) as peak_slots from levels group by pool
),
waits as (
    select
        pool,
        count(*) as tries,
        coalesce(sum(epoch_us(taken_at - scheduled_at)) filter (where taken_at >= week_start()), 0) / 3.6e9 as wait_hours,
        count(scheduled_at) / count(*) as ready_known
    from inside
    group by pool
)
select
    levels.pool,
    max(waits.tries) as tries,
    cast(max(coalesce(gauges.total_slots, peaks.peak_slots)) as bigint) as total_slots,
    case when max(gauges.total_slots) is not null then 'gauges' else 'peak' end as size_from,
    coalesce(sum(span_us) filter (where used > 0), 0) / 3.6e9 as busy_hours,
    coalesce(sum(span_us) filter (where used >= coalesce(gauges.total_slots, peaks.peak_slots) and used > 0), 0)
        / 3.6e9 as full_hours,
    full_hours / nullif(busy_hours, 0) as full_share,
    full_hours / 168 as full_share_all,
    sum(span_us * used) / nullif(sum(span_us) filter (where used > 0), 0) as mean_slots,
    cast(max(peaks.peak_slots) as bigint) as peak_slots,
    max(waits.wait_hours) as wait_hours,
    max(waits.ready_known) as ready_known
from levels
join peaks on levels.pool = peaks.pool
join waits on levels.pool = waits.pool
left join gauges on levels.pool = gauges.pool
group by levels.pool
order by wait_hours desc, levels.pool
