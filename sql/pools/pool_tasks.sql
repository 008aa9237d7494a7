-- When did each pool's tries become ready, take their slots and give them back?
--
-- The material of a replay at other sizes: parallel lists, one element per time that a try took its slot in the week, in the
-- order of taking. Seconds since Monday 00:00 UTC. Where nothing tells when a try was ready, that is when it was queued.
--
-- grain:    pool
-- reads:    slot_legs
-- columns:
--   pool          varchar
--   tries         bigint
--   ready_known   double     fraction of tries with a ready time, told or rebuilt
--   ready_told    double     fraction of tries whose ready time Airflow told
--   ready_s       double[]
--   taken_s       double[]
--   given_back_s  double[]
--   slots         bigint[]
--   priority      bigint[]
--   is_poking     boolean[]  a sensor that waits in its slot
--   dag           bigint[]   place of its DAG in dag_ids, from 1
--   dag_ids       varchar[]  by name
with placed as (
    select
        pool,
        ready_at,
        ready_from,
        epoch_us(coalesce(ready_at, taken_at) - week_start()) / 1e6 as ready_s,
        epoch_us(taken_at - week_start()) / 1e6 as taken_s,
        epoch_us(given_back_at - week_start()) / 1e6 as given_back_s,
        slots,
        priority,
        is_poking,
        is_last_leg,
        dag_id,
        dense_rank() over (partition by pool order by dag_id) as dag,
        (dag_id, run_id, task_id, map_index, try_number) as place
    from slot_legs
    where pool is not null and taken_at >= week_start() and taken_at < week_end() and given_back_at >= taken_at
)
select
    pool,
    count(*) filter (where is_last_leg) as tries,
    count(ready_at) / nullif(count(*) filter (where is_last_leg), 0) as ready_known,
    count(*) filter (where ready_from = 'told') / nullif(count(*) filter (where is_last_leg), 0) as ready_told,
    list(ready_s order by taken_s, place) as ready_s,
    list(taken_s order by taken_s, place) as taken_s,
    list(given_back_s order by taken_s, place) as given_back_s,
    list(slots order by taken_s, place) as slots,
    list(priority order by taken_s, place) as priority,
    list(is_poking order by taken_s, place) as is_poking,
    list(dag order by taken_s, place) as dag,
    list(distinct dag_id order by dag_id) as dag_ids
from placed
group by pool
order by pool
