-- How often did each DAG fail this week, and in the weeks before?
--
-- Three rates, never one: runs in which a first try failed, runs that were lost after all retries, and tries. Judged are
-- first executions of scheduled and asset-triggered runs. upstream_failed is never a failure. A run belongs to the week
-- it began in, a try to the week it started in.
--
-- grain:    dag_id
-- reads:    task_tries
-- columns:
--   dag_id                  varchar
--   runs                    bigint    judged runs that started in the week
--   first_try_failed_runs   bigint    runs in which at least one first try failed
--   lost_runs               bigint    runs that a task lost: it failed its last known try, and its run with it
--   no_end_runs             bigint    runs not lost so far as is known, in which nobody knows how a task ended
--   lost_went_on            bigint    of those, runs of which nothing tells how Airflow ended them, in which another task began after
--                                     the failure and ended well
--   lost_rate               double    fraction 0-1; of all runs, so at least
--   tries                   bigint    tries that started in the week
--   failures                bigint    tries that failed, retried or not
--   runs_prev               bigint    the 8 weeks before
--   first_try_failed_prev   bigint    the 8 weeks before
--   lost_runs_prev          bigint    the 8 weeks before
--   no_end_runs_prev        bigint    the 8 weeks before
--   lost_rate_prev          double    fraction 0-1; null without runs
--   tries_prev              bigint    the 8 weeks before
--   failures_prev           bigint    the 8 weeks before
with judged as (
    select *
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week() + 7
        and is_judged
),
each_run as (
    select
        dag_id,
        run_id,
        min(week) as week,
        coalesce(bool_or(first_try and state in ('failed', 'up_for_retry')), false) as is_first_failed,
        coalesce(bool_or(loses_run), false) as is_lost,
        coalesce(
            bool_and(run_end is null)
            and max(started_at) filter (where final_try and state = 'success') > max(ended_at) filter (where loses_run),
            false
        ) as went_on,
        coalesce(bool_or(final_try and not has_end(state) and week <= report_week()), false) as is_open
    from judged
    group by dag_id, run_id
    having min(week) <= report_week()
),
each_try as (
    select
        dag_id,
        count(*) filter (where week = report_week()) as tries,
        count(*) filter (where week = report_week() and state in ('failed', 'up_for_retry')) as failures,
        count(*) filter (where week < report_week()) as tries_prev,
        count(*) filter (where week < report_week() and state in ('failed', 'up_for_retry')) as failures_prev
    from judged
    group by dag_id
)
select
    dag_id,
    count(*) filter (where week = report_week()) as runs,
    count(*) filter (where week = report_week() and is_first_failed) as first_try_failed_runs,
    count(*) filter (where week = report_week() and is_lost) as lost_runs,
    count(*) filter (where week = report_week() and is_open and not is_lost) as no_end_runs,
    count(*) filter (where week = report_week() and is_lost and went_on) as lost_went_on,
    lost_runs / nullif(runs, 0) as lost_rate,
    max(each_try.tries) as tries,
    max(each_try.failures) as failures,
    count(*) filter (where week < report_week()) as runs_prev,
    count(*) filter (where week < report_week() and is_first_failed) as first_try_failed_prev,
    count(*) filter (where week < report_week() and is_lost) as lost_runs_prev,
    count(*) filter (where week < report_week() and is_open and not is_lost) as no_end_runs_prev,
    lost_runs_prev / nullif(runs_prev, 0) as lost_rate_prev,
    max(each_try.tries_prev) as tries_prev,
    max(each_try.failures_prev) as failures_prev
from each_run
join each_try using (dag_id)
group by dag_id
order by lost_rate desc nulls last, dag_id
