"""The view `pool_spans`: how many slots a pool had, from when to when."""

POOL_SPANS = """
-- One row per pool and size, of the report week. API and database tell the size; gauges tell open, running and queued slots,
-- whose sum it is, with the deferred ones where that is the steadier sum (a pool that counts deferred tasks). Gauges of one
-- scrape are not of one instant, so theirs is the median of five neighbouring samples. A size of -1 is no limit.
-- Whether deferred tasks hold slots is what API or database said last, else what the gauges show.
create or replace temp view pool_spans as
with deferring as (
    select
        regexp_extract(key, '^pool[.](.*)[.]include_deferred$', 1) as pool,
        arg_max(lower(value), seen_at) = 'true' as includes_deferred
    from deployments
    where key like 'pool.%.include_deferred'
    group by pool
),
told as (
    select
        pool,
        sampled_at,
        source in ('api', 'db') as is_exact,
        case when total_slots < 0 then 2147483647 else total_slots end as total_slots,
        open_slots + running_slots + coalesce(queued_slots, 0) as without_deferred,
        open_slots + running_slots + coalesce(queued_slots, 0) + coalesce(deferred_slots, 0) as with_deferred
    from pool_samples
    where monday_of(sampled_at) >= weeks_ago(1)
        and sampled_at < week_end()
        and coalesce(total_slots, open_slots + running_slots) is not null
),
kinds as (
    select
        pool,
        coalesce(sum(abs(with_deferred - usual_with)) < sum(abs(without_deferred - usual_without)), false)
            as includes_deferred
    from (
        select
            *,
            median(with_deferred) over (partition by pool) as usual_with,
            median(without_deferred) over (partition by pool) as usual_without
        from told
        where not is_exact
    ) as spread
    group by pool
),
sized as (
    select
        told.pool,
        sampled_at,
        is_exact,
        coalesce(deferring.includes_deferred, kinds.includes_deferred, false) as includes_deferred,
        case
            when is_exact then coalesce(total_slots, without_deferred)
            when coalesce(deferring.includes_deferred, kinds.includes_deferred) then greatest(coalesce(total_slots, 0), with_deferred)
            else coalesce(total_slots, without_deferred)
        end as slots
    from told
    left join kinds on told.pool = kinds.pool
    left join deferring on told.pool = deferring.pool
),
smooth as (
    select
        pool,
        sampled_at,
        includes_deferred,
        cast(case
            when is_exact then slots
            else median(slots) over (
                partition by pool, is_exact order by sampled_at rows between 2 preceding and 2 following
            )
        end as bigint) as slots
    from sized
),
turns as (
    select *
    from smooth
    qualify slots is distinct from lag(slots) over (partition by pool order by sampled_at)
),
spans as (
    select
        pool,
        sampled_at,
        coalesce(lead(sampled_at) over (partition by pool order by sampled_at), week_end()) as until_at,
        row_number() over (partition by pool order by sampled_at) = 1 as is_first,
        slots,
        includes_deferred
    from turns
)
select
    pool,
    -- nothing is known before the first sample: its size is taken back to the start of the week
    case when is_first or sampled_at < week_start() then week_start() else sampled_at end as from_at,
    until_at,
    slots,
    includes_deferred
from spans
where until_at > week_start();
"""
