-- How long do sensors in poke mode hold slots of each pool?
--
-- A sensor is known by its operator's name; in poke mode it waits inside one process, and so in one slot. One that was
-- rescheduled or deferred began several processes in one log; where no log tells how many, nothing is said of it.
--
-- grain:    pool, dag_id, task_id
-- reads:    slot_tries
-- columns:
--   pool        varchar
--   dag_id      varchar
--   task_id     varchar
--   operator    varchar  of its newest try
--   tries       bigint   that held a slot in the week
--   slot_hours  double   slots times hours held in the week
--   share       double   of the slot hours of the pool, fraction 0-1
--   mean_s      double   that a try held its slot
with held as (
    select
        pool,
        dag_id,
        task_id,
        operator,
        taken_at,
        slots * epoch_us(least(given_back_at, week_end()) - greatest(taken_at, week_start())) / 3.6e9 as slot_hours,
        epoch_us(given_back_at - taken_at) / 1e6 as held_s,
        is_poking
    from slot_tries
    where pool is not null and taken_at < week_end() and given_back_at > week_start() and given_back_at > taken_at
),
pools as (
    select pool, sum(slot_hours) as slot_hours from held group by pool
)
select
    held.pool,
    held.dag_id,
    held.task_id,
    max_by(held.operator, held.taken_at order by held.operator) as operator,
    count(*) as tries,
    sum(held.slot_hours) as slot_hours,
    sum(held.slot_hours) / nullif(any_value(pools.slot_hours), 0) as share,
    avg(held.held_s) as mean_s
from held
join pools on held.pool = pools.pool
where held.is_poking
group by held.pool, held.dag_id, held.task_id
order by held.pool, slot_hours desc, held.dag_id, held.task_id
