-- Which DAGs filled each pool, and with tasks of how many slots?
--
-- grain:    pool, dag_id, slots
-- reads:    slot_legs
-- columns:
--   pool        varchar
--   dag_id      varchar
--   slots       bigint    of one task
--   tries       bigint    that held a slot in the week
--   slot_hours  double    slots times hours held in the week
--   share       double    of the pool's slot hours
--   wait_hours  double    task-hours between ready and queued
--   held_hours  double    task-hours a slot was held
with held as (
    select
        pool,
        dag_id,
        slots,
        is_last_leg,
        epoch_us(least(given_back_at, week_end()) - greatest(taken_at, week_start())) / 3.6e9 as held_hours,
        case when taken_at >= week_start() then epoch_us(taken_at - ready_at) / 3.6e9 end as wait_hours
    from slot_legs
    where pool is not null
        and taken_at < week_end()
        and given_back_at > week_start()
        and given_back_at > taken_at
)
select
    pool,
    dag_id,
    slots,
    count(*) filter (where is_last_leg) as tries,
    sum(slots * held_hours) as slot_hours,
    sum(slots * held_hours) / nullif(sum(sum(slots * held_hours)) over (partition by pool), 0) as share,
    coalesce(sum(wait_hours), 0) as wait_hours,
    sum(held_hours) as held_hours
from held
group by pool, dag_id, slots
order by pool, slot_hours desc, dag_id, slots
