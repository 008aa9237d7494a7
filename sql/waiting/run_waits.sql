-- When was each DAG's run due, created, started and ended?
--
-- The material of waiting for max_active_runs: parallel lists, one element per run that was active or waited in the week.
-- Seconds since Monday 00:00 UTC. Runs without a due time (component logs alone) are active, but are not said to wait.
--
-- grain:    dag_id
-- reads:    dag_runs, task_tries
-- columns:
--   dag_id      varchar
--   runs        bigint
--   waits       boolean[]  scheduled or asset-triggered, due in the week: its waiting counts
--   due_s       double[]
--   created_s   double[]
--   started_s   double[]
--   ended_s     double[]
with firsts as (
    select dag_id, run_id, min(started_at) as first_try_at, bool_or(is_excluded) as is_excluded
    from task_tries
    where week >= weeks_ago(1) and try_number > 0
    group by dag_id, run_id
),
runs as (
    select *
    from known_runs
),
timed as (
    select
        runs.dag_id,
        runs.run_id,
        run_type,
        run_after,
        queued_at,
        coalesce(firsts.is_excluded, false) as is_excluded,
        -- a run that was cleared has a later start than its first try
        least(started_at, firsts.first_try_at) as began_at,
        coalesce(ended_at, case when state in ('running', 'queued') then week_end() end) as ended_at
    from runs
    left join firsts on runs.dag_id = firsts.dag_id and runs.run_id = firsts.run_id
),
placed as (
    select
        dag_id,
        run_id,
        coalesce(run_type in ('scheduled', 'asset_triggered', 'dataset_triggered'), false)
            and not is_excluded
            and run_after >= week_start()
            and began_at >= run_after as waits,
        epoch_us(run_after - week_start()) / 1e6 as due_s,
        epoch_us(queued_at - week_start()) / 1e6 as created_s,
        epoch_us(began_at - week_start()) / 1e6 as started_s,
        epoch_us(ended_at - week_start()) / 1e6 as ended_s
    from timed
    where began_at < week_end() and ended_at >= week_start() and ended_at >= began_at
)
select
    dag_id,
    count(*) as runs,
    list(coalesce(waits, false) order by started_s, run_id) as waits,
    list(due_s order by started_s, run_id) as due_s,
    list(created_s order by started_s, run_id) as created_s,
    list(started_s order by started_s, run_id) as started_s,
    list(ended_s order by started_s, run_id) as ended_s
from placed
group by dag_id
order by dag_id
