-- Do tries fail more often when their pool is fuller?
--
-- The material of a test. Each try is set against the other tries of its own task: by how many slots others held when it took
-- its own, and by whether it failed. `score` sums, per hour, (slots held - the task's mean) x (failed - the task's rate): it
-- is above nothing where fuller means more failures, whatever the mix of tasks. An hour is one witness, because the failures
-- of one outage are one event. Tasks that never failed say nothing and are left out. Two weeks.
--
-- grain:    pool, hour_at
-- reads:    slot_tries
-- columns:
--   pool           varchar
--   hour_at        timestamptz
--   tries          bigint       of tasks that failed at least once
--   failures       bigint
--   score          double
--   full_tries     bigint       that began when others held more slots than this task's mean
--   full_failures  bigint
with taken as (
    select
        pool,
        dag_id,
        task_id,
        taken_at,
        given_back_at,
        slots,
        state in ('failed', 'up_for_retry') as is_failed,
        state in ('success', 'failed', 'up_for_retry') and not is_excluded as is_told
    from slot_tries
    where pool is not null and taken_at < week_end() and given_back_at > taken_at
),
moments as (
    select pool, turned_at, sum(slots) as slots
    from (
        select pool, taken_at as turned_at, slots from taken
        union all
        select pool, given_back_at, -slots from taken
    ) as events
    group by pool, turned_at
),
levels as (
    select pool, turned_at, sum(slots) over (partition by pool order by turned_at) as used from moments
),
telling as (
    select pool, dag_id, task_id
    from taken
    where is_told
    group by pool, dag_id, task_id
    having bool_or(is_failed) and bool_or(not is_failed)
),
tries as (
    select taken.*
    from taken
    join telling
        on taken.pool = telling.pool and taken.dag_id = telling.dag_id and taken.task_id = telling.task_id
    where taken.is_told
),
placed as (
    select tries.*, coalesce(levels.used, 0) as used
    from tries
    -- what stood before it: tries that take their slots in the same moment see the same
    asof left join levels on tries.pool = levels.pool and tries.taken_at > levels.turned_at
),
centred as (
    select
        pool,
        date_trunc('hour', taken_at) as hour_at,
        is_failed,
        used > avg(used) over task as is_full,
        (used - avg(used) over task) * (cast(is_failed as integer) - avg(cast(is_failed as integer)) over task) as score
    from placed
    window task as (partition by pool, dag_id, task_id)
)
select
    pool,
    hour_at,
    count(*) as tries,
    count(*) filter (where is_failed) as failures,
    cast(sum(score order by score) as double) as score,
    count(*) filter (where is_full) as full_tries,
    count(*) filter (where is_full and is_failed) as full_failures
from centred
group by pool, hour_at
order by pool, hour_at
