-- Which limit held ready work back, of which DAG and in which pool, hour by hour?
--
-- A hold is kept once per minute, so rows count minutes: that is how long work stood still, not how often the scheduler
-- looked. A full pool is told without its tasks.
--
-- grain:    event, dag_id, pool, hour_at
-- reads:    component_events
-- columns:
--   event        varchar      pool_full, pool_slots_short, pool_too_small, pool_missing, max_active_tasks, max_active_runs, max_active_tis_per_dag, max_active_tis_per_dagrun, executor_full
--   dag_id       varchar      empty where the component does not tell it
--   pool         varchar      empty where no pool is the limit
--   hour_at      timestamptz
--   held_minutes bigint       minutes of the hour in which anything was held
--   task_minutes bigint       minutes times tasks (or runs) held
--   tasks        bigint       tasks held, mapped ones counted singly
--   limit_value  bigint       the limit as told last; null where the message holds none
select
    event,
    coalesce(dag_id, '') as dag_id,
    coalesce(pool, '') as pool,
    date_trunc('hour', event_at) as hour_at,
    count(distinct event_at) as held_minutes,
    count(distinct (event_at, run_id, task_id, map_index)) as task_minutes,
    count(distinct (run_id, task_id, map_index)) filter (where task_id is not null) as tasks,
    arg_max(limit_value, event_at) as limit_value
from component_events
where monday_of(event_at) = report_week()
    and event in (
        'pool_full', 'pool_slots_short', 'pool_too_small', 'pool_missing', 'max_active_tasks', 'max_active_runs',
        'max_active_tis_per_dag', 'max_active_tis_per_dagrun', 'executor_full'
    )
group by event, coalesce(dag_id, ''), coalesce(pool, ''), date_trunc('hour', event_at)
order by hour_at, task_minutes desc, event, dag_id, pool
