-- How many backfill and manual runs were there, and how many were lost?
--
-- They stand in lines of their own and are never mixed into a rate, a cadence or the verdict.
--
-- grain:    run_type
-- reads:    task_tries
-- columns:
--   run_type   varchar
--   dags       bigint
--   runs       bigint    runs that started in the week
--   lost_runs  bigint    runs in which at least one task failed its last known try
with runs as (
    select
        run_type,
        dag_id,
        run_id,
        coalesce(bool_or(last_try and state in ('failed', 'up_for_retry')), false) as is_lost
    from task_tries
    where week = report_week()
        and run_type not in ('scheduled', 'asset_triggered', 'dataset_triggered')
        and try_number > 0
    group by run_type, dag_id, run_id
)
select
    run_type,
    count(distinct dag_id) as dags,
    count(*) as runs,
    count(*) filter (where is_lost) as lost_runs
from runs
group by run_type
order by run_type
