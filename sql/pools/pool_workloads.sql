-- Which kinds of work share each pool: how long does a task hold its slot, and how long did it wait for it?
--
-- A pool that serves tasks of hours and tasks of seconds makes the short ones stand behind the long ones. Sensors that wait
-- in their slot are a kind of their own. Tries that took their slot in the week; ready times told or rebuilt.
--
-- grain:    pool, dag_id, is_sensor
-- reads:    slot_legs
-- columns:
--   pool        varchar
--   dag_id      varchar
--   is_sensor   boolean  sensors that wait in their slot
--   tries       bigint
--   held_s      double   median seconds that one held its slot
--   slot_hours  double   slots times hours held
--   share       double   of the pool's slot hours, fraction 0-1
--   wait_hours  double   task-hours between ready and queued
--   wait_s      double   median; null where nobody tells when its tries were ready
--   slowdown    double   hours waited over hours held: 1 is as long in the line as at work
with held as (
    select
        pool,
        dag_id,
        is_poking as is_sensor,
        slots,
        is_last_leg,
        epoch_us(given_back_at - taken_at) / 1e6 as held_s,
        epoch_us(taken_at - ready_at) / 1e6 as wait_s
    from slot_legs
    where pool is not null and taken_at >= week_start() and taken_at < week_end() and given_back_at >= taken_at
)
select
    pool,
    dag_id,
    is_sensor,
    count(*) filter (where is_last_leg) as tries,
    median(held_s) as held_s,
    sum(slots * held_s) / 3600 as slot_hours,
    sum(slots * held_s) / nullif(sum(sum(slots * held_s)) over (partition by pool), 0) as share,
    coalesce(sum(wait_s), 0) / 3600 as wait_hours,
    median(wait_s) as wait_s,
    sum(wait_s) / nullif(sum(held_s), 0) as slowdown
from held
group by pool, dag_id, is_sensor
order by pool, slot_hours desc, dag_id, is_sensor
