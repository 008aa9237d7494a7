-- How long do each task's tries wait for their worker or pod, how long do they work, and how often are they killed for memory?
--
-- What speaks for another executor: a pod that takes longer to start than the task takes to work, or a long task that runs
-- out of memory on a worker that it shares. Started tries of judged runs.
--
-- grain:    dag_id, task_id, executor
-- reads:    task_tries
-- columns:
--   dag_id        varchar
--   task_id       varchar
--   executor      varchar
--   queue         varchar  of most tries
--   tries         bigint
--   starts        bigint   tries whose queued and start times are told
--   start_s       double   median seconds from queued to started
--   work_s        double   median seconds that a try ran
--   start_hours   double   hours from queued to started, of all tries
--   work_hours    double   hours that the tries ran
--   memory_kills  bigint   tries that ended out of memory, or by SIGKILL
--   lost          bigint   of them, last tries
with tries as (
    select
        dag_id,
        task_id,
        executor,
        queue,
        duration_s,
        case when queued_at <= started_at then epoch_us(started_at - queued_at) / 1e6 end as start_s,
        state in ('failed', 'up_for_retry')
            and (state_reason = 'oom' or state_reason = 'signal' and error_signature like '%SIGKILL%') as is_killed,
        final_try
    from task_tries
    where week = report_week() and is_judged and started_at is not null and executor is not null
)
select
    dag_id,
    task_id,
    executor,
    coalesce(mode(queue order by queue), '') as queue,
    count(*) as tries,
    count(start_s) as starts,
    median(start_s) as start_s,
    median(duration_s) as work_s,
    coalesce(sum(start_s), 0) / 3600 as start_hours,
    coalesce(sum(duration_s), 0) / 3600 as work_hours,
    count(*) filter (where is_killed) as memory_kills,
    count(*) filter (where is_killed and final_try) as lost
from tries
group by dag_id, task_id, executor
order by start_hours desc, dag_id, task_id, executor
