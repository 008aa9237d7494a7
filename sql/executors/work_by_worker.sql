-- How much did each executor, queue and host do this week, how often did it fail, and how long until work began?
--
-- Started tries of judged runs. From queued to started is the time that a worker or a pod needs to take a task, with the
-- wait for a free worker in it. Pods of the KubernetesExecutor, and hosts that ran one try alone, are one row of host
-- without a name. What nobody tells (Airflow 3 logs name neither host nor queue) is left out of its grain.
--
-- grain:    grain, executor, queue, hostname
-- reads:    task_tries
-- columns:
--   grain         varchar  executor, queue, host
--   executor      varchar  of executor and queue
--   queue         varchar  of queue
--   hostname      varchar  of host; null: pods, together
--   hosts         bigint   different host names
--   tries         bigint
--   failed        bigint
--   failed_rate   double   fraction 0-1
--   failed_low    double   lower end of its 95 % interval (Wilson)
--   failed_high   double   upper end
--   work_hours    double   hours that the tries ran
--   starts        bigint   tries whose queued and start times are told
--   start_s       double   median seconds from queued to started
--   start_p95_s   double
--   work_s        double   median seconds that a try ran
with tries as (
    select
        executor,
        queue,
        case
            when executor is distinct from 'KubernetesExecutor' and count(*) over (partition by hostname) > 1
                then hostname
        end as known_host,
        hostname,
        state in ('failed', 'up_for_retry') as is_failed,
        duration_s,
        case when queued_at <= started_at then epoch_us(started_at - queued_at) / 1e6 end as start_s
    from task_tries
    where week = report_week()
        and is_judged
        and started_at is not null
        and state in ('success', 'failed', 'up_for_retry')
),
graded as (
    select
        grains.grain,
        case when grains.grain <> 'host' then tries.executor end as of_executor,
        case when grains.grain = 'queue' then tries.queue end as of_queue,
        case when grains.grain = 'host' then tries.known_host end as of_host,
        tries.*
    from tries, (select unnest(['executor', 'queue', 'host']) as grain) as grains
    where case grains.grain
            when 'executor' then tries.executor is not null
            when 'queue' then tries.queue is not null
            else tries.hostname is not null
        end
)
select
    grain,
    of_executor as executor,
    of_queue as queue,
    of_host as hostname,
    count(distinct hostname) as hosts,
    count(*) as tries,
    count(*) filter (where is_failed) as failed,
    count(*) filter (where is_failed) / count(*) as failed_rate,
    wilson_low(count(*) filter (where is_failed), count(*)) as failed_low,
    wilson_high(count(*) filter (where is_failed), count(*)) as failed_high,
    coalesce(sum(duration_s), 0) / 3600 as work_hours,
    count(start_s) as starts,
    median(start_s) as start_s,
    quantile_cont(start_s, 0.95) as start_p95_s,
    median(duration_s) as work_s
from graded
group by grain, of_executor, of_queue, of_host
order by grain, tries desc, of_executor, of_queue, of_host
