-- How many runs were not judged, and how many of those were lost?
--
-- Backfills, manual runs and cleared executions stand in lines of their own, never in a rate, a cadence or the verdict.
-- So do runs of DAGs out of scope and runs inside quiet windows.
--
-- grain:    run_type
-- reads:    task_tries
-- columns:
--   run_type   varchar   backfill, manual, …; or why a scheduled run is not judged: cleared, quiet, excluded
--   dags       bigint
--   runs       bigint    runs that started in the week
--   lost_runs  bigint    runs in which at least one task failed its last known try
--   hours      double    hours that their tries ran
with runs as (
    select
        case
            when is_excluded then 'excluded'
            when run_type not in ('scheduled', 'asset_triggered', 'dataset_triggered') then run_type
            when is_cleared then 'cleared'
            else 'quiet'
        end as run_type,
        dag_id,
        run_id,
        coalesce(bool_or(last_try and state in ('failed', 'up_for_retry')), false) as is_lost,
        coalesce(sum(duration_s), 0) / 3600 as hours
    from task_tries
    where week = report_week()
        and try_number > 0
        and state not in ('upstream_failed', 'removed')
        and not is_judged
    group by 1, dag_id, run_id
)
select
    run_type,
    count(distinct dag_id) as dags,
    count(*) as runs,
    count(*) filter (where is_lost) as lost_runs,
    sum(hours) as hours
from runs
group by run_type
order by run_type
