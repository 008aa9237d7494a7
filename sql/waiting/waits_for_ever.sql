-- Which tasks wait for a pool that can never take them?
--
-- A task that wants more slots than its pool has, or a pool that does not exist, is passed over in every scheduler loop:
-- it does not fail, and nothing alerts. Told by the scheduler's log; or by API and database, where a task is still
-- scheduled and wider than its pool.
--
-- grain:    pool, dag_id, task_id
-- reads:    component_events, task_instances, pool_samples
-- columns:
--   pool          varchar
--   dag_id        varchar      empty where the scheduler names only the pool
--   task_id       varchar
--   is_missing    boolean      the pool does not exist
--   task_slots    bigint       slots that the task wants
--   total_slots   bigint       slots that the pool has
--   runs          bigint       runs held
--   held_minutes  bigint       minutes of the week in which the scheduler said so; 0 where only API or database tell
--   first_at      timestamptz
--   last_at       timestamptz
with sizes as (
    select pool, arg_max(total_slots, sampled_at) as total_slots
    from pool_samples
    where sampled_at < week_end() and total_slots is not null
    group by pool
),
told as (
    select
        pool,
        coalesce(dag_id, '') as dag_id,
        coalesce(task_id, '') as task_id,
        event = 'pool_missing' as is_missing,
        cast(value as bigint) as task_slots,
        limit_value as total_slots,
        run_id,
        event_at as said_at,
        event_at as minute_at
    from component_events
    where event in ('pool_too_small', 'pool_missing') and monday_of(event_at) = report_week() and pool is not null
    union all
    select
        task_instances.pool,
        dag_id,
        task_id,
        false,
        pool_slots,
        sizes.total_slots,
        run_id,
        coalesce(scheduled_at, anchor_at),
        null
    from task_instances
    join sizes on task_instances.pool = sizes.pool
    where state = 'scheduled'
        and pool_slots > sizes.total_slots
        and sizes.total_slots >= 0
        and monday_of(anchor_at) = report_week()
)
select
    pool,
    dag_id,
    task_id,
    bool_or(is_missing) as is_missing,
    max(task_slots) as task_slots,
    cast(max(total_slots) as bigint) as total_slots,
    count(distinct run_id) as runs,
    count(distinct minute_at) as held_minutes,
    min(said_at) as first_at,
    max(said_at) as last_at
from told
group by pool, dag_id, task_id
order by held_minutes desc, pool, dag_id, task_id
