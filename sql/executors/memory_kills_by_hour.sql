-- At which hours of the day, and on which hosts, do tries run out of memory, and do they fall together?
--
-- Started tries of the week, whatever their run: memory is used by all. Out of memory is what Airflow or Kubernetes calls so, or a
-- SIGKILL. Together are those that another one of the same host, or of no known host, followed or preceded within ten minutes.
--
-- grain:    hostname, hour_of_day
-- reads:    task_tries
-- columns:
--   hostname     varchar    empty where nobody names it; pods are one row together
--   hour_of_day  bigint     UTC, when the try ended
--   kills        bigint     tries out of memory
--   together     bigint     of them, with another within ten minutes
--   days         bigint     days of the week with one
--   tries        bigint     all tries that ended in this hour of the day there
--   tasks        varchar[]  DAG.task, most kills first
with tries as (
    select
        case when executor = 'KubernetesExecutor' then 'pods' else coalesce(hostname, '') end as hostname,
        dag_id || '.' || task_id as task,
        ended_at,
        state in ('failed', 'up_for_retry')
            and (state_reason = 'oom' or state_reason = 'signal' and error_signature like '%SIGKILL%') as is_killed
    from task_tries
    where week = report_week() and started_at is not null and ended_at is not null and not is_excluded and not is_quiet
),
kills as (
    select
        hostname,
        task,
        ended_at,
        least(
            coalesce(ended_at - lag(ended_at) over host_kills, interval 1 day),
            coalesce(lead(ended_at) over host_kills - ended_at, interval 1 day)
        ) <= interval 10 minutes as is_together
    from tries
    where is_killed
    window host_kills as (partition by hostname order by ended_at)
),
by_task as (
    select hostname, hour(ended_at) as hour_of_day, task, count(*) as kills
    from kills
    group by hostname, hour(ended_at), task
),
named as (
    select hostname, hour_of_day, list(task order by kills desc, task) as tasks from by_task group by hostname, hour_of_day
),
summed as (
    select
        hostname,
        hour(ended_at) as hour_of_day,
        count(*) as kills,
        count(*) filter (where is_together) as together,
        count(distinct date_trunc('day', ended_at)) as days
    from kills
    group by hostname, hour(ended_at)
),
ended as (
    select hostname, hour(ended_at) as hour_of_day, count(*) as tries from tries group by hostname, hour(ended_at)
)
select summed.hostname, summed.hour_of_day, summed.kills, summed.together, summed.days, ended.tries, named.tasks
from summed
join ended on summed.hostname = ended.hostname and summed.hour_of_day = ended.hour_of_day
join named on summed.hostname = named.hostname and summed.hour_of_day = named.hour_of_day
order by summed.kills desc, summed.hostname, summed.hour_of_day
