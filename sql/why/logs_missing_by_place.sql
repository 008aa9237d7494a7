-- On which hosts, executors, queues and DAGs do tries leave no log?
--
-- Tries that API, database or the scheduler's log know to have begun and ended, in weeks with task logs. Tries of operators
-- that never leave one (no success of theirs has a log in nine weeks, as with EmptyOperator) are not counted. A success
-- without a log was not uploaded, or lies under another address; a failed try without one may have died before it could.
--
-- grain:    grain, dag_id, hostname, of_what
-- reads:    component_events, task_logs, task_tries
-- columns:
--   grain          varchar      all, dag, host, executor, queue
--   dag_id         varchar      of dag
--   hostname       varchar      of host
--   of_what        varchar      executor or queue
--   tries          bigint       begun and ended in the week
--   missing        bigint       of those, without a log
--   missing_share  double       fraction 0-1
--   successes      bigint       of missing, those that succeeded
--   killed         bigint       of missing, those of which a component told a lost or failed pod or worker
--   tries_prev     bigint       8 weeks before
--   missing_prev   bigint
--   first_at       timestamptz  end of the first one without a log
--   last_at        timestamptz
with logged_weeks as (
    select distinct monday_of(started_at) as week from task_logs where started_at is not null
),
told as (
    select
        dag_id,
        run_id,
        task_id,
        map_index,
        try_number,
        hostname,
        executor,
        queue,
        coalesce(operator, '') as operator,
        has_log,
        told_state,
        ended_at,
        week
    from task_tries
    where try_number > 0
        and told_state in ('success', 'failed', 'up_for_retry')
        and not is_excluded
        and not is_quiet
        and week >= weeks_ago(8)
        and week <= report_week()
        and week in (select week from logged_weeks)
        -- marked from outside, or done by the scheduler itself: no process ran
        and (has_log or epoch_us(ended_at - started_at) > 0)
),
silent_operators as (
    select operator from told where operator <> '' group by operator having not bool_or(has_log)
),
lost as (
    select distinct dag_id, run_id, task_id, coalesce(map_index, -1) as map_index
    from component_events
    where event in ('pod_failed', 'pod_deleted', 'heartbeat_timeout')
),
tries as (
    select
        told.*,
        told.week = report_week() as is_now,
        lost.dag_id is not null as is_killed
    from told
    left join lost
        on told.dag_id = lost.dag_id
        and told.run_id = lost.run_id
        and told.task_id = lost.task_id
        and told.map_index = lost.map_index
    where told.operator not in (select operator from silent_operators) or told.told_state <> 'success'
),
graded as (
    select
        grains.grain,
        case when grains.grain = 'dag' then tries.dag_id end as of_dag,
        case when grains.grain = 'host' then tries.hostname end as of_host,
        case grains.grain
            when 'executor' then tries.executor
            when 'queue' then tries.queue
            when 'all' then ''
        end as of_what,
        tries.*
    from tries, (select unnest(['all', 'dag', 'host', 'executor', 'queue']) as grain) as grains
)
select
    grain,
    of_dag as dag_id,
    of_host as hostname,
    of_what,
    count(*) filter (where is_now) as tries,
    count(*) filter (where is_now and not has_log) as missing,
    count(*) filter (where is_now and not has_log) / nullif(count(*) filter (where is_now), 0) as missing_share,
    count(*) filter (where is_now and not has_log and told_state = 'success') as successes,
    count(*) filter (where is_now and not has_log and is_killed) as killed,
    count(*) filter (where not is_now) as tries_prev,
    count(*) filter (where not is_now and not has_log) as missing_prev,
    min(ended_at) filter (where is_now and not has_log) as first_at,
    max(ended_at) filter (where is_now and not has_log) as last_at
from graded
where coalesce(of_dag, of_host, of_what) is not null
group by grain, of_dag, of_host, of_what
having count(*) filter (where is_now) > 0
order by grain, of_dag, of_host, of_what
