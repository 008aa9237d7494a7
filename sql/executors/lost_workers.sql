-- Which hosts were lost with tries on them, and what did each cost?
--
-- A try whose heartbeat stops is given up by the scheduler, which names its host and when it began (newer 2.x and 3.x); else
-- API or database tell them. Where no other input knows the try, one that came after it says that it was tried again, and the
-- run's end that it was lost. Pods are left to `infrastructure_tries`. The hours are those from the start of a try until it was given up:
-- with them goes the time that the scheduler waits for a heartbeat (`task_instance_heartbeat_timeout`).
--
-- grain:    hostname
-- reads:    component_events, dag_runs, task_tries
-- columns:
--   hostname     varchar
--   queue        varchar      of most of these tries; empty where nobody tells
--   tries        bigint       judged or not: a worker does not choose
--   tasks        bigint
--   dags         bigint
--   most_at_once bigint       most tries given up within ten minutes
--   retried      bigint       of them, tries that were tried again
--   lost         bigint       of them, tries that were the last one: their tasks failed
--   lost_runs    bigint       runs with such a task
--   no_log       bigint       tries that left no log
--   lost_hours   double       hours of work thrown away
--   first_at     timestamptz  first given up in the week
--   last_at      timestamptz
--   missed_at    timestamptz  when the other workers said that they did not hear of it any more; null: nobody did
--   ready_at     timestamptz  when it was ready again, first time after the last try was given up; null: not told
with given_up as (
    select
        dag_id,
        run_id,
        task_id,
        coalesce(map_index, -1) as map_index,
        try_number,
        min(event_at) as told_at,
        min(started_at) as started_at,
        max(hostname) as hostname,
        max(queue) as queue
    from component_events
    where event = 'heartbeat_timeout'
        and event_at >= week_start()
        and event_at < week_end()
        and run_id is not null
        and try_number is not null
        and not is_quiet(event_at)
    group by dag_id, run_id, task_id, coalesce(map_index, -1), try_number
),
later as (
    select dag_id, run_id, task_id, map_index, max(try_number) as try_number
    from task_tries
    where run_id in (select run_id from given_up)
    group by dag_id, run_id, task_id, map_index
),
joined as (
    select
        given_up.dag_id,
        given_up.run_id,
        given_up.task_id,
        given_up.told_at,
        coalesce(given_up.hostname, tries.hostname) as hostname,
        coalesce(given_up.queue, tries.queue) as queue,
        tries.executor,
        coalesce(tries.state = 'up_for_retry', later.try_number > given_up.try_number) as is_retried,
        coalesce(
            tries.state = 'failed', runs.state = 'failed' and later.try_number is null
        ) as is_lost,
        not coalesce(tries.has_log, false) as is_without_log,
        epoch_us(given_up.told_at - coalesce(tries.started_at, given_up.started_at)) / 3.6e9 as hours
    from given_up
    left join task_tries as tries
        on given_up.dag_id = tries.dag_id
        and given_up.run_id = tries.run_id
        and given_up.task_id = tries.task_id
        and given_up.map_index = tries.map_index
        and given_up.try_number = tries.try_number
    left join later
        on given_up.dag_id = later.dag_id
        and given_up.run_id = later.run_id
        and given_up.task_id = later.task_id
        and given_up.map_index = later.map_index
    left join known_runs as runs on given_up.dag_id = runs.dag_id and given_up.run_id = runs.run_id
    where not coalesce(tries.is_excluded, false)
),
placed as (
    select
        *,
        count(*) over (
            partition by hostname order by told_at range between interval 10 minutes preceding and current row
        ) as at_once
    from joined
    where hostname is not null and executor is distinct from 'KubernetesExecutor'
),
counted as (
    select
        hostname,
        coalesce(mode(queue order by queue), '') as queue,
        count(*) as tries,
        count(distinct (dag_id, task_id)) as tasks,
        count(distinct dag_id) as dags,
        max(at_once) as most_at_once,
        count(*) filter (where is_retried) as retried,
        count(*) filter (where is_lost) as lost,
        count(distinct (dag_id, run_id)) filter (where is_lost) as lost_runs,
        count(*) filter (where is_without_log) as no_log,
        coalesce(sum(hours) filter (where hours > 0), 0) as lost_hours,
        min(told_at) as first_at,
        max(told_at) as last_at
    from placed
    group by hostname
),
heard as (
    select
        counted.hostname,
        min(events.event_at) filter (where events.event = 'worker_missed') as missed_at,
        min(events.event_at) filter (where events.event = 'worker_ready' and events.event_at > counted.last_at) as ready_at
    from counted
    join component_events as events on counted.hostname = events.hostname
    where events.event in ('worker_missed', 'worker_ready')
        and events.event_at >= week_start()
        and events.event_at < week_end()
    group by counted.hostname
)
select
    counted.*,
    heard.missed_at,
    heard.ready_at
from counted
left join heard on counted.hostname = heard.hostname
order by counted.tries desc, counted.hostname
