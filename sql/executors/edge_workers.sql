-- How long was each worker of the EdgeExecutor connected, and had it room for more?
--
-- From its gauges, which its worker renews at each heartbeat and the executor once more when it misses it. A worker that was said
-- to be gone is gone until it says otherwise; one that was said to be there is so for five minutes at most: what lies beyond is
-- in no hour here.
--
-- grain:    worker_name
-- reads:    metric_samples
-- columns:
--   worker_name        varchar
--   connected_hours    double       in which it was connected
--   offline_hours      double       in which it was not, between the first time it was heard of and the last metric of the week
--   maintenance_hours  double       of the connected ones, in which it took no work as somebody said so
--   full_hours         double       of the connected ones, in which it had no room for one more task
--   concurrency        double       tasks that it may run at once, when last connected (of one that is gone Airflow says 0)
--   most_jobs          double       that it ran at once
--   losses             bigint       times that it went from connected to gone
--   is_connected       boolean      when last heard of
--   first_at           timestamptz  first time in the week that it was heard of
--   last_at            timestamptz  last time that it was connected; null: never in the week
with told as (
    select
        labels['worker_name'] as worker_name,
        sampled_at,
        max(value) filter (where name = 'edge_worker.connected') as connected,
        max(value) filter (where name = 'edge_worker.maintenance') as maintenance,
        max(coalesce(max_value, value)) filter (where name = 'edge_worker.jobs_active') as jobs,
        max(value) filter (where name = 'edge_worker.concurrency') as concurrency,
        max(value) filter (where name = 'edge_worker.free_concurrency') as free
    from metric_samples
    where starts_with(name, 'edge_worker.')
        and labels['worker_name'] is not null
        and sampled_at >= week_start()
        and sampled_at < week_end()
    group by all
),
spans as (
    select
        *,
        lag(connected) over (partition by worker_name order by sampled_at) as connected_before,
        coalesce(
            lead(sampled_at) over (partition by worker_name order by sampled_at),
            (
                select max(sampled_at) from metric_samples
                where sampled_at >= week_start() and sampled_at < week_end()
            )
        ) as next_at
    from told
    where connected is not null
),
held as (
    select
        *,
        epoch_us(case
            when connected > 0 then least(next_at - sampled_at, to_minutes(5))
            else next_at - sampled_at
        end) / 3.6e9 as hours
    from spans
)
select
    worker_name,
    coalesce(sum(hours) filter (where connected > 0), 0) as connected_hours,
    coalesce(sum(hours) filter (where connected = 0), 0) as offline_hours,
    coalesce(sum(hours) filter (where connected > 0 and maintenance > 0), 0) as maintenance_hours,
    coalesce(sum(hours) filter (where connected > 0 and free <= 0), 0) as full_hours,
    arg_max(concurrency, sampled_at) filter (where connected > 0) as concurrency,
    max(jobs) as most_jobs,
    count(*) filter (where connected = 0 and connected_before > 0) as losses,
    arg_max(connected, sampled_at) > 0 as is_connected,
    min(sampled_at) as first_at,
    max(sampled_at) filter (where connected > 0) as last_at
from held
group by worker_name
order by offline_hours desc, worker_name
