-- How many tasks and runs were at work at once, at the most?
--
-- From the time between start and end of each try, to whole seconds: a try counts in each second that it touches, so a
-- peak is rather too high than too low. A deferred or rescheduled try counts from its first start to its end. The whole
-- deployment is told for this week and the four before, the others for this week alone.
--
-- grain:    week, grain
-- reads:    task_tries
-- columns:
--   week   date     Monday
--   grain  varchar  deployment, dag (tasks of one DAG), run (tasks of one run), dag_runs (runs of one DAG), task (one task over its DAG's runs), host
--   peak   bigint   the most at once
--   tries  bigint   tries (or runs) that were looked at
with spans as (
    select
        dag_id,
        run_id,
        task_id,
        hostname,
        week,
        cast(floor(epoch(started_at)) as bigint) as from_s,
        cast(floor(epoch(ended_at)) as bigint) + 1 as until_s
    from task_tries
    where week >= weeks_ago(4)
        and week <= report_week()
        and started_at is not null
        and ended_at >= started_at
        and not is_excluded
),
now as (
    select * from spans where week = report_week()
),
whose as (
    select 'dag' as grain, hash(dag_id) as place, from_s, until_s from now
    union all
    select 'run', hash(dag_id, run_id), from_s, until_s from now
    union all
    select 'task', hash(dag_id, task_id), from_s, until_s from now
    union all
    select 'host', hash(hostname), from_s, until_s from now where hostname is not null
    union all
    select 'dag_runs', hash(dag_id), min(from_s), max(until_s) from now group by dag_id, run_id
),
turns as (
    select grain, place, at_s, sum(step) as step
    from (
        select grain, place, from_s as at_s, 1 as step from whose
        union all
        select grain, place, until_s, -1 from whose
    ) as ends
    group by grain, place, at_s
),
levels as (
    select grain, sum(step) over (partition by grain, place order by at_s rows unbounded preceding) as level from turns
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
    select week, count(*) as tries from spans group by week
)
select all_levels.week, 'deployment' as grain, cast(max(level) as bigint) as peak, any_value(counted.tries) as tries
from all_levels
join counted on all_levels.week = counted.week
group by all_levels.week
union all
select report_week(), grain, cast(max(level) as bigint), (select count(*) from whose where whose.grain = levels.grain)
from levels
group by grain
order by week, grain
