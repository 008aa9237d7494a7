-- Which DAGs failed in which hour of the week, with what, and on which host?
--
-- An hour is that in which the try ended. `failures_by_hour` tells how many of them are usual.
--
-- grain:    hour_at, dag_id
-- reads:    task_tries, error_causes
-- columns:
--   hour_at       timestamptz  start of the hour
--   dag_id        varchar
--   own_rate      double       share of the DAG's other hours of nine weeks in which a try of it failed; null without any
--   tries         bigint       that failed in the hour
--   tasks         bigint       of those, different ones
--   tasks_well    bigint       of `tasks`, those that succeeded later in the week
--   lost_runs     bigint       runs that a try of the hour ended for good, and no try of an earlier hour
--   wasted_hours  double       that the failed tries ran
--   cause         varchar      of most of them: login, connection or host by name, else the signature without its frame
--   hostname      varchar      of most of them; null where the log tells none
--   first_at      timestamptz  end of the first one
--   last_at       timestamptz  end of the last one
with tries as (
    select
        dag_id,
        run_id,
        (task_id, map_index) as task,
        coalesce(ended_at, started_at) as failed_at,
        date_trunc('hour', coalesce(ended_at, started_at)) as hour_at,
        state in ('failed', 'up_for_retry') as is_failed,
        loses_run,
        duration_s,
        hostname,
        cause
    from task_tries
    left join error_causes on bare_signature = without_frame(error_signature)
    where week >= weeks_ago(8)
        and week <= report_week()
        and is_judged
        and state in ('success', 'failed', 'up_for_retry')
        and coalesce(ended_at, started_at) < week_end()
),
own as (
    select dag_id, count(distinct hour_at) as hours, count(distinct hour_at) filter (where is_failed) as failed_hours
    from tries
    group by dag_id
),
lost as (
    select dag_id, hour_at, count(*) as lost_runs
    from (
        select dag_id, run_id, min(hour_at) as hour_at
        from tries
        where loses_run
        group by dag_id, run_id
    ) as ended
    group by dag_id, hour_at
),
well as (
    select dag_id, task, max(failed_at) as well_at
    from tries
    where not is_failed
    group by dag_id, task
)
select
    tries.hour_at,
    tries.dag_id,
    (any_value(own.failed_hours) - 1) / nullif(any_value(own.hours) - 1, 0) as own_rate,
    count(*) as tries,
    count(distinct tries.task) as tasks,
    count(distinct tries.task) filter (where well.well_at > tries.failed_at) as tasks_well,
    coalesce(any_value(lost.lost_runs), 0) as lost_runs,
    coalesce(sum(tries.duration_s), 0) / 3600 as wasted_hours,
    mode(tries.cause order by tries.cause) as cause,
    mode(tries.hostname order by tries.hostname) as hostname,
    min(tries.failed_at) as first_at,
    max(tries.failed_at) as last_at
from tries
join own on own.dag_id = tries.dag_id
left join lost on lost.dag_id = tries.dag_id and lost.hour_at = tries.hour_at
left join well on well.dag_id = tries.dag_id and well.task = tries.task
where tries.is_failed and tries.hour_at >= week_start()
group by tries.hour_at, tries.dag_id
order by tries.hour_at, tries.dag_id
