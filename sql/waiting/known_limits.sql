-- Which limits of tasks and runs are known, and from whom?
--
-- The scheduler's log names the limit beside each hold; API and database name each DAG's own; the configuration names the
-- default and the parallelism, where it may be read. The newest telling of the window counts.
--
-- grain:    name, dag_id
-- reads:    component_events, deployments
-- columns:
--   name         varchar  max_active_tasks, max_active_runs, parallelism
--   dag_id       varchar  empty: of the whole deployment
--   limit_value  bigint
--   told_by      varchar  scheduler_log, airflow, config
with told as (
    select
        case when event = 'max_active_runs' then 'max_active_runs' else 'max_active_tasks' end as name,
        dag_id,
        limit_value,
        'scheduler_log' as told_by,
        event_at as told_at
    from component_events
    where event in ('dag_task_count', 'max_active_tasks', 'max_active_runs')
        and limit_value > 0
        and dag_id is not null
        and event_at < week_end()
    union all
    select
        name,
        substr(key, 12),
        try_cast(regexp_extract(value, '"' || name || '": ([0-9]+)', 1) as bigint),
        'airflow',
        seen_at
    from deployments
    cross join (select unnest(['max_active_tasks', 'max_active_runs']) as name) as names
    where starts_with(key, 'dag_limits.')
    union all
    select
        case key
            when 'config.core.max_active_tasks_per_dag' then 'max_active_tasks'
            when 'config.core.max_active_runs_per_dag' then 'max_active_runs'
            else 'parallelism'
        end,
        '',
        try_cast(value as bigint),
        'config',
        seen_at
    from deployments
    where key in (
        'config.core.max_active_tasks_per_dag', 'config.core.max_active_runs_per_dag', 'config.core.parallelism'
    )
)
select name, dag_id, arg_max(limit_value, told_at) as limit_value, arg_max(told_by, told_at) as told_by
from told
where limit_value is not null
group by name, dag_id
order by name, dag_id
