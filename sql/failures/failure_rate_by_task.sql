-- How often did each task's tries fail this week?
--
-- Judged runs only. `saved` counts tasks whose first try failed and whose last one succeeded: retries that worked.
--
-- grain:    dag_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id         varchar
--   task_id        varchar
--   tries          bigint    tries that started in the week
--   failures       bigint    tries that failed, retried or not
--   no_end         bigint    tries of which nobody knows how they ended
--   failure_rate   double    fraction 0-1; of all tries, so at least
--   saved          bigint    task instances saved by a retry
--   lost           bigint    task instances that failed their last known try
with judged as (
    select *
    from task_tries
    where week = report_week()
        and is_judged
)
select
    dag_id,
    task_id,
    count(*) as tries,
    count(*) filter (where state in ('failed', 'up_for_retry')) as failures,
    count(*) filter (where not has_end(state)) as no_end,
    failures / tries as failure_rate,
    count(*) filter (where final_try and not first_try and state = 'success') as saved,
    count(*) filter (where final_try and state in ('failed', 'up_for_retry')) as lost
from judged
group by dag_id, task_id
order by failure_rate desc, dag_id, task_id
