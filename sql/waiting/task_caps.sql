-- Which tasks have a cap of their own, and was it ever reached?
--
-- The caps by the DAG's serialised form (`tasks_now`; no API tells them). A try counts from when it was queued until it ended,
-- as the scheduler counts it; deferred ones hold their place here, too. The most at once is by whole seconds, rather too high.
--
-- grain:    dag_id, task_id
-- reads:    tasks_now, task_tries, component_events
-- columns:
--   dag_id        varchar
--   task_id       varchar
--   cap           bigint   max_active_tis_per_dag; null: none
--   run_cap       bigint   max_active_tis_per_dagrun; null: none
--   tries         bigint   of the week that began
--   most          bigint   at once over all runs, this week
--   most_in_run   bigint   at once in one run, this week
--   held_minutes  bigint   minutes of the week in which the scheduler's log says that one of the two held the task
with caps as (
    select dag_id, task_id, max_active_tis_per_dag as cap, max_active_tis_per_dagrun as run_cap
    from tasks_now
    where max_active_tis_per_dag > 0 or max_active_tis_per_dagrun > 0
),
spans as (
    select
        task_tries.dag_id,
        task_tries.task_id,
        run_id,
        date_trunc('second', least(coalesce(queued_at, started_at), started_at)) as from_at,
        date_trunc('second', ended_at) as until_at
    from task_tries
    join caps on task_tries.dag_id = caps.dag_id and task_tries.task_id = caps.task_id
    where week = report_week() and try_number > 0 and started_at is not null and ended_at >= started_at
),
steps as (
    select dag_id, task_id, run_id, from_at as moment_at, 1 as step from spans
    union all
    select dag_id, task_id, run_id, until_at, -1 from spans
),
counted as (
    select
        dag_id,
        task_id,
        -- who ends in a second leaves after who begins in it
        sum(step) over (
            partition by dag_id, task_id order by moment_at, step desc rows between unbounded preceding and current row
        ) as at_once,
        sum(step) over (
            partition by dag_id, task_id, run_id order by moment_at, step desc rows between unbounded preceding and current row
        ) as in_run
    from steps
),
peaks as (
    select dag_id, task_id, max(at_once) as most, max(in_run) as most_in_run from counted group by dag_id, task_id
),
tries as (
    select dag_id, task_id, count(*) as tries from spans group by dag_id, task_id
),
holds as (
    select dag_id, task_id, count(distinct date_trunc('minute', event_at)) as held_minutes
    from component_events
    where event in ('max_active_tis_per_dag', 'max_active_tis_per_dagrun')
        and event_at >= week_start()
        and event_at < week_end()
    group by dag_id, task_id
)
select
    caps.dag_id,
    caps.task_id,
    cast(caps.cap as bigint) as cap,
    cast(caps.run_cap as bigint) as run_cap,
    coalesce(tries.tries, 0) as tries,
    cast(coalesce(peaks.most, 0) as bigint) as most,
    cast(coalesce(peaks.most_in_run, 0) as bigint) as most_in_run,
    coalesce(holds.held_minutes, 0) as held_minutes
from caps
left join tries on caps.dag_id = tries.dag_id and caps.task_id = tries.task_id
left join peaks on caps.dag_id = peaks.dag_id and caps.task_id = peaks.task_id
left join holds on caps.dag_id = holds.dag_id and caps.task_id = holds.task_id
where not exists (select 1 from excluded_dags where caps.dag_id glob pattern)
order by caps.dag_id, caps.task_id
