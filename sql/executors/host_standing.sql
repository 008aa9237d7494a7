-- How does each host do beside the other hosts, on the same tasks?
--
-- Three measures, each compared within strata, so that a host that runs only the hard tasks is not blamed: failures and run
-- times of a task in one hour, on one day or in the week (the shortest in which it runs at least twice where it runs at
-- all), and the time from queued to started of a queue in one hour. First tries of judged runs; durations are those of
-- successes. The sums are those of linear rank tests by stratum (`findings/methods/hosts.py`): scores are 0 or 1 for
-- failures, mid-ranks over n + 1 else. A host that ran one try alone, or runs for the KubernetesExecutor, is a pod and no
-- host.
--
-- grain:    measure, hostname
-- reads:    task_tries
-- columns:
--   measure          varchar      failures, durations, starts
--   hostname         varchar
--   executor         varchar      of most of its tries; empty where nobody tells
--   queue            varchar
--   tries            bigint       that could be compared: another host ran the same task then, and not all ended alike
--   tasks            bigint       tasks among them
--   hosts            bigint       hosts that could be compared by this measure
--   observed         double       sum of scores: failed tries, or ranks
--   expected         double       mean of that if tries had fallen to hosts by chance
--   variance         double       its variance then
--   usual            double       sum of scores, had it done as the other hosts did
--   cell_square      double       by hours of the week: sum of squares of observed less expected
--   cell_cross       double       of observed less expected times variance
--   cell_variance    double       of squares of variance
--   log_ratio        double       logarithm of its time over that of the other hosts; null for failures
--   median_s         double       median of its times; null for failures
--   first_at         timestamptz  first of its compared tries (of the failed ones, for failures)
--   last_at          timestamptz
--   came_at          timestamptz  its first try in nine weeks, where that was in the week, and other hosts ran more than a day before it
--   error_signature  varchar      the most frequent error of its failed tries; null for durations and starts
with tries as (
    select
        *,
        hash(dag_id, task_id) as of_task,
        state in ('failed', 'up_for_retry') as is_failed,
        case when queued_at <= started_at then epoch_us(started_at - queued_at) / 1e6 end as start_s,
        date_trunc('hour', started_at) as hour_at
    from task_tries
    where week = report_week()
        and is_judged
        and first_try
        and hostname is not null
        and started_at is not null
        and state in ('success', 'failed', 'up_for_retry')
        and executor is distinct from 'KubernetesExecutor'
    qualify count(*) over (partition by hostname) > 1
),
periods as (
    select
        of_task,
        count(*) >= 2 * count(distinct hour_at) as is_hourly,
        count(*) >= 2 * count(distinct cast(started_at as date)) as is_daily
    from tries
    group by of_task
),
placed as (
    select
        tries.hostname,
        tries.of_task,
        tries.executor,
        tries.queue,
        tries.started_at,
        tries.hour_at,
        tries.is_failed,
        case when not tries.is_failed and tries.duration_s > 0 then tries.duration_s end as duration_s,
        tries.start_s,
        case when tries.is_failed then tries.error_signature end as error_signature,
        hash(
            tries.of_task,
            case
                when periods.is_hourly then tries.hour_at
                when periods.is_daily then date_trunc('day', tries.started_at)
            end
        ) as of_period
    from tries
    join periods on tries.of_task = periods.of_task
),
measured as (
    select
        'failures' as measure, of_period as stratum, cast(is_failed as integer) as score, cast(null as double) as took_s,
        placed.*
    from placed
    union all
    select
        'durations',
        of_period,
        (rank() over same_task + (count(*) over alike_task - 1) / 2) / (count(*) over whole_task + 1),
        duration_s,
        placed.*
    from placed
    where duration_s is not null
    window
        whole_task as (partition by of_period),
        same_task as (partition by of_period order by duration_s),
        alike_task as (partition by of_period, duration_s)
    union all
    select
        'starts',
        hash(executor, queue, hour_at),
        (rank() over same_hour + (count(*) over alike_hour - 1) / 2) / (count(*) over whole_hour + 1),
        start_s,
        placed.*
    from placed
    where start_s is not null
    window
        whole_hour as (partition by executor, queue, hour_at),
        same_hour as (partition by executor, queue, hour_at order by start_s),
        alike_hour as (partition by executor, queue, hour_at, start_s)
),
-- per try: how many shared its stratum, how they did, and how those on its host did
compared as (
    select
        *,
        case when took_s is not null then ln(greatest(took_s, 0.001)) end as log_s,
        count(*) over stratum_whole as n,
        sum(score) over stratum_whole as sum_all,
        var_samp(score) over stratum_whole as spread,
        count(*) over own as n_own,
        sum(score) over own as sum_own,
        avg(case when took_s is not null then ln(greatest(took_s, 0.001)) end) over stratum_whole as mean_log_s
    from measured
    window
        stratum_whole as (partition by measure, stratum),
        own as (partition by measure, stratum, hostname)
    qualify n > n_own and spread > 0
),
cells as (
    select
        measure,
        hostname,
        sum(score - sum_all / n) as excess,
        sum((n - n_own) / n * spread) as variance
    from compared
    group by measure, hostname, hour_at
),
clustered as (
    select
        measure,
        hostname,
        sum(excess * excess) as cell_square,
        sum(excess * variance) as cell_cross,
        sum(variance * variance) as cell_variance
    from cells
    group by measure, hostname
),
summed as (
    select
        measure,
        hostname,
        coalesce(mode(executor order by executor), '') as executor,
        coalesce(mode(queue order by queue), '') as queue,
        count(*) as tries,
        count(distinct of_task) as tasks,
        count(*) over (partition by measure) as hosts,
        sum(score) as observed,
        sum(sum_all / n) as expected,
        sum((n - n_own) / n * spread) as variance,
        sum((sum_all - sum_own) / (n - n_own)) as usual,
        sum(log_s - mean_log_s) / sum((n - n_own) / n) as log_ratio,
        median(took_s) as median_s,
        min(started_at) filter (where measure <> 'failures' or is_failed) as first_at,
        max(started_at) filter (where measure <> 'failures' or is_failed) as last_at,
        mode(error_signature order by error_signature) filter (where measure = 'failures') as error_signature
    from compared
    group by measure, hostname
),
arrivals as (
    select hostname, min(started_at) as came_at
    from task_tries
    where week >= weeks_ago(8) and week <= report_week() and hostname is not null and started_at is not null
    group by hostname
)
select
    summed.measure,
    summed.hostname,
    summed.executor,
    summed.queue,
    summed.tries,
    summed.tasks,
    summed.hosts,
    summed.observed,
    summed.expected,
    summed.variance,
    summed.usual,
    clustered.cell_square,
    clustered.cell_cross,
    clustered.cell_variance,
    summed.log_ratio,
    summed.median_s,
    summed.first_at,
    summed.last_at,
    case
        when arrivals.came_at >= week_start()
            and arrivals.came_at > (select min(came_at) from arrivals) + interval 1 day
            then arrivals.came_at
    end as came_at,
    summed.error_signature
from summed
left join arrivals on summed.hostname = arrivals.hostname
join clustered on summed.measure = clustered.measure and summed.hostname = clustered.hostname
order by summed.measure, summed.hostname
