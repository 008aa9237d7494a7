-- How often did what fail this week: by task, DAG, owner, operator, host, executor, queue, bundle version and hour of the day?
--
-- Three rates, never one, of judged runs: tries that failed at the first try, tasks that failed after all retries, and runs
-- that lost one of these tasks; each with its n and its 95 % interval (Wilson), which holds for independent failures: days
-- that cluster make it wider. A try of which nobody knows how it ended is in n and counted beside it; the interval's upper end
-- takes it for failed. upstream_failed is never a failure. What nobody tells (a host, an owner) is left out. A DAG of two
-- owners counts for both.
--
-- grain:    grain, dag_id, task_id, owner, hostname, of_what
-- reads:    task_tries, owned_dags
-- columns:
--   grain             varchar   task, dag, owner, operator, host, executor, queue, bundle version, hour
--   dag_id            varchar   of task and dag
--   task_id           varchar   of task
--   owner             varchar   of owner
--   hostname          varchar   of host
--   of_what           varchar   operator, executor, queue, version or hour
--   first_tries       bigint
--   first_failed      bigint
--   first_no_end      bigint    of those, without a known end
--   first_rate        double    fraction 0-1
--   first_low         double    lower end of its 95 % interval
--   first_high        double    upper end
--   ended             bigint    tasks whose last known try is in the week
--   lost              bigint    of those, failed after all retries
--   no_end            bigint    of those, without a known end
--   lost_rate         double    fraction 0-1
--   lost_low          double
--   lost_high         double
--   runs              bigint    runs with a try of this
--   lost_runs         bigint    of those, runs that lost one of these tasks
--   no_end_runs       bigint    of those, not lost so far as is known, and without a known end
--   lost_runs_rate    double    fraction 0-1
--   lost_runs_low     double
--   lost_runs_high    double
with judged as (
    select
        *,
        state in ('failed', 'up_for_retry') as is_failed,
        not has_end(state) as is_open
    from task_tries
    where week = report_week() and is_judged
),
owners as (
    select dag_id, unnest(string_split(owner, ', ')) as owner from owned_dags
),
graded as (
    select
        grains.grain,
        case when grains.grain in ('task', 'dag') then judged.dag_id end as of_dag,
        case when grains.grain = 'task' then judged.task_id end as of_task,
        cast(null as varchar) as of_owner,
        case when grains.grain = 'host' then judged.hostname end as of_host,
        case grains.grain
            when 'operator' then judged.operator
            when 'executor' then judged.executor
            when 'queue' then judged.queue
            when 'bundle version' then coalesce(judged.bundle_name || ' ', '') || judged.bundle_version
            when 'hour' then strftime(judged.started_at, '%H:00')
        end as of_what,
        judged.*
    from judged, (
        select unnest(['task', 'dag', 'operator', 'host', 'executor', 'queue', 'bundle version', 'hour']) as grain
    ) as grains
    union all
    select 'owner', null, null, owners.owner, null, null, judged.*
    from judged
    join owners on judged.dag_id = owners.dag_id
),
counted as (
    select
        grain,
        of_dag,
        of_task,
        of_owner,
        of_host,
        of_what,
        count(*) filter (where first_try) as first_tries,
        count(*) filter (where first_try and is_failed) as first_failed,
        count(*) filter (where first_try and is_open) as first_no_end,
        count(*) filter (where final_try) as ended,
        count(*) filter (where final_try and is_failed) as lost,
        count(*) filter (where final_try and is_open) as no_end,
        count(distinct (dag_id, run_id)) as runs,
        count(distinct (dag_id, run_id)) filter (where loses_run) as lost_runs,
        count(distinct (dag_id, run_id)) filter (where loses_run or (final_try and is_open)) - lost_runs as no_end_runs
    from graded
    where grain in ('task', 'dag') or coalesce(of_owner, of_host, of_what) is not null
    group by grain, of_dag, of_task, of_owner, of_host, of_what
)
select
    grain,
    of_dag as dag_id,
    of_task as task_id,
    of_owner as owner,
    of_host as hostname,
    of_what,
    first_tries,
    first_failed,
    first_no_end,
    first_failed / nullif(first_tries, 0) as first_rate,
    wilson_low(first_failed, first_tries) as first_low,
    wilson_high(first_failed + first_no_end, first_tries) as first_high,
    ended,
    lost,
    no_end,
    lost / nullif(ended, 0) as lost_rate,
    wilson_low(lost, ended) as lost_low,
    wilson_high(lost + no_end, ended) as lost_high,
    runs,
    lost_runs,
    no_end_runs,
    lost_runs / nullif(runs, 0) as lost_runs_rate,
    wilson_low(lost_runs, runs) as lost_runs_low,
    wilson_high(lost_runs + no_end_runs, runs) as lost_runs_high
from counted
order by grain, lost_runs desc, of_dag, of_task, of_owner, of_host, of_what
