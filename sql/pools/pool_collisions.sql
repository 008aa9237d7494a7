-- In which minutes of the day do tasks of several DAGs become ready for the same pool?
--
-- Cron times are round: many DAGs start on the hour, and a pool that is idle most of the day is full for a while. From the
-- time each try was ready, told or rebuilt.
--
-- grain:    pool, minute_of_day
-- reads:    slot_tries
-- columns:
--   pool           varchar
--   minute_of_day  bigint     UTC, 0 to 1439
--   days           bigint     of the week, on which tasks of two or more DAGs became ready in this minute
--   dags           bigint
--   dag_ids        varchar[]  most tries first
--   tries          bigint     on those days
--   slots          double     that they wanted together, mean of those days
--   wait_hours     double     task-hours that they waited
with ready as (
    select
        pool,
        dag_id,
        date_trunc('day', ready_at) as day,
        cast(date_part('hour', ready_at) * 60 + date_part('minute', ready_at) as bigint) as minute_of_day,
        count(*) as tries,
        sum(slots) as slots,
        sum(epoch_us(taken_at - ready_at)) / 3.6e9 as wait_hours
    from slot_tries
    where pool is not null and ready_at >= week_start() and ready_at < week_end() and taken_at >= ready_at
    group by all
),
shared as (
    select *
    from ready
    qualify count(*) over (partition by pool, minute_of_day, day) > 1
),
by_dag as (
    select
        pool,
        minute_of_day,
        dag_id,
        sum(tries) as tries,
        sum(slots) as slots,
        sum(wait_hours) as wait_hours
    from shared
    group by pool, minute_of_day, dag_id
),
by_minute as (
    select pool, minute_of_day, count(distinct day) as days from shared group by pool, minute_of_day
)
select
    by_dag.pool,
    by_dag.minute_of_day,
    any_value(by_minute.days) as days,
    count(*) as dags,
    list(by_dag.dag_id order by by_dag.tries desc, by_dag.dag_id) as dag_ids,
    cast(sum(by_dag.tries) as bigint) as tries,
    cast(sum(by_dag.slots) / any_value(by_minute.days) as double) as slots,
    sum(by_dag.wait_hours order by by_dag.dag_id) as wait_hours
from by_dag
join by_minute on by_dag.pool = by_minute.pool and by_dag.minute_of_day = by_minute.minute_of_day
group by by_dag.pool, by_dag.minute_of_day
order by by_dag.pool, by_dag.minute_of_day
