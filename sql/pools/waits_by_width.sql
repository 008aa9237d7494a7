-- Do tasks that take several slots of a pool wait longer than those that take one?
--
-- The scheduler passes over a task that does not fit and lets a smaller one go, whatever their priorities: where slots come
-- free one by one, a wide task may wait until the line of narrow ones is empty. Compared within the hour in which both
-- became ready, so that a busy hour counts against neither. Ready times told or rebuilt.
--
-- grain:    pool, slots
-- reads:    slot_legs
-- columns:
--   pool             varchar
--   slots            bigint     that one of these tasks takes
--   tries            bigint     that became ready in the week
--   dag_ids          varchar[]  most tries first
--   wait_hours       double     task-hours between ready and queued
--   wait_s           double     median
--   wait_p95_s       double
--   longest_s        double
--   priority         double     mean priority weight
--   hours            bigint     hours in which tasks of one slot became ready, too
--   longer_hours     bigint     of them, hours in which these waited longer in the mean
--   shorter_hours    bigint     of them, hours in which these waited shorter
--   narrow_s         double     median over those hours of the mean wait of a task of one slot; null without such hours
--   narrow_priority  double     mean priority weight of the pool's tasks of one slot
--   excess_hours     double     task-hours waited in those hours beyond what tasks of one slot waited
with ready as (
    select
        pool,
        slots,
        dag_id,
        priority,
        date_trunc('hour', ready_at) as hour_at,
        epoch_us(taken_at - ready_at) / 1e6 as wait_s
    from slot_legs
    where pool is not null
        and is_last_leg
        and not is_excluded
        and ready_at >= week_start()
        and ready_at < week_end()
        and taken_at >= ready_at
),
hourly as (
    select pool, slots, hour_at, count(*) as tries, avg(wait_s) as wait_s
    from ready
    group by pool, slots, hour_at
),
compared as (
    select
        wide.pool,
        wide.slots,
        count(*) as hours,
        count(*) filter (where wide.wait_s > narrow.wait_s) as longer_hours,
        count(*) filter (where wide.wait_s < narrow.wait_s) as shorter_hours,
        median(narrow.wait_s) as narrow_s,
        sum(wide.tries * (wide.wait_s - narrow.wait_s) order by wide.hour_at) / 3600 as excess_hours
    from hourly as wide
    join hourly as narrow on wide.pool = narrow.pool and wide.hour_at = narrow.hour_at and narrow.slots = 1
    where wide.slots > 1
    group by wide.pool, wide.slots
),
by_dag as (
    select pool, slots, dag_id, count(*) as tries from ready group by pool, slots, dag_id
),
named as (
    select pool, slots, list(dag_id order by tries desc, dag_id) as dag_ids from by_dag group by pool, slots
),
widths as (
    select
        pool,
        slots,
        count(*) as tries,
        sum(wait_s order by hour_at, wait_s) / 3600 as wait_hours,
        median(wait_s) as wait_s,
        quantile_cont(wait_s, 0.95) as wait_p95_s,
        max(wait_s) as longest_s,
        avg(priority) as priority
    from ready
    group by pool, slots
)
select
    widths.pool,
    widths.slots,
    widths.tries,
    named.dag_ids,
    widths.wait_hours,
    widths.wait_s,
    widths.wait_p95_s,
    widths.longest_s,
    widths.priority,
    coalesce(compared.hours, 0) as hours,
    coalesce(compared.longer_hours, 0) as longer_hours,
    coalesce(compared.shorter_hours, 0) as shorter_hours,
    compared.narrow_s,
    narrow.priority as narrow_priority,
    coalesce(compared.excess_hours, 0) as excess_hours
from widths
join named on widths.pool = named.pool and widths.slots = named.slots
left join compared on widths.pool = compared.pool and widths.slots = compared.slots
left join widths as narrow on widths.pool = narrow.pool and narrow.slots = 1
order by widths.pool, widths.slots
