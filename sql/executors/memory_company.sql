-- Does a task run out of memory when many others run on its host?
--
-- For each task that ran out of memory: how many other tries ran on the same host at the moment when it was killed, beside the
-- moments when it ended otherwise. Compared by rank over all of its ends (Mann and Whitney). Tries of the week with a host and both
-- times; pods have their own memory and are left out, as are hosts that ran one try alone.
--
-- grain:    dag_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id         varchar
--   task_id        varchar
--   kills          bigint  tries out of memory, on a known host
--   others         bigint  tries that ended otherwise
--   kill_days      bigint  days with a kill
--   hosts          bigint  hosts on which it was killed
--   beside_killed  double  median of other tries that ran there when it was killed
--   beside_usual   double  the same at its other ends; null without any
--   z              double  standard normal of the rank sum of the kills: 3 is beyond luck; null where it cannot be told
with tries as (
    select
        dag_id,
        task_id,
        hostname,
        started_at,
        ended_at,
        state in ('failed', 'up_for_retry')
            and (state_reason = 'oom' or state_reason = 'signal' and error_signature like '%SIGKILL%') as is_killed
    from task_tries
    where week = report_week()
        and hostname is not null
        and started_at is not null
        and ended_at >= started_at
        and executor is distinct from 'KubernetesExecutor'
        and not is_quiet
    qualify count(*) over (partition by hostname) > 1
),
hungry as (
    select dag_id, task_id from tries where is_killed group by dag_id, task_id
),
steps as (
    select hostname, started_at as step_at, 1 as step from tries
    union all
    select hostname, ended_at as step_at, -1 as step from tries
),
-- what runs just before a moment: ends count only after it
moments as (
    select hostname, step_at, sum(sum(step)) over (partition by hostname order by step_at) - sum(step) as running_before
    from steps
    group by hostname, step_at
),
ends as (
    select tries.dag_id, tries.task_id, tries.hostname, tries.ended_at, tries.is_killed, moments.running_before - 1 as beside
    from tries
    join hungry on tries.dag_id = hungry.dag_id and tries.task_id = hungry.task_id
    join moments on tries.hostname = moments.hostname and tries.ended_at = moments.step_at
    where tries.ended_at > tries.started_at
),
ranked as (
    select
        *,
        rank() over (partition by dag_id, task_id order by beside)
            + (count(*) over (partition by dag_id, task_id, beside) - 1) / 2 as place
    from ends
)
select
    dag_id,
    task_id,
    count(*) filter (where is_killed) as kills,
    count(*) filter (where not is_killed) as others,
    count(distinct date_trunc('day', ended_at)) filter (where is_killed) as kill_days,
    count(distinct hostname) filter (where is_killed) as hosts,
    median(beside) filter (where is_killed) as beside_killed,
    median(beside) filter (where not is_killed) as beside_usual,
    (sum(place) filter (where is_killed) - count(*) filter (where is_killed) * (count(*) + 1) / 2)
        / nullif(sqrt(
            count(*) filter (where is_killed) * count(*) filter (where not is_killed) / nullif(count(*), 0) * var_samp(place)
        ), 0) as z
from ranked
group by dag_id, task_id
having count(*) filter (where is_killed) > 0
order by kills desc, dag_id, task_id
