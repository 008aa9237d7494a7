-- Which failed tries left no log, and what do the components say became of them?
--
-- Asked only of weeks with task logs: without any, no try has one. A pod or worker that is killed uploads nothing; the
-- scheduler alone knows. A try that nobody tells of is known by the next one, which has a higher number (`state` is
-- unknown then), unless its object was found and could not be read. Events that name no try are matched by the second in
-- which the try began, events that name no run by their time.
--
-- grain:    dag_id, run_id, task_id, map_index, try_number
-- reads:    component_events, objects, task_logs, task_tries
-- columns:
--   dag_id      varchar
--   run_id      varchar
--   task_id     varchar
--   map_index   integer
--   try_number  integer
--   state       varchar
--   last_try    boolean
--   started_at  timestamptz  null: it never began
--   ended_at    timestamptz
--   pool        varchar
--   hostname    varchar
--   event       varchar      what a component told of it; null: nobody tells
--   reason      varchar      OOMKilled, Evicted, ImagePullBackOff, heartbeat …
--   exit_code   integer
--   detail      varchar
--   told_at     timestamptz
--   known_by    varchar      state: API, database or a component tells of it; next_try: only the try after it does
--   is_judged   boolean
with told_lost as (
    select *, 'state' as known_by
    from task_tries
    where week = report_week()
        and not has_log
        and state in ('failed', 'up_for_retry')
        and try_number > 0
),
-- a first execution whose tries known do not begin at one, or leave numbers out
followed as (
    select
        *,
        coalesce(lag(try_number) over (
            partition by dag_id, run_id, task_id, map_index order by try_number
        ), 0) as known_before
    from task_tries
    where try_number > 0
),
left_out as (
    select
        followed.* replace (
            cast(missing.try_number as integer) as try_number,
            'unknown' as state,
            false as last_try,
            null as started_at,
            followed.started_at as ended_at,
            null as queued_at,
            null as hostname
        ),
        'next_try' as known_by
    from followed, range(followed.known_before + 1, followed.try_number) as missing(try_number)
    where followed.week = report_week()
        and not followed.is_cleared
        and followed.has_log
        and not exists (
            select 1
            from objects, task_logs as next_one
            where next_one.dag_id = followed.dag_id
                and next_one.run_id = followed.run_id
                and next_one.task_id = followed.task_id
                and next_one.map_index = followed.map_index
                and next_one.try_number = followed.try_number
                and objects.object_url = regexp_replace(
                    next_one.object_url,
                    '(attempt=|/)' || followed.try_number || '\.log$',
                    '\1' || missing.try_number || '.log'
                )
        )
),
lost as (
    select *
    from (select * from told_lost union all by name select * exclude (known_before) from left_out) as both_kinds
    where coalesce(
            getvariable('logs_seen'),
            exists (select 1 from task_logs where monday_of(started_at) = report_week())
        )
),
told as (
    select
        *,
        case event
            when 'pod_failed' then 0
            when 'pod_not_started' then 1
            when 'pod_deleted' then 2
            when 'heartbeat_timeout' then 3
            when 'queue_timeout' then 4
            when 'state_mismatch' then 5
            when 'orphan_reset' then 6
            when 'state_marked' then 7
        end as place
    from component_events
    where event in (
        'pod_failed', 'pod_not_started', 'pod_deleted', 'heartbeat_timeout', 'queue_timeout', 'state_mismatch',
        'orphan_reset', 'state_marked'
    )
)
select
    lost.dag_id,
    lost.run_id,
    lost.task_id,
    lost.map_index,
    lost.try_number,
    lost.state,
    lost.last_try,
    lost.started_at,
    lost.ended_at,
    lost.pool,
    lost.hostname,
    told.event,
    told.reason,
    told.exit_code,
    told.detail,
    told.event_at as told_at,
    lost.known_by,
    lost.is_judged
from lost
left join told
    on lost.dag_id = told.dag_id
    and lost.task_id = told.task_id
    and coalesce(told.run_id, lost.run_id) = lost.run_id
    and coalesce(told.map_index, lost.map_index) = lost.map_index
    and coalesce(told.try_number, lost.try_number) = lost.try_number
    and (
        told.try_number is not null
        or coalesce(date_trunc('second', told.started_at), date_trunc('second', lost.started_at))
            is not distinct from date_trunc('second', lost.started_at)
    )
    and (
        told.run_id is not null and coalesce(told.try_number, epoch(told.started_at)) is not null
        or told.event_at between coalesce(lost.started_at, lost.queued_at, lost.ended_at - interval 1 hour) - interval 1 hour
            and coalesce(lost.ended_at, lost.started_at, lost.queued_at) + interval 1 hour
    )
qualify row_number() over (
    partition by lost.dag_id, lost.run_id, lost.task_id, lost.map_index, lost.try_number
    order by told.exit_code is null, told.reason is null, told.place, told.event_at, told.detail
) = 1
order by lost.dag_id, lost.run_id, lost.task_id, lost.map_index, lost.try_number
