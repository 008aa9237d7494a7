-- How many failures could a callback have told, by how many signs, and how many causes were behind them?
--
-- A task's on_failure_callback and on_retry_callback run in its own process, once for each try that fails by itself; killed
-- tries and DAG-level callbacks are the dag-processor's work (`callback_ran`). A task's log does not say that a callback ran
-- without an error, so `could_tell` is the most messages that callbacks can have sent. The causes are the week's errors by
-- `error_causes`, as in `incidents_by_error`.
--
-- grain:    kind, dag_id
-- reads:    component_events, log_events, task_tries, error_causes
-- columns:
--   kind        varchar   all failed tries, tries that are retried, tasks that failed for good, killed or lost tries, DAG-level callbacks,
--                         one DAG: all failed tries of a DAG with a sign of a callback
--   dag_id      varchar   of kind `one DAG`; else empty
--   failures    bigint    tries of the week (DAG-level: runs that lost a task)
--   could_tell  bigint    ran to their own end: a callback of theirs ran, if there is one
--   told        bigint    a component says that a callback ran
--   failed      bigint    a callback failed
--   dags        bigint    DAGs of these failures
--   dags_heard  bigint    of those, DAGs with any sign of a callback in nine weeks
--   causes      bigint    different errors behind them; null where no error is known
--   messages    bigint    of could_tell, those in DAGs with a sign of a callback: about as many messages went out
--   behind      bigint    different errors behind these
with tries as (
    select
        *,
        not has_log
            or coalesce(state_reason, '') = 'heartbeat'
            or exception_type is null
                and coalesce(state_reason, '') in ('oom', 'signal', 'truncated', 'exit_code', 'deferral') as is_cut_off
    from task_tries
    left join error_causes on bare_signature = without_frame(error_signature)
    where week = report_week() and is_judged and state in ('failed', 'up_for_retry')
),
processor as (
    select dag_id, run_id, task_id, event, event_at
    from component_events
    where event in ('callback_ran', 'callback_failed')
        and event_at >= cast(weeks_ago(8) as timestamptz)
        and event_at < week_end()
),
broken as (
    select dag_id, run_id, task_id, map_index, try_number, logged_at
    from log_events
    where level in ('error', 'critical')
        and (
            starts_with(message, 'Error in callback')
            or starts_with(message, 'Failed to run task callback')
            or starts_with(message, 'Failed at executing callback')
            or regexp_matches(message, '^(Failed|Error) when executing \S+ callback')
            or starts_with(message, 'Failed to send email')
        )
        and logged_at >= cast(weeks_ago(8) as timestamptz)
        and logged_at < week_end()
),
heard as (
    -- 2.x writes `Executed callback for <TaskInstance …>` of a killed task also where there is no callback
    select dag_id from processor where event = 'callback_failed' or task_id is null
    union
    select dag_id from broken
),
sorted as (
    select
        tries.*,
        dag_id in (select dag_id from heard) as is_heard,
        exists (
            select 1 from broken
            where broken.dag_id = tries.dag_id
                and broken.run_id = tries.run_id
                and broken.task_id = tries.task_id
                and coalesce(broken.map_index, -1) = tries.map_index
                and broken.try_number = tries.try_number
        ) as is_broken,
        exists (
            select 1 from processor
            where processor.event = 'callback_ran'
                and processor.dag_id = tries.dag_id
                and processor.task_id = tries.task_id
                and coalesce(processor.run_id, tries.run_id) = tries.run_id
        ) as is_told
    from tries
),
graded as (
    select
        unnest([
            'all failed tries',
            case when is_heard then 'one DAG' end,
            case
                when is_cut_off then 'killed or lost tries'
                when state = 'up_for_retry' then 'tries that are retried'
                else 'tasks that failed for good'
            end
        ]) as kind,
        *
    from sorted
)
select
    kind,
    case when kind = 'one DAG' then dag_id else '' end as dag_id,
    count(*) as failures,
    count(*) filter (where not is_cut_off) as could_tell,
    count(*) filter (where is_cut_off and is_told) as told,
    count(*) filter (where is_broken) as failed,
    count(distinct dag_id) as dags,
    count(distinct dag_id) filter (where is_heard) as dags_heard,
    nullif(count(distinct cause), 0) as causes,
    count(*) filter (where is_heard and not is_cut_off) as messages,
    count(distinct cause) filter (where is_heard and not is_cut_off) as behind
from graded
where kind is not null
group by kind, case when kind = 'one DAG' then dag_id else '' end
union all
select
    'DAG-level callbacks',
    '',
    (select count(distinct (dag_id, run_id)) from tries where final_try and state = 'failed'),
    null,
    count(*) filter (where event = 'callback_ran'),
    count(*) filter (where event = 'callback_failed'),
    (select count(distinct dag_id) from tries where final_try and state = 'failed'),
    (
        select count(distinct dag_id) from tries
        where final_try and state = 'failed' and dag_id in (select dag_id from processor where task_id is null)
    ),
    (select nullif(count(distinct cause), 0) from tries where final_try and state = 'failed'),
    null,
    null
from processor
where task_id is null
    and event_at >= week_start()
    and not exists (select 1 from excluded_dags where processor.dag_id glob pattern)
order by kind, dag_id
