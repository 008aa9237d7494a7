"""The views `told_tries` and `task_tries`: one row per try, its log joined with what API, database and component logs tell."""

from windsock.lake.best_known import told_once

TELLER_RANK = "case when object_url like 'db:%' then 0 when object_url like 'api:%' then 1 else 2 end"

TOLD_TRIES = """
-- What API, database and component logs tell of tries, with the moment of telling in `read_at`: a line of a component
-- log was told when it was written. A try left running takes the state that a component marked it with afterwards: a
-- marking names no try number (before 2.9 no run either), but the second in which the try began. A try of which nothing was
-- heard any more, or that waited in the queue for too long, has failed by that: of a worker that is gone nobody tells more.
create or replace temp view told_tries as
with ended_by_scheduler as (
    select
        dag_id,
        run_id,
        task_id,
        map_index,
        try_number,
        'failed' as state,
        started_at,
        event_at as ended_at,
        event_at as told_at,
        event_at as anchor_at,
        event_at as read_at,
        queue,
        hostname,
        'component_log' as source,
        object_url
    from component_events
    where event in ('heartbeat_timeout', 'queue_timeout')
        and dag_id is not null
        and run_id is not null
        and task_id is not null
        and try_number > 0
),
markings as (
    select
        dag_id,
        run_id,
        task_id,
        coalesce(map_index, -1) as map_index,
        date_trunc('second', started_at) as began_at,
        arg_max(reason, event_at) as marked_state
    from component_events
    where event = 'state_marked' and started_at is not null
    group by dag_id, run_id, task_id, coalesce(map_index, -1), date_trunc('second', started_at)
)
select
    told.* replace (
        coalesce(markings.marked_state, told.state) as state,
        coalesce(told.told_at, told.read_at) as read_at
    )
from (
    select * from task_instances
    union all by name
    select * from ended_by_scheduler
) as told
left join markings
    on told.source = 'component_log'
    and (told.state is null or told.state in ('running', 'queued'))
    and told.dag_id = markings.dag_id
    and told.run_id = coalesce(markings.run_id, told.run_id)
    and told.task_id = markings.task_id
    and coalesce(told.map_index, -1) = markings.map_index
    and date_trunc('second', told.started_at) = markings.began_at;
"""

TOLD_RUNS = f"""
-- One row per run, of what API, database and component logs tell: the newest telling, and what it leaves open by older ones.
-- `first_end`, the oldest end told: what is cleared later ends anew.
create or replace temp view known_runs as
{told_once("dag_runs", "dag_runs", key="dag_id, run_id", order=f"coalesce(told_at, read_at) desc nulls last, {TELLER_RANK}, object_url", window="tellings", more={"first_end": "case when state in ('success', 'failed') then state end"})};
"""

