-- Which DAGs lost runs to dagrun_timeout, which turns unfinished tasks into skipped ones instead of failing them?
--
-- Known from the scheduler's word ("Run … has timed-out"), or from API and database: a run recorded as failed in which no
-- task failed and some were skipped. No failed task means that no callback and no failure rate of tasks tells of it.
--
-- grain:    dag_id
-- reads:    component_events, dag_runs, task_tries
-- columns:
--   dag_id         varchar
--   runs           bigint       runs of the week whose final state is known, or that a component called timed out
--   timed_out      bigint       runs that timed out
--   by_component   bigint       of those, told by the scheduler
--   without_fail   bigint       of those, with no failed task at all
--   skipped_tasks  bigint       tasks recorded as skipped in them
--   longest_s      double       longest of them, seconds; null: not known
--   shortest_s     double       shortest of them: about the limit; null: not known
--   prev           bigint       runs that timed out, the 8 weeks before
--   first_at       timestamptz
--   last_at        timestamptz
with told as (
    select distinct dag_id, run_id, min(event_at) as told_at
    from component_events
    where event = 'run_timeout' and run_id is not null
    group by dag_id, run_id
),
ended as (
    select *
    from known_runs
    where state in ('success', 'failed')
),
runs as (
    select
        coalesce(ended.dag_id, told.dag_id) as dag_id,
        coalesce(ended.run_id, told.run_id) as run_id,
        ended.state,
        ended.run_type,
        ended.started_at,
        coalesce(told.told_at, ended.ended_at) as told_at,
        told.told_at is not null as is_told
    from ended
    full join told on ended.dag_id = told.dag_id and ended.run_id = told.run_id
),
tasks as (
    select
        dag_id,
        run_id,
        count(*) filter (where last_try and state in ('failed', 'upstream_failed', 'up_for_retry')) as failed,
        count(*) filter (where last_try and state = 'skipped') as skipped
    from task_tries
    group by dag_id, run_id
),
judged as (
    select
        runs.*,
        coalesce(tasks.failed, 0) as failed,
        coalesce(tasks.skipped, 0) as skipped,
        is_told or (runs.state = 'failed' and tasks.failed = 0 and tasks.skipped > 0) as is_timed_out,
        monday_of(coalesce(runs.started_at, runs.told_at)) as week
    from runs
    left join tasks on runs.dag_id = tasks.dag_id and runs.run_id = tasks.run_id
    where coalesce(runs.run_type, 'scheduled') not in ('manual', 'backfill')
        and not exists (select 1 from excluded_dags where runs.dag_id glob pattern)
)
select
    dag_id,
    count(*) filter (where week = report_week()) as runs,
    count(*) filter (where week = report_week() and is_timed_out) as timed_out,
    count(*) filter (where week = report_week() and is_told) as by_component,
    count(*) filter (where week = report_week() and is_timed_out and failed = 0) as without_fail,
    cast(coalesce(sum(skipped) filter (where week = report_week() and is_timed_out), 0) as bigint) as skipped_tasks,
    max(epoch(told_at) - epoch(started_at)) filter (where week = report_week() and is_timed_out) as longest_s,
    min(epoch(told_at) - epoch(started_at)) filter (where week = report_week() and is_timed_out) as shortest_s,
    count(*) filter (where week >= weeks_ago(8) and week < report_week() and is_timed_out) as prev,
    min(told_at) filter (where week = report_week() and is_timed_out) as first_at,
    max(told_at) filter (where week = report_week() and is_timed_out) as last_at
from judged
group by dag_id
having count(*) filter (where week = report_week() and is_timed_out) > 0
order by dag_id
