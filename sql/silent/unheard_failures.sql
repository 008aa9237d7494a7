-- In which DAGs did tasks fail for good with no sign that any callback ran?
--
-- A process that is killed runs no callback, and a try that never began neither: on_failure_callback and its alert are
-- then the dag-processor's work, and its word (`callback_ran`, `callback_failed`) is the only sign. Killed, too, is who leaves
-- by `os._exit`, without an exception, or is ended by the scheduler while deferred. Tasks whose process came to its own
-- end are `ran_to_end`: there the callback ran if there is one. Whether a DAG has callbacks is not told by
-- logs: `heard` counts failures of the last nine weeks with a sign of one, and the metadata database may tell.
--
-- grain:    dag_id
-- reads:    component_events, deployments, log_events, task_tries
-- columns:
--   dag_id        varchar
--   lost          bigint       tasks that failed for good in the week
--   ran_to_end    bigint       of those, by their own process: a callback, if any, ran there
--   unheard       bigint       killed, lost or never begun, and no component told of a callback
--   unheard_prev  bigint       the same of the 4 weeks before; null: no judged try of the DAG in them
--   told          bigint       killed, lost or never begun, and a component did
--   heard         bigint       tries of nine weeks with a sign of a callback
--   callback      boolean      the DAG or a task of it has an on_failure_callback, by the serialised DAG; null: nobody tells
--   components    boolean      a dag-processor's log was read in the week: without it `unheard` cannot be told from told
--   first_at      timestamptz  of the unheard ones of the week
--   last_at       timestamptz
with signs as (
    select distinct dag_id, run_id, task_id, event, event_at as told_at
    from component_events
    where event in ('callback_ran', 'callback_failed')
),
lost as (
    select
        *,
        week = report_week() as is_now,
        (not has_log
            or coalesce(state_reason, '') = 'heartbeat'
            or exception_type is null
                and coalesce(state_reason, '') in ('oom', 'signal', 'truncated', 'exit_code', 'deferral')
        ) as is_cut_off
    from task_tries
    where week >= weeks_ago(4)
        and week <= report_week()
        and is_judged
        and final_try
        and state = 'failed'
),
marked as (
    select
        lost.*,
        exists (
            select 1 from signs
            where signs.dag_id = lost.dag_id
                and coalesce(signs.run_id, lost.run_id) = lost.run_id
                and coalesce(signs.task_id, lost.task_id) = lost.task_id
                and signs.told_at between coalesce(lost.ended_at, lost.started_at) - interval 1 minute
                    and coalesce(lost.ended_at, lost.started_at) + interval 1 hour
        ) as is_told
    from lost
),
seen_before as (
    select distinct dag_id from task_tries where week >= weeks_ago(4) and week < report_week() and is_judged
),
heard as (
    select dag_id, count(*) as heard
    from (
        -- 2.x writes `Executed callback for <TaskInstance …>` of a killed task also where there is no callback
        select dag_id from signs where event = 'callback_failed' or task_id is null
        union all
        select dag_id from log_events
        where starts_with(message, 'Error in callback') or starts_with(message, 'Failed to run task callback')
    ) as both_kinds
    group by dag_id
),
alerts as (
    select
        substr(key, 12) as dag_id,
        max_by(
            json_extract_string(value, '$.dag_callback') = 'true' or json_extract_string(value, '$.callback_tasks') <> '0',
            seen_at order by value
        ) as callback
    from deployments
    where starts_with(key, 'dag_alerts.') and json_valid(value)
    group by key
)
select
    marked.dag_id,
    count(*) filter (where is_now) as lost,
    count(*) filter (where is_now and not is_cut_off) as ran_to_end,
    count(*) filter (where is_now and is_cut_off and not is_told) as unheard,
    case
        when marked.dag_id in (select dag_id from seen_before)
            then count(*) filter (where not is_now and is_cut_off and not is_told)
    end as unheard_prev,
    count(*) filter (where is_now and is_cut_off and is_told) as told,
    coalesce(max(heard.heard), 0) as heard,
    bool_or(alerts.callback) as callback,
    exists (
        select 1 from component_events
        where component in ('dag-processor', 'dag_processor') and event_at >= week_start() and event_at < week_end()
    ) as components,
    min(coalesce(ended_at, started_at)) filter (where is_now and is_cut_off and not is_told) as first_at,
    max(coalesce(ended_at, started_at)) filter (where is_now and is_cut_off and not is_told) as last_at
from marked
left join heard on marked.dag_id = heard.dag_id
left join alerts on marked.dag_id = alerts.dag_id
group by marked.dag_id
having count(*) filter (where is_now) > 0
order by unheard desc, marked.dag_id
