-- How many scheduled runs did each DAG have in each of the last nine weeks?
--
-- The DAG's own cadence: a week of silence stands out against it. Of a week that goes on (seen until the newest pull, the
-- variable `listed_until`) the least is what was there by then in the weeks before, a day allowed for runs whose log comes late.
--
-- grain:    dag_id
-- reads:    task_tries, objects
-- columns:
--   dag_id         varchar
--   runs           bigint       scheduled runs that started in the week
--   weeks_seen     bigint       of the 8 weeks before, those with a run
--   median_runs    double       runs per week, the 8 weeks before, weeks without a run counted as 0
--   least_runs     bigint       the smallest of those weeks since the DAG was first seen, up to the moment seen of this one
--   last_at        timestamptz  newest start in view
--   last_run_id    varchar
with seen as (
    select case when until_at < week_end() then until_at - week_start() - interval 1 day end as up_to
    from (
        select greatest(cast(getvariable('listed_until') as timestamptz), (select max(read_at) from objects)) as until_at
    ) as looked
),
runs as (
    select
        dag_id,
        run_id,
        min(week) as week,
        min(started_at) as started_at,
        min(coalesce(ended_at, started_at)) as logged_at
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week()
        and run_type = 'scheduled'
        and try_number > 0
        and not is_cleared
        and not is_excluded
    group by dag_id, run_id
),
dags as (
    select dag_id, min(week) as first_week from runs group by dag_id
),
weeks as (
    select dag_id, weeks_ago(n) as week
    from dags, range(1, 9) as past(n)
    where weeks_ago(n) >= first_week
),
counted as (
    select
        weeks.dag_id,
        weeks.week,
        count(runs.run_id) as runs,
        count(runs.run_id) filter (
            where seen.up_to is null or runs.logged_at - cast(weeks.week as timestamptz) < seen.up_to
        ) as by_now
    from weeks
    cross join seen
    left join runs on weeks.dag_id = runs.dag_id and weeks.week = runs.week
    group by weeks.dag_id, weeks.week
)
select
    dags.dag_id,
    (select count(*) from runs where runs.dag_id = dags.dag_id and runs.week = report_week()) as runs,
    (select count(*) from counted where counted.dag_id = dags.dag_id and counted.runs > 0) as weeks_seen,
    (select median(counted.runs) from counted where counted.dag_id = dags.dag_id) as median_runs,
    (select min(counted.by_now) from counted where counted.dag_id = dags.dag_id) as least_runs,
    (select max(runs.started_at) from runs where runs.dag_id = dags.dag_id) as last_at,
    (select arg_max(runs.run_id, runs.started_at) from runs where runs.dag_id = dags.dag_id) as last_run_id
from dags
order by dag_id
