-- How did the whole deployment do this week, and in each of the eight weeks before?
--
-- grain:    week
-- reads:    task_tries, task_logs
-- columns:
--   week                    date      Monday
--   dags                    bigint
--   runs                    bigint    judged runs
--   first_try_failed_runs   bigint    runs in which at least one first try failed
--   lost_runs               bigint    runs that a task lost: it failed its last known try, and its run with it
--   no_end_runs             bigint    runs not lost so far as is known, in which nobody knows how a task ended
--   no_end_first_runs       bigint    runs without a failed first try so far as is known, in which nobody knows how one ended
--   tries                   bigint
--   failures                bigint    tries that failed, retried or not
--   no_end_tries            bigint    tries of which nobody knows how they ended
--   failed_hours            double    hours that failed tries ran
--   log_bytes               bigint    size of the week's task logs
with runs as (
    select
        dag_id,
        run_id,
        min(week) as week,
        coalesce(bool_or(first_try and state in ('failed', 'up_for_retry')), false) as is_first_failed,
        coalesce(bool_or(loses_run), false) as is_lost,
        coalesce(bool_or(final_try and not has_end(state) and week <= report_week()), false) as is_open,
        coalesce(bool_or(first_try and not has_end(state) and week <= report_week()), false) as is_first_open
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week() + 7
        and is_judged
    group by dag_id, run_id
    having min(week) <= report_week()
),
tries as (
    select
        week,
        count(*) as tries,
        count(*) filter (where state in ('failed', 'up_for_retry')) as failures,
        count(*) filter (where not has_end(state)) as no_end_tries,
        coalesce(sum(duration_s) filter (where state in ('failed', 'up_for_retry')), 0) / 3600 as failed_hours
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week()
        and is_judged
    group by week
),
sizes as (
    select monday_of(started_at) as week, cast(sum(log_bytes) as bigint) as log_bytes
    from task_logs
    group by monday_of(started_at)
)
select
    runs.week,
    count(distinct dag_id) as dags,
    count(*) as runs,
    count(*) filter (where is_first_failed) as first_try_failed_runs,
    count(*) filter (where is_lost) as lost_runs,
    count(*) filter (where is_open and not is_lost) as no_end_runs,
    count(*) filter (where is_first_open and not is_first_failed) as no_end_first_runs,
    max(tries.tries) as tries,
    max(tries.failures) as failures,
    max(tries.no_end_tries) as no_end_tries,
    max(tries.failed_hours) as failed_hours,
    coalesce(max(sizes.log_bytes), 0) as log_bytes
from runs
join tries on runs.week = tries.week
left join sizes on runs.week = sizes.week
group by runs.week
order by runs.week
