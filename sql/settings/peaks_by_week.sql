-- How many tasks and runs were at work at once, at the most?
--
-- From the time between start and end of each try, to whole seconds: a try counts in each second that it touches, so a
-- peak is rather too high than too low. A deferred or rescheduled try counts from its first start to its end. The whole
-- deployment is told for this week and the four before; the others for this week alone, and for the four before where
-- somebody told the limit that they stand against (API, database or a file) and the grain is that of its version.
--
-- grain:    week, grain
-- reads:    deployments, task_tries
-- columns:
--   week   date     Monday
--   grain  varchar  deployment, dag (tasks of one DAG), run (tasks of one run), dag_runs (runs of one DAG), task (one task over its DAG's runs), host
--   peak   bigint   the most at once
--   tries  bigint   tries (or runs) that were looked at
--   unseen bigint   tries of the week that ran and whose times, or for host whose host, nobody tells
with ran as (
    select
        dag_id,
        run_id,
        task_id,
        hostname,
        week,
        started_at is not null and ended_at >= started_at as is_timed,
        cast(floor(epoch(started_at)) as bigint) as from_s,
        cast(floor(epoch(ended_at)) as bigint) + 1 as until_s
    from task_tries
    where week >= weeks_ago(4)
        and week <= report_week()
        and (started_at is not null or state in ('success', 'failed', 'up_for_retry'))
        and not is_excluded
),
spans as (
    select * from ran where is_timed
),
told as (
    select
        coalesce(bool_or(key in ('config.core.max_active_tasks_per_dag', 'config.core.dag_concurrency')), false) as of_tasks,
        coalesce(bool_or(key = 'config.core.max_active_runs_per_dag'), false) as of_runs,
        coalesce(bool_or(key = 'config.celery.worker_concurrency'), false) as of_hosts,
        coalesce(bool_or(key = 'airflow.version' and regexp_matches(value, '^v?[12]\.')), false) as is_two
    from deployments
    where key in ('config.core.max_active_tasks_per_dag', 'config.core.dag_concurrency', 'config.core.max_active_runs_per_dag',
                  'config.celery.worker_concurrency', 'airflow.version')
),
whose as (
    select week, 'dag' as grain, hash(dag_id) as place, from_s, until_s
    from spans
    where week = report_week() or (select of_tasks and is_two from told)
    union all
    select week, 'run', hash(dag_id, run_id), from_s, until_s
    from spans
    where week = report_week() or (select of_tasks and not is_two from told)
    union all
    select week, 'task', hash(dag_id, task_id), from_s, until_s from spans where week = report_week()
    union all
    select week, 'host', hash(hostname), from_s, until_s
    from spans
    where hostname is not null and (week = report_week() or (select of_hosts from told))
    union all
    select week, 'dag_runs', hash(dag_id), min(from_s), max(until_s)
    from spans
    where week = report_week() or (select of_runs from told)
    group by week, dag_id, run_id
),
turns as (
    select week, grain, place, at_s, sum(step) as step
    from (
        select week, grain, place, from_s as at_s, 1 as step from whose
        union all
        select week, grain, place, until_s, -1 from whose
    ) as ends
    group by week, grain, place, at_s
),
levels as (
    select
        week,
        grain,
        sum(step) over (partition by week, grain, place order by at_s rows unbounded preceding) as level
    from turns
),
looked_at as (
    select week, grain, count(*) as tries from whose group by week, grain
),
all_turns as (
    select at_s, sum(step) as step
    from (
        select from_s as at_s, 1 as step from spans
        union all
        select until_s, -1 from spans
    ) as ends
    group by at_s
),
all_levels as (
    select
        monday_of(to_timestamp(at_s)) as week,
        sum(step) over (order by at_s rows unbounded preceding) as level
    from all_turns
),
counted as (
    select
        week,
        count(*) filter (where is_timed) as tries,
        count(*) filter (where not is_timed) as untimed,
        count(*) filter (where not is_timed or hostname is null) as unplaced
    from ran
    group by week
),
peaks as (
    select week, 'deployment' as grain, cast(max(level) as bigint) as peak from all_levels group by week
    union all
    select week, grain, cast(max(level) as bigint) from levels group by week, grain
)
select
    peaks.week,
    peaks.grain,
    peaks.peak,
    coalesce(looked_at.tries, counted.tries) as tries,
    case when peaks.grain = 'host' then counted.unplaced else counted.untimed end as unseen
from peaks
join counted on peaks.week = counted.week
left join looked_at on peaks.week = looked_at.week and peaks.grain = looked_at.grain
order by peaks.week, peaks.grain
