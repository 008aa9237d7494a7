-- Which queue had tries waiting that no worker took?
--
-- By the queue that API, database or the scheduler's log name. A try that is queued by API or database at
-- the end of what was seen, and one that the scheduler gave up in the queue, was taken by nobody.
--
-- grain:    queue
-- reads:    component_events, task_tries
-- columns:
--   queue          varchar
--   executor       varchar      most frequent one; null where it is not told
--   tries          bigint       queued or started in the week
--   started        bigint       of those, started
--   waiting        bigint       of those, queued and not started yet
--   given_up       bigint       of those, taken back or failed in the queue, by the scheduler's word
--   dags           bigint       DAGs of the waiting ones
--   dag_ids        varchar[]    up to 20 of them
--   hosts          bigint       hosts on which tries of this queue started, nine weeks
--   last_start_at  timestamptz  newest start of a try of this queue, nine weeks; null: none
--   oldest_at      timestamptz  when the oldest waiting one was queued
--   seen_until     timestamptz  newest start or queueing of any try
with tries as (
    select
        *,
        week = report_week() as is_now,
        week = report_week() and state = 'queued' and started_at is null and queued_at is not null as is_waiting
    from task_tries
    where queue is not null and not is_excluded
),
stuck as (
    select distinct dag_id, run_id, task_id, coalesce(map_index, -1) as map_index
    from component_events
    where event in ('stuck_in_queued', 'queue_timeout') and monday_of(event_at) = report_week()
)
select
    tries.queue,
    mode(tries.executor order by tries.executor) as executor,
    count(*) filter (where is_now) as tries,
    count(*) filter (where is_now and started_at is not null) as started,
    count(*) filter (where is_waiting) as waiting,
    count(*) filter (where is_now and stuck.dag_id is not null) as given_up,
    count(distinct tries.dag_id) filter (where is_waiting) as dags,
    list_sort(coalesce(list(distinct tries.dag_id) filter (where is_waiting), []))[:20] as dag_ids,
    count(distinct hostname) filter (where started_at is not null) as hosts,
    max(started_at) as last_start_at,
    min(queued_at) filter (where is_waiting) as oldest_at,
    (select max(coalesce(started_at, queued_at)) from tries) as seen_until
from tries
left join stuck
    on tries.dag_id = stuck.dag_id
    and tries.run_id = stuck.run_id
    and tries.task_id = stuck.task_id
    and tries.map_index = stuck.map_index
where week >= weeks_ago(8) and week <= report_week()
group by tries.queue
having count(*) filter (where is_now) > 0
order by tries.queue
