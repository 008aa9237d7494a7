-- How often did Airflow itself end or requeue a try this week because a time limit had passed?
--
-- From the scheduler's log and the audit log; a try that both tell of counts once.
--
-- grain:    event
-- reads:    component_events
-- columns:
--   event     varchar      heartbeat_timeout (failed), stuck_in_queued (queued again), queue_timeout (failed)
--   tries     bigint
--   dags      bigint
--   first_at  timestamptz
--   last_at   timestamptz
select
    event,
    count(distinct (dag_id, run_id, task_id, coalesce(map_index, -1), coalesce(try_number, 0))) as tries,
    count(distinct dag_id) as dags,
    min(event_at) as first_at,
    max(event_at) as last_at
from component_events
where event in ('heartbeat_timeout', 'stuck_in_queued', 'queue_timeout')
    and event_at >= week_start()
    and event_at < week_end()
    and not is_quiet(event_at)
group by event
order by event
