-- Which runs are not judged: backfills, clears, manual runs, runs inside quiet windows, DAGs out of scope?
--
-- They count in no rate, no cadence and not in the verdict; their load in pools and executors is real. A backfill, a clear
-- of many runs, or the work of a maintenance window is told as such here, from run ids and tries, where no audit log tells
-- who did it. What is cleared in a backfill is the backfill's.
--
-- grain:    kind, dag_id
-- reads:    task_tries
-- columns:
--   kind          varchar      excluded (out of scope), backfill, manual or another run type; of scheduled runs: cleared, quiet
--   dag_id        varchar
--   runs          bigint       with such a try in the week
--   tries         bigint
--   lost_runs     bigint       in which a task's last known try failed
--   hours         double       that these tries ran
--   hours_share   double       of the hours of all tries of the week, fraction 0-1
--   first_at      timestamptz  start of the first try; null where none started
--   last_at       timestamptz
with tries as (
    select
        case
            when is_excluded then 'excluded'
            when run_type not in ('scheduled', 'asset_triggered', 'dataset_triggered') then run_type
            when is_cleared then 'cleared'
            when is_quiet then 'quiet'
            else ''
        end as kind,
        dag_id,
        run_id,
        started_at,
        duration_s,
        last_try and state in ('failed', 'up_for_retry') as is_lost
    from task_tries
    where week = report_week()
        and try_number > 0
        and state not in ('upstream_failed', 'removed')
)
select
    kind,
    dag_id,
    count(distinct run_id) as runs,
    count(*) as tries,
    count(distinct run_id) filter (where is_lost) as lost_runs,
    coalesce(sum(duration_s), 0) / 3600 as hours,
    coalesce(sum(duration_s) / nullif(sum(sum(duration_s)) over (), 0), 0) as hours_share,
    min(started_at) as first_at,
    max(started_at) as last_at
from tries
group by kind, dag_id
qualify kind <> ''
order by hours desc, kind, dag_id
