-- When did each pool's tries become ready, take their slots and give them back?
--
-- The material of a replay at other sizes: parallel lists, one element per try that took its slot in the week, in the
-- order of taking. Seconds since Monday 00:00 UTC. Where no source tells when a try was ready, that is when it was queued.
--
-- grain:    pool
-- reads:    task_tries
-- columns:
--   pool          varchar
--   tries         bigint
--   ready_known   double     fraction of tries with a known ready time
--   ready_s       double[]
--   taken_s       double[]
--   given_back_s  double[]
--   slots         bigint[]
--   priority      bigint[]
with held as (
    select
        *,
        coalesce(queued_at, started_at) as taken_at,
        coalesce(
            ended_at,
            case when state in ('running', 'queued', 'restarting', 'deferred') then week_end() end
        ) as given_back_at
    from task_tries
    where week >= weeks_ago(1) and week <= report_week() and pool is not null and try_number > 0
),
placed as (
    select
        pool,
        scheduled_at,
        epoch_us(coalesce(scheduled_at, taken_at) - week_start()) / 1e6 as ready_s,
        epoch_us(taken_at - week_start()) / 1e6 as taken_s,
        epoch_us(given_back_at - week_start()) / 1e6 as given_back_s,
        cast(coalesce(pool_slots, 1) as bigint) as slots,
        coalesce(priority_weight, 1) as priority,
        (dag_id, run_id, task_id, map_index, try_number) as place
    from held
    where taken_at >= week_start() and taken_at < week_end() and given_back_at >= taken_at
)
select
    pool,
    count(*) as tries,
    count(scheduled_at) / count(*) as ready_known,
    list(ready_s order by taken_s, place) as ready_s,
    list(taken_s order by taken_s, place) as taken_s,
    list(given_back_s order by taken_s, place) as given_back_s,
    list(slots order by taken_s, place) as slots,
    list(priority order by taken_s, place) as priority
from placed
group by pool
order by pool
