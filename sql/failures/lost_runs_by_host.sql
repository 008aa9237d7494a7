-- Which DAGs failed on which host this week, and how many runs were lost there?
--
-- A run lost to tasks of two hosts counts for both.
--
-- grain:    hostname, dag_id
-- reads:    task_tries
-- columns:
--   hostname   varchar  where logs tell it
--   dag_id     varchar
--   tries      bigint   judged ones that failed
--   lost_runs  bigint   judged runs that lost a task there
select
    hostname,
    dag_id,
    count(*) as tries,
    count(distinct run_id) filter (where loses_run) as lost_runs
from task_tries
where week = report_week()
    and is_judged
    and state in ('failed', 'up_for_retry')
    and hostname is not null
group by hostname, dag_id
order by hostname, dag_id
