-- Which DAGs have more runs due than their max_active_runs can work off?
--
-- Little's law: runs that begin per hour times the hours each takes is how many run at once on average; at the limit, each
-- day adds to the backlog. The limit is what the scheduler said when it held runs back.
--
-- grain:    dag_id
-- reads:    component_events, task_tries
-- columns:
--   dag_id        varchar
--   limit_value   bigint    max_active_runs
--   held_minutes  bigint    minutes of the week in which the scheduler held runs back
--   held_prev     bigint    the same in the eight weeks before; null where no component told anything then
--   first_at      timestamptz  first time of the week that it held any back
--   runs          bigint    scheduled runs that started in the week
--   run_hours     double    hours from first start to last end, summed
--   mean_active   double    run_hours over the hours of the week seen
--   late_first_s  double    median delay of a run's start after its logical date, first half of the week, seconds
--   late_last_s   double    second half
with held as (
    select
        dag_id,
        max(limit_value) filter (where event_at >= week_start()) as limit_value,
        count(distinct date_trunc('minute', event_at)) filter (where event_at >= week_start()) as held_minutes,
        count(distinct date_trunc('minute', event_at)) filter (where event_at < week_start()) as held_before,
        min(event_at) filter (where event_at >= week_start()) as first_at
    from component_events
    where event = 'max_active_runs'
        and event_at >= cast(weeks_ago(8) as timestamptz)
        and event_at < week_end()
        and dag_id is not null
    group by dag_id
    having count(*) filter (where event_at >= week_start()) > 0
),
runs as (
    select
        dag_id,
        run_id,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        try_cast(regexp_extract(run_id, '__(.+)$', 1) as timestamptz) as due_at
    from task_tries
    where week = report_week() and run_type = 'scheduled' and try_number > 0 and started_at is not null and not is_cleared
    group by dag_id, run_id
),
spans as (
    select
        dag_id,
        count(*) as runs,
        sum(epoch(ended_at) - epoch(started_at)) / 3600 as run_hours,
        greatest(1, (epoch(max(ended_at)) - epoch(min(started_at))) / 3600) as hours,
        median(epoch(started_at) - epoch(due_at)) filter (where started_at < week_start() + interval 84 hours) as late_first_s,
        median(epoch(started_at) - epoch(due_at)) filter (where started_at >= week_start() + interval 84 hours) as late_last_s
    from runs
    group by dag_id
)
select
    held.dag_id,
    held.limit_value,
    held.held_minutes,
    case
        when exists (
            select 1 from component_events
            where event_at >= cast(weeks_ago(8) as timestamptz) and event_at < week_start()
        ) then held.held_before
    end as held_prev,
    held.first_at,
    spans.runs,
    spans.run_hours,
    spans.run_hours / spans.hours as mean_active,
    spans.late_first_s,
    spans.late_last_s
from held
join spans on held.dag_id = spans.dag_id
order by held.held_minutes desc, held.dag_id
