-- In which minutes did the scheduler say that a limit held work back?
--
-- grain:    event, dag_id, task_id, pool
-- reads:    component_events
-- columns:
--   event     varchar   as in holds_by_limit
--   dag_id    varchar   empty where it is not told
--   task_id   varchar   empty where it is not told, and where the limit is the DAG's or the deployment's
--   pool      varchar   empty where no pool is the limit
--   minute_s  double[]  starts of the minutes, seconds since Monday 00:00 UTC
with held as (
    select distinct
        event,
        coalesce(dag_id, '') as dag_id,
        case when event in ('max_active_tis_per_dag', 'max_active_tis_per_dagrun') then coalesce(task_id, '') else '' end
            as task_id,
        coalesce(pool, '') as pool,
        epoch_us(event_at - week_start()) / 1e6 as minute_s
    from component_events
    where monday_of(event_at) = report_week()
        and event in (
            'pool_full', 'pool_slots_short', 'max_active_tasks', 'max_active_runs', 'max_active_tis_per_dag',
            'max_active_tis_per_dagrun', 'executor_full'
        )
)
select event, dag_id, task_id, pool, list(minute_s order by minute_s) as minute_s
from held
group by event, dag_id, task_id, pool
order by event, dag_id, task_id, pool
