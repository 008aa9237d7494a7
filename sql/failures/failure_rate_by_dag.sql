-- How often did each DAG fail this week, and in the weeks before?
--
-- Three rates, never one: runs in which a first try failed, runs that were lost after all retries, and tries. Judged are
-- scheduled and asset-triggered runs. upstream_failed is never a failure. A run belongs to the week it started in.
--
-- grain:    dag_id
-- reads:    task_tries
-- columns:
--   dag_id                  varchar
--   runs                    bigint    judged runs that started in the week
--   first_try_failed_runs   bigint    runs in which at least one first try failed
--   lost_runs               bigint    runs in which at least one task failed its last known try
--   lost_rate               double    fraction 0-1
--   tries                   bigint    tries that started in the week
--   failures                bigint    tries that failed, retried or not
--   runs_prev               bigint    the 8 weeks before
--   first_try_failed_prev   bigint    the 8 weeks before
--   lost_runs_prev          bigint    the 8 weeks before
--   lost_rate_prev          double    fraction 0-1; null without runs
--   tries_prev              bigint    the 8 weeks before
--   failures_prev           bigint    the 8 weeks before
with judged as (
    select *
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week()
        and run_type in ('scheduled', 'asset_triggered', 'dataset_triggered')
        and try_number > 0
        and state <> 'upstream_failed'
),
each_run as (
    select
        dag_id,
        run_id,
        min(week) as week,
        count(*) as tries,
        count(*) filter (where state in ('failed', 'up_for_retry')) as failures,
        coalesce(bool_or(first_try and state in ('failed', 'up_for_retry')), false) as is_first_failed,
        coalesce(bool_or(last_try and state in ('failed', 'up_for_retry')), false) as is_lost
    from judged
    group by dag_id, run_id
)
select
    dag_id,
    count(*) filter (where week = report_week()) as runs,
    count(*) filter (where week = report_week() and is_first_failed) as first_try_failed_runs,
    count(*) filter (where week = report_week() and is_lost) as lost_runs,
    lost_runs / nullif(runs, 0) as lost_rate,
    cast(coalesce(sum(tries) filter (where week = report_week()), 0) as bigint) as tries,
    cast(coalesce(sum(failures) filter (where week = report_week()), 0) as bigint) as failures,
    count(*) filter (where week < report_week()) as runs_prev,
    count(*) filter (where week < report_week() and is_first_failed) as first_try_failed_prev,
    count(*) filter (where week < report_week() and is_lost) as lost_runs_prev,
    lost_runs_prev / nullif(runs_prev, 0) as lost_rate_prev,
    cast(coalesce(sum(tries) filter (where week < report_week()), 0) as bigint) as tries_prev,
    cast(coalesce(sum(failures) filter (where week < report_week()), 0) as bigint) as failures_prev
from each_run
group by dag_id
order by lost_rate desc nulls last, dag_id
