-- In which queues did tasks wait for a worker that never came?
--
-- Told by the scheduler, where a task is put back or failed after `task_queued_timeout`; and by API or database, where tries
-- stand queued that never began. A task that was put back and began later is left out. What the scheduler's log and the audit
-- log both tell counts once. A queue is of the executor: that of Celery's workers, or a label that pods carry. Where
-- nobody tells a task's queue it is the one of its other tries.
--
-- grain:    executor, queue
-- reads:    component_events, task_tries
-- columns:
--   executor     varchar      empty where nobody tells
--   queue        varchar      empty where nobody tells
--   dag_ids      varchar[]    with tries that no worker took
--   tasks        bigint       of these tries
--   tries        bigint       tries of the week that no worker took
--   failed       bigint       of them, failed by the scheduler after waiting
--   put_back     bigint       times that the scheduler put one back to be queued again
--   still        bigint       tries that stand queued and never began, when last seen
--   begun        bigint       tries of the week that began in this queue
--   begun_prev   bigint       tries that began in it, the 4 weeks before
--   last_begun_at  timestamptz  null: none in five weeks
--   longest_s    double       longest that one stood queued, until a try was last seen to begin anywhere; 0: not told
--   first_at     timestamptz  first time of the week that one was given up or seen waiting
--   last_at      timestamptz
with sources as (
    select
        events.component,
        events.dag_id,
        coalesce(events.run_id, '') as run_id,
        events.task_id,
        coalesce(events.map_index, -1) as map_index,
        count(*) filter (where events.event = 'queue_timeout') as failed,
        count(*) filter (where events.event = 'stuck_in_queued') as put_back,
        min(events.event_at) as first_at,
        max(events.event_at) as last_at
    from component_events as events
    where events.event in ('queue_timeout', 'stuck_in_queued')
        and events.event_at >= week_start()
        and events.event_at < week_end()
        and events.task_id is not null
        and not is_quiet(events.event_at)
        and not exists (select 1 from excluded_dags where events.dag_id glob pattern)
    group by
        events.component, events.dag_id, coalesce(events.run_id, ''), events.task_id, coalesce(events.map_index, -1)
),
taken as (
    select distinct dag_id, run_id, task_id, map_index
    from task_tries
    -- the scheduler stamps a start on what it fails in the queue
    where week = report_week() and started_at is not null and (has_log or hostname <> '')
),
told as (
    select
        dag_id,
        run_id,
        task_id,
        map_index,
        max(failed) as failed,
        max(put_back) as put_back,
        min(first_at) as first_at,
        max(last_at) as last_at
    from sources
    where not exists (
        select 1
        from taken
        where taken.dag_id = sources.dag_id
            and taken.run_id = sources.run_id
            and taken.task_id = sources.task_id
            and taken.map_index = sources.map_index
            and sources.failed = 0
    )
    group by dag_id, run_id, task_id, map_index
),
standing as (
    select dag_id, run_id, task_id, map_index, queued_at, executor, queue
    from task_tries
    where week = report_week() and state = 'queued' and started_at is null and not is_excluded and not is_quiet
),
waited as (
    select
        coalesce(told.dag_id, standing.dag_id) as dag_id,
        coalesce(told.run_id, standing.run_id) as run_id,
        coalesce(told.task_id, standing.task_id) as task_id,
        coalesce(told.failed, 0) as failed,
        coalesce(told.put_back, 0) as put_back,
        standing.dag_id is not null and coalesce(told.failed, 0) = 0 as is_standing,
        coalesce(told.first_at, standing.queued_at) as first_at,
        coalesce(told.last_at, standing.queued_at) as last_at,
        standing.queued_at,
        standing.executor,
        standing.queue
    from told
    full join standing
        on told.dag_id = standing.dag_id
        and told.run_id = standing.run_id
        and told.task_id = standing.task_id
        and told.map_index = standing.map_index
),
queues as (
    select
        dag_id,
        task_id,
        arg_max(executor, (coalesce(queued_at, started_at), run_id, map_index, try_number)) as executor,
        arg_max(queue, (coalesce(queued_at, started_at), run_id, map_index, try_number)) as queue
    from task_tries
    where week >= weeks_ago(4) and week <= report_week() and queue is not null
    group by dag_id, task_id
),
begun as (
    select
        coalesce(executor, '') as executor,
        coalesce(queue, '') as queue,
        count(*) filter (where week = report_week()) as begun,
        count(*) filter (where week < report_week()) as begun_prev,
        max(started_at) as last_begun_at
    from task_tries
    where week >= weeks_ago(4)
        and week <= report_week()
        and started_at is not null
        and (has_log or hostname <> '' or state = 'success' or started_at < ended_at - interval 1 second)
    group by coalesce(executor, ''), coalesce(queue, '')
),
placed as (
    select
        coalesce(waited.executor, queues.executor, '') as executor,
        coalesce(waited.queue, queues.queue, '') as queue,
        waited.* exclude (executor, queue)
    from waited
    left join queues on waited.dag_id = queues.dag_id and waited.task_id = queues.task_id
)
select
    placed.executor,
    placed.queue,
    list_sort(list(distinct placed.dag_id)) as dag_ids,
    count(distinct (placed.dag_id, placed.task_id)) as tasks,
    count(*) as tries,
    cast(sum(placed.failed) as bigint) as failed,
    cast(sum(placed.put_back) as bigint) as put_back,
    count(*) filter (where placed.is_standing) as still,
    coalesce(max(begun.begun), 0) as begun,
    coalesce(max(begun.begun_prev), 0) as begun_prev,
    max(begun.last_begun_at) as last_begun_at,
    coalesce(
        max(epoch_us((select max(started_at) from task_tries where week = report_week()) - placed.queued_at)) / 1e6, 0
    ) as longest_s,
    min(placed.first_at) as first_at,
    max(placed.last_at) as last_at
from placed
left join begun on placed.executor = begun.executor and placed.queue = begun.queue
group by placed.executor, placed.queue
order by tries desc, placed.executor, placed.queue
