-- How many scheduled runs did each DAG have in each of the last nine weeks?
--
-- The DAG's own cadence: a week of silence stands out against it.
--
-- grain:    dag_id
-- reads:    task_tries
-- columns:
--   dag_id         varchar
--   runs           bigint       scheduled runs that started in the week
--   weeks_seen     bigint       of the 8 weeks before, those with a run
--   median_runs    double       runs per week, the 8 weeks before, weeks without a run counted as 0
--   least_runs     bigint       the smallest of those weeks since the DAG was first seen
--   last_at        timestamptz  newest start in view
--   last_run_id    varchar
with runs as (
    select dag_id, run_id, min(week) as week, min(started_at) as started_at
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
    select weeks.dag_id, weeks.week, count(runs.run_id) as runs
    from weeks
    left join runs on weeks.dag_id = runs.dag_id and weeks.week = runs.week
    group by weeks.dag_id, weeks.week
)
select
    dags.dag_id,
    (select count(*) from runs where runs.dag_id = dags.dag_id and runs.week = report_week()) as runs,
    (select count(*) from counted where counted.dag_id = dags.dag_id and counted.runs > 0) as weeks_seen,
    (select median(counted.runs) from counted where counted.dag_id = dags.dag_id) as median_runs,
    (select min(counted.runs) from counted where counted.dag_id = dags.dag_id) as least_runs,
    (select max(runs.started_at) from runs where runs.dag_id = dags.dag_id) as last_at,
    (select arg_max(runs.run_id, runs.started_at) from runs where runs.dag_id = dags.dag_id) as last_run_id
from dags
order by dag_id
