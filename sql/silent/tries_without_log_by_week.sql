-- How many tries left no log in each of the last nine weeks, of how many?
--
-- The past of `lost_tries`: failed tries without an object, and tries known only by a later one (objects that could not be
-- read among them). Weeks without any task
-- log are left out: then no try has one.
--
-- grain:    week
-- reads:    task_logs, task_tries
-- columns:
--   week         date      Monday
--   tries        bigint    tries known, however
--   failures     bigint    of those, tries that failed, retried or not
--   without_log  bigint    failed or unknown tries without a log
--   dags         bigint    DAGs of those
--   runs         bigint    runs of those
--   unknown_end  bigint    tries with a log that does not say how it ended, and nobody else does
with numbered as (
    select
        *,
        coalesce(lag(try_number) over (
            partition by dag_id, run_id, task_id, map_index order by try_number
        ), 0) as known_before
    from task_tries
    where try_number > 0 and week >= weeks_ago(8) and week <= report_week()
),
counted as (
    select
        *,
        case when has_log and not is_cleared then try_number - 1 - known_before else 0 end
            + cast(not has_log and state in ('failed', 'up_for_retry') as integer) as lost
    from numbered
)
select
    week,
    cast(count(*) + coalesce(sum(case when has_log and not is_cleared then try_number - 1 - known_before end), 0) as bigint)
        as tries,
    count(*) filter (where state in ('failed', 'up_for_retry')) as failures,
    cast(sum(lost) as bigint) as without_log,
    count(distinct dag_id) filter (where lost > 0) as dags,
    count(distinct (dag_id, run_id)) filter (where lost > 0) as runs,
    count(*) filter (where has_log and state = 'unknown') as unknown_end
from counted
where week in (select monday_of(started_at) from task_logs)
group by week
order by week