TASK_TRIES = """
-- One row per try: what its log says happened, joined with what API, database or component log know about it.
--
-- Further columns: `log_state` and `told_state`, what the log alone and what the others alone say.
-- `process_starts`, processes that began in its log (each poke of a rescheduled sensor, each resume of a deferral).
-- `deferred_s`, `rescheduled_s`, time of the try in which it held no worker, and `away`, these spans, where its log tells.
-- `connections`, ids of those that its hooks took, the last one last, where its log tells (Airflow 2 and 3.0; later at debug).
-- `setup_s`, time of the try spent on fetching its bundle and parsing its file, where the log tells (3.3). `is_cleared`, the try belongs to no first execution: it follows a success of the same task, or a
-- failure that was final (its marking in Airflow 2, max_tries), or the end of its run, or a gap of more than a day.
-- `final_try`, the last known try of the first execution. `loses_run`, it failed, and its run with it: where API, database or
-- scheduler tell how the run first ended, that decides (a task after it may have dealt with the failure, a teardown loses no run),
-- unless a person marked the try; where they do not, a task that never lost one of the runs that they tell of loses none. `run_end`, what they tell;
-- null: nothing, or it was marked or cleared. `is_quiet`, it started inside a quiet window. `is_asked`,
-- API or database told it, so an open state was open when they were asked; the newest line of a log may be an old one.
-- `is_judged`, it counts in rates: a started try of the first execution of a scheduled or asset-triggered run, in scope,
-- not quiet.
create or replace temp view task_tries as
with runs as (
    select * from known_runs
),
-- keys of Airflow 1.10 to 2.2 hold the logical date in place of the run_id
dated_runs as (
    select dag_id, logical_date, min(run_id) as run_id
    from (
        select dag_id, run_id, logical_date from runs
        union all
        select distinct dag_id, run_id, try_cast(regexp_extract(run_id, '__(.+)$', 1) as timestamptz)
        from task_instances
        where (dag_id, run_id) not in (select (dag_id, run_id) from runs where dag_id is not null and run_id is not null)
    ) as known
    where logical_date is not null
    group by dag_id, logical_date
),
named_logs as (
    select
        task_logs.* replace (
            coalesce(dated_runs.run_id, task_logs.run_id) as run_id,
            coalesce(task_logs.map_index, -1) as map_index
        ),
        hash(
            task_logs.dag_id,
            coalesce(dated_runs.run_id, task_logs.run_id),
            task_logs.task_id,
            coalesce(task_logs.map_index, -1),
            task_logs.try_number
        ) as place
    from task_logs
    left join dated_runs
        on regexp_matches(task_logs.run_id, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T')
        and task_logs.dag_id = dated_runs.dag_id
        and coalesce(task_logs.logical_date, try_cast(task_logs.run_id as timestamptz)) = dated_runs.logical_date
),
-- Sorting every try by five ids costs most of the time, and few need it: those told twice, those tried twice.
doubled as (
    select place from named_logs group by place having count(*) > 1
),
logs as (
    select * from named_logs where place not in (select place from doubled)
    union all
    -- one attempt may have objects under two layouts after an upgrade: the last written one speaks; where exports of
    -- two days divide it between them, it began with the first
    select * replace (
        case
            when ends_with(object_url, '.log/000000.gz') then min(started_at) over (
                partition by dag_id, run_id, task_id, map_index, try_number, ends_with(object_url, '.log/000000.gz')
            )
            else started_at
        end as started_at
    )
    from named_logs
    where place in (select place from doubled)
    qualify row_number() over (
        partition by dag_id, run_id, task_id, map_index, try_number
        order by object_modified_at desc nulls last, object_url
    ) = 1
),
told as (
    select
        * replace (coalesce(map_index, -1) as map_index),
        hash(dag_id, run_id, task_id, coalesce(map_index, -1), try_number) as place
    from told_tries
),
told_twice as (
    select place from told group by place having count(*) > 1
),
instances as (
    select * from told where place not in (select place from told_twice)
    union all
    -- the newest reading wins, and what it leaves open is filled by older ones; on a tie database before API before
    -- component log, the row before its history
    INSTANCES_TOLD_ONCE
),
joined as (
    select
        coalesce(l.dag_id, i.dag_id) as dag_id,
        coalesce(l.run_id, i.run_id) as run_id,
        coalesce(l.task_id, i.task_id) as task_id,
        coalesce(l.map_index, i.map_index) as map_index,
        coalesce(l.try_number, i.try_number) as try_number,
        l.state as log_state,
        i.state as told_state,
        l.state_reason,
        coalesce(l.started_at, i.started_at) as started_at,
        coalesce(l.ended_at, i.ended_at) as ended_at,
        i.scheduled_at,
        i.queued_at,
        i.pool,
        i.pool_slots,
        i.queue,
        i.executor,
        coalesce(l.hostname, i.hostname) as hostname,
        coalesce(l.operator, i.operator) as operator,
        i.priority_weight,
        coalesce(i.object_url like 'db:%' or i.object_url like 'api:%', false) as is_asked,
        i.max_tries,
        l.exception_type,
        l.exception_message,
        l.error_signature,
        l.blame,
        l.bundle_name,
        l.bundle_version,
        l.dag_file,
        l.bundle_prepare_s,
        l.dag_file_parse_s,
        l.process_starts,
        l.deferred_s,
        l.rescheduled_s,
        l.away,
        l.connections,
        l.dialect,
        l.dag_id is not null as has_log,
        coalesce(i.anchor_at, l.object_modified_at) as anchor_at,
        hash(
            coalesce(l.dag_id, i.dag_id),
            coalesce(l.run_id, i.run_id),
            coalesce(l.task_id, i.task_id),
            coalesce(l.map_index, i.map_index)
        ) as attempt
    from logs as l
    full join instances as i
        on l.dag_id = i.dag_id
        and l.run_id = i.run_id
        and l.task_id = i.task_id
        and l.map_index = i.map_index
        and l.try_number = i.try_number
),
typed as (
    select
        joined.*,
        coalesce(
            nullif(runs.run_type, ''),
            nullif(regexp_extract(
                joined.run_id,
                '^(scheduled|manual|backfill|asset_triggered|dataset_triggered|operator_triggered)__',
                1
            ), ''),
            case when starts_with(joined.run_id, 'backfill_') then 'backfill' else 'scheduled' end
        ) as run_type,
        runs.started_at as run_started_at,
        runs.ended_at as run_ended_at,
        runs.first_end,
        coalesce(runs.logical_date, try_cast(regexp_extract(joined.run_id, '__(.+)$', 1) as timestamptz)) as logical_date,
        -- an open or unreadable ending in the log leaves the word to the others; `unknown` is said when nobody knows
        coalesce(
            case when log_state in ('success', 'failed', 'up_for_retry', 'skipped') then log_state end,
            case when told_state in ('success', 'failed', 'up_for_retry', 'skipped', 'upstream_failed', 'removed')
                then told_state end,
            nullif(log_state, 'unknown'),
            told_state,
            'unknown'
        ) as seen_state
    from joined
    left join runs on joined.dag_id = runs.dag_id and joined.run_id = runs.run_id
),
-- tasks that failed in runs which ended well, and lost none alone
handled as (
    select dag_id, task_id
    from (
        select distinct
            failed.dag_id,
            failed.run_id,
            failed.task_id,
            runs.first_end as end_state,
            count(distinct failed.task_id) over (partition by failed.dag_id, failed.run_id) as failed_tasks
        from task_instances as failed
        join runs on failed.dag_id = runs.dag_id and failed.run_id = runs.run_id
        where failed.state = 'failed' and failed.is_history is distinct from 1 and runs.first_end is not null
    ) as each_failure
    group by dag_id, task_id
    having count(*) filter (where end_state = 'success') >= 2
        and count(*) filter (where end_state = 'failed' and failed_tasks = 1) = 0
),
retried as (
    select distinct attempt from joined where try_number is distinct from 1
),
followed as (
    select
        *,
        case
            when try_number <= 1 then false
            when lag(seen_state) over tries in ('success', 'skipped') then true
            when lag(seen_state = 'failed' and state_reason = 'exception' and dialect like 'airflow2%') over tries
                then true
            when lag(max_tries) over tries is not null then lag(try_number > max_tries) over tries
            when started_at > run_ended_at and lag(started_at) over tries < run_ended_at then true
            when lag(try_number) over tries is null then started_at > logical_date + interval 35 days
            else started_at > lag(ended_at) over tries + interval 1 day
        end as is_new_execution
    from typed
    where attempt in (select attempt from retried)
    window tries as (partition by dag_id, run_id, task_id, map_index order by try_number)
),
placed as (
    select
        * exclude (is_new_execution),
        coalesce(bool_or(is_new_execution) over tries, false) as is_cleared,
        coalesce(lead(is_new_execution) over tries, true) as ends_execution,
        max(try_number) over (
            tries rows between unbounded preceding and unbounded following
        ) as last_known_try
    from followed
    window tries as (partition by dag_id, run_id, task_id, map_index order by try_number)
    union all
    select *, false, true, try_number
    from typed
    where attempt not in (select attempt from retried)
),
reruns as (
    select distinct dag_id, run_id from followed where is_new_execution
),
scoped as (
    select
        *,
        exists (
            select 1 from quiet_windows where placed.started_at >= from_at and placed.started_at < until_at
        ) as is_quiet,
        exists (select 1 from excluded_dags where placed.dag_id glob pattern) as is_excluded,
        case
            when told_state = 'success' then null  -- a person marked it, where its log says that it failed
            when (dag_id, run_id) not in (select (dag_id, run_id) from reruns) then first_end
        end as run_end,
        (dag_id, task_id) in (select (dag_id, task_id) from handled) as is_handled
    from placed
)
select
    dag_id,
    run_id,
    task_id,
    map_index,
    try_number,
    run_type,
    case
        -- its log stops, and yet there was another try: this one did not end well
        when seen_state in ('unknown', 'running', 'deferred', 'up_for_reschedule') and not ends_execution then 'up_for_retry'
        when seen_state not in ('failed', 'up_for_retry') then seen_state
        when not ends_execution then 'up_for_retry'
        when told_state in ('failed', 'up_for_retry') then told_state
        else seen_state
    end as state,
    state_reason,
    coalesce(try_number = 1, false) as first_try,
    coalesce(try_number = last_known_try, false) as last_try,
    started_at,
    ended_at,
    scheduled_at,
    queued_at,
    epoch_us(ended_at - started_at) / 1e6 as duration_s,
    epoch_us(coalesce(queued_at, started_at) - scheduled_at) / 1e6 as wait_s,
    pool,
    pool_slots,
    queue,
    executor,
    hostname,
    operator,
    priority_weight,
    exception_type,
    exception_message,
    error_signature,
    bundle_name,
    bundle_version,
    dag_file,
    has_log,
    monday_of(coalesce(started_at, queued_at, scheduled_at, anchor_at)) as week,
    is_cleared,
    ends_execution and not is_cleared as final_try,
    ends_execution
        and not is_cleared
        and seen_state in ('failed', 'up_for_retry')
        and case run_end when 'success' then false when 'failed' then true else not is_handled end as loses_run,
    run_end,
    blame,
    is_quiet,
    is_excluded,
    is_asked,
    coalesce(try_number > 0, false)
        and seen_state not in ('upstream_failed', 'removed')
        and run_type in ('scheduled', 'asset_triggered', 'dataset_triggered')
        and not is_cleared
        and not is_quiet
        and not is_excluded as is_judged,
    log_state,
    told_state,
    max_tries,
    coalesce(dag_file_parse_s, 0) + coalesce(bundle_prepare_s, 0) as setup_s,
    process_starts,
    deferred_s,
    rescheduled_s,
    away,
    connections
from scoped;
""".replace(
    "INSTANCES_TOLD_ONCE",
    told_once(
        "task_instances",
        "(select * from told where place in (select place from told_twice)) as twice",
        key="place",
        order=f"read_at desc nulls last, {TELLER_RANK}, is_history nulls first, object_url",
        window="tellings",
    ),
)
