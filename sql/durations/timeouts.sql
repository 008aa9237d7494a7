-- Which tasks and runs ended at a timeout or came near it, and how long do they take when they end well?
--
-- The limit is not told by logs; tries that a timeout ended show it: their shortest time is about it. Timeouts of sensors
-- and of triggers are left out: they are the time somebody else needed.
--
-- grain:    kind, dag_id, task_id
-- reads:    component_events, dag_runs, task_tries
-- columns:
--   kind           varchar      execution_timeout, dagrun_timeout
--   dag_id         varchar
--   task_id        varchar      null: the run
--   timeouts       bigint       ended by it in the week
--   timeouts_prev  bigint       the 8 weeks before
--   limit_s        double       shortest time of those that it ended, seconds
--   good_s         double[]     longest times of those that ended well in the week, at most 1,000 of them, longest first
--   ended_well     bigint       ended well in nine weeks
--   median_s       double       their time, seconds; null: none did
--   p99_s          double       99th percentile of it
--   longest_s      double
--   first_at       timestamptz  oldest timeout of the week
--   last_at        timestamptz  newest timeout
with tries as (
    select
        'execution_timeout' as kind,
        dag_id,
        task_id,
        week,
        duration_s as took_s,
        state = 'success' as is_good,
        state in ('failed', 'up_for_retry') and state_reason = 'timeout' as is_timeout,
        ended_at
    from task_tries
    where is_judged
        and week >= weeks_ago(8)
        and week <= report_week()
        and coalesce(exception_type, '') not ilike '%sensortimeout%'
        and coalesce(exception_type, '') not ilike '%deferral%'
        and coalesce(operator, '') not ilike '%sensor%'
),
told as (
    select distinct dag_id, run_id from component_events where event = 'run_timeout'
),
runs as (
    select
        'dagrun_timeout' as kind,
        dag_runs.dag_id,
        cast(null as varchar) as task_id,
        monday_of(dag_runs.started_at) as week,
        epoch(dag_runs.ended_at) - epoch(dag_runs.started_at) as took_s,
        dag_runs.state = 'success' as is_good,
        told.dag_id is not null as is_timeout,
        dag_runs.ended_at
    from known_runs as dag_runs
    left join told on dag_runs.dag_id = told.dag_id and dag_runs.run_id = told.run_id
    where coalesce(dag_runs.run_type, 'scheduled') not in ('manual', 'backfill')
        and monday_of(dag_runs.started_at) between weeks_ago(8) and report_week()
),
everything as (
    select * from tries
    union all
    select * from runs
),
limits as (
    select kind, dag_id, task_id, min(took_s) as limit_s
    from everything
    where is_timeout and took_s > 0
    group by kind, dag_id, task_id
)
select
    everything.kind,
    everything.dag_id,
    everything.task_id,
    count(*) filter (where is_timeout and week = report_week()) as timeouts,
    count(*) filter (where is_timeout and week < report_week()) as timeouts_prev,
    max(limits.limit_s) as limit_s,
    coalesce(
        list(took_s order by took_s desc) filter (where is_good and week = report_week() and took_s is not null)[1:1000],
        []
    ) as good_s,
    count(*) filter (where is_good) as ended_well,
    median(took_s) filter (where is_good) as median_s,
    quantile_cont(took_s, 0.99) filter (where is_good) as p99_s,
    max(took_s) filter (where is_good) as longest_s,
    min(ended_at) filter (where is_timeout and week = report_week()) as first_at,
    max(ended_at) filter (where is_timeout) as last_at
from everything
join limits
    on everything.kind = limits.kind
    and everything.dag_id = limits.dag_id
    and everything.task_id is not distinct from limits.task_id
group by everything.kind, everything.dag_id, everything.task_id
order by timeouts desc, everything.kind, everything.dag_id, everything.task_id
