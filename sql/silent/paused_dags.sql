-- Which DAGs were paused this week, by Airflow itself after failures or by somebody, and how often did they run before?
--
-- Airflow pauses a DAG after `max_consecutive_failed_dag_runs` failed runs and tells only the scheduler's log; a pause by
-- a person stands in the audit log. The newest word counts: a DAG that was unpaused again in the week is left out.
--
-- grain:    dag_id
-- reads:    component_events, deployments, task_tries
-- columns:
--   dag_id       varchar
--   paused_at    timestamptz
--   is_auto      boolean      paused by Airflow after failed runs
--   failed_runs  bigint       so many in a row, where told
--   runs_after   bigint       scheduled runs that started after it, in the week
--   runs_prev    bigint       scheduled runs in the 4 weeks before
with told as (
    select dag_id, event_at as told_at, true as is_paused, true as is_auto, limit_value as failed_runs
    from component_events
    where event = 'dag_paused' and dag_id is not null
    union all
    select
        dag_now(json_extract_string(value, '$.dag_id')) as dag_id,
        seen_at as told_at,
        coalesce(json_extract_string(value, '$.is_paused') in ('true', 'True'), false) as is_paused,
        false as is_auto,
        null as failed_runs
    from deployments
    where key = 'event.dag_changed'
        and json_valid(value)
        and json_extract_string(value, '$.dag_id') is not null
        and json_extract_string(value, '$.is_paused') is not null
),
newest as (
    select *
    from told
    where told_at >= week_start() and told_at < week_end()
    qualify row_number() over (partition by dag_id order by told_at desc, is_auto desc) = 1
),
runs as (
    select dag_id, run_id, min(started_at) as started_at
    from task_tries
    where run_type = 'scheduled' and try_number > 0 and not is_cleared
    group by dag_id, run_id
)
select
    newest.dag_id,
    newest.told_at as paused_at,
    newest.is_auto,
    newest.failed_runs,
    (
        select count(*) from runs
        where runs.dag_id = newest.dag_id and runs.started_at > newest.told_at and runs.started_at < week_end()
    ) as runs_after,
    (
        select count(*) from runs
        where runs.dag_id = newest.dag_id
            and runs.started_at >= cast(weeks_ago(4) as timestamptz)
            and runs.started_at < week_start()
    ) as runs_prev
from newest
where newest.is_paused and not exists (select 1 from excluded_dags where newest.dag_id glob pattern)
order by newest.dag_id
