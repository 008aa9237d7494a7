-- Which tasks did the executor end while Airflow believed them queued, deferred or running?
--
-- "Executor reported that the task instance finished with state …, but its state attribute is …": the file failed to
-- import on the worker, the process left without a word, or, for deferrable tasks under load, the race of an old event with
-- the resume. One mismatch told by scheduler and audit log alike is counted once. A try whose heartbeat was lost before is
-- left out: with Celery its task is revoked then, and the mismatch is that (seen with 3.3.2). So is one whose pod never began, or
-- was lost, in the ten minutes before: the executor reports just that.
--
-- grain:    dag_id, task_id
-- reads:    component_events, task_tries
-- columns:
--   dag_id      varchar
--   task_id     varchar
--   mismatches  bigint       tries with a mismatch in the week
--   lost        bigint       of those, last known tries that failed
--   at_deferral bigint       of those, tries whose log shows a deferral
--   no_log      bigint       of those, tries without a log
--   tries       bigint       all tries of the task in the week, those of which only the mismatch is known as well
--   prev        bigint       tries with a mismatch, the 8 weeks before
--   reasons     varchar[]    state in Airflow and state at the executor: queued_but_success …
--   first_at    timestamptz
--   last_at     timestamptz
with told as (
    select
        dag_id,
        run_id,
        task_id,
        coalesce(map_index, -1) as map_index,
        coalesce(try_number, 1) as try_number,
        min(event_at) as told_at,
        max(reason) as reason
    from component_events
    where event = 'state_mismatch'
        and dag_id is not null
        and task_id is not null
        and not exists (
            select 1
            from component_events as beats
            where beats.event = 'heartbeat_timeout'
                and beats.dag_id = component_events.dag_id
                and beats.run_id = component_events.run_id
                and beats.task_id = component_events.task_id
                and coalesce(beats.map_index, -1) = coalesce(component_events.map_index, -1)
                and beats.try_number = component_events.try_number
                and beats.event_at <= component_events.event_at
        )
        -- lines of a watcher name a task and its try, and no run
        and not exists (
            select 1
            from component_events as pods
            where pods.event in ('pod_not_started', 'pod_failed', 'pod_deleted', 'pod_refused')
                and pods.dag_id = component_events.dag_id
                and pods.task_id = component_events.task_id
                and (pods.run_id is null or pods.run_id = component_events.run_id)
                and (
                    pods.try_number is null
                    or component_events.try_number is null
                    or pods.try_number = component_events.try_number
                )
                and pods.event_at <= component_events.event_at
                and pods.event_at >= component_events.event_at - to_minutes(10)
        )
    group by dag_id, run_id, task_id, coalesce(map_index, -1), coalesce(try_number, 1)
),
joined as (
    select
        told.*,
        tries.dag_id is not null and tries.week = report_week() as is_counted,
        tries.has_log,
        tries.log_state = 'deferred' or coalesce(tries.state_reason, '') = 'deferral' as is_deferrable,
        coalesce(tries.last_try and tries.state = 'failed', false) as is_lost
    from told
    left join task_tries as tries
        on told.dag_id = tries.dag_id
        and told.run_id = tries.run_id
        and told.task_id = tries.task_id
        and told.map_index = tries.map_index
        and told.try_number = tries.try_number
)
select
    dag_id,
    task_id,
    count(*) filter (where told_at >= week_start()) as mismatches,
    count(*) filter (where told_at >= week_start() and is_lost) as lost,
    count(*) filter (where told_at >= week_start() and is_deferrable) as at_deferral,
    count(*) filter (where told_at >= week_start() and not has_log) as no_log,
    (
        select count(*) from task_tries as known
        where known.dag_id = joined.dag_id and known.task_id = joined.task_id and known.week = report_week()
            and known.try_number > 0
    ) + count(*) filter (where told_at >= week_start() and not is_counted) as tries,
    count(*) filter (where told_at < week_start()) as prev,
    list_sort(coalesce(list(distinct reason) filter (where told_at >= week_start() and reason is not null), [])) as reasons,
    min(told_at) filter (where told_at >= week_start()) as first_at,
    max(told_at) filter (where told_at >= week_start()) as last_at
from joined
where told_at >= cast(weeks_ago(8) as timestamptz)
    and told_at < week_end()
    and not exists (select 1 from excluded_dags where joined.dag_id glob pattern)
group by dag_id, task_id
having count(*) filter (where told_at >= week_start()) > 0
order by mismatches desc, dag_id, task_id
