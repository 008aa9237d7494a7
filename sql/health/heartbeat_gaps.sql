-- When was the scheduler, the triggerer or the dag-processor silent?
--
-- Silence runs from the last moment at which the heartbeat is known to have advanced to the last one before it advanced
-- again. With snapshots that is from one snapshot to another: a total that stands still. Only silences longer than a
-- minute, the grain of metric_samples. Restart or stall is told by what started meanwhile and in the minute after.
--
-- grain:    component, from_at
-- reads:    metric_samples, component_events, task_tries
-- columns:
--   component       varchar      scheduler, triggerer, dag_processor
--   from_at         timestamptz
--   until_at        timestamptz  the last moment seen, when the silence is not over
--   gap_s           double       seconds
--   is_over         boolean      whether the heartbeat came back within the week
--   seen_minutes    bigint       minutes of the silence in which some metric was seen; 0: the metrics were silent too
--   frozen_looks    bigint       snapshots that showed the total standing still; 0 for StatsD captures
--   counter_resets  bigint       restarts of the heartbeat's own counter at the end of the silence
--   job_starts      double       jobs that started; 2.x counts each task as one, 3.x only components
--   task_starts     double       tasks that started, to be taken off the jobs in 2.x
--   starts_told     bigint       starts of this component that its own log tells, up to a minute after the silence
--   usual_gap_s     double       seconds from one heartbeat seen to the next, median: of captures that hold only a part
--   tries_started   bigint       tries that started more than a minute after the silence began and before it ended
with seen as (
    select
        name,
        value,
        coalesce(reset_count, 0) as resets,
        coalesce(from_at, sampled_at) as from_at,
        coalesce(until_at, sampled_at + interval 1 minute) as until_at,
        sampled_at,
        case name
            when 'scheduler_heartbeat' then 'scheduler'
            when 'triggerer_heartbeat' then 'triggerer'
            when 'dag_processor_heartbeat' then 'dag_processor'
        end as component
    from metric_samples
    where sampled_at >= week_start() - interval 7 days and sampled_at < week_end()
),
beats as (
    select component, from_at, until_at, resets
    from seen
    where component is not null and value > 0
    union all
    -- the end of what was seen closes a silence that is not over
    select components.component, ends.until_at, null, 0
    from (select distinct component from seen where component is not null and value > 0) as components
    cross join (select max(until_at) as until_at from seen) as ends
),
habits as (
    select component, coalesce(median(apart_s), 0) as usual_gap_s
    from (
        select
            component,
            epoch_us(from_at - lag(from_at) over (partition by component order by from_at)) / 1e6 as apart_s
        from beats
        where until_at is not null
    ) as pairs
    group by component
),
gaps as (
    select
        component,
        max(until_at) over (
            partition by component order by from_at, until_at nulls last
            rows between unbounded preceding and 1 preceding
        ) as gap_from,
        from_at as gap_until,
        until_at is not null as is_over,
        resets
    from beats
),
silences as (
    select
        component,
        gap_from as from_at,
        gap_until as until_at,
        epoch_us(gap_until - gap_from) / 1e6 as gap_s,
        is_over,
        resets
    from gaps
    where gap_s > 60 and gap_until > week_start() and not is_quiet(gap_from)
),
looks as (
    -- all series of one moment as one row: a join by time has no key, and a look every ten minutes makes a silence of each
    select
        component,
        from_at,
        until_at,
        sampled_at,
        count(*) filter (where value = 0) as frozen,
        sum(value) filter (where name = 'job_start') as job_starts,
        sum(value) filter (where name = 'ti.start') as task_starts
    from seen
    group by component, from_at, until_at, sampled_at
),
around as (
    select
        silences.component,
        silences.from_at,
        count(distinct looks.sampled_at) filter (
            where looks.sampled_at > silences.from_at and looks.sampled_at <= silences.until_at
        ) as seen_minutes,
        coalesce(sum(looks.frozen) filter (
            where looks.component = silences.component
                and looks.until_at > silences.from_at and looks.until_at <= silences.until_at
        ), 0) as frozen_looks,
        coalesce(sum(looks.job_starts), 0) as job_starts,
        coalesce(sum(looks.task_starts), 0) as task_starts
    from silences
    join looks on looks.until_at > silences.from_at and looks.from_at <= silences.until_at + interval 1 minute
    group by silences.component, silences.from_at
),
told as (
    select silences.component, silences.from_at, count(*) as starts_told
    from silences
    join component_events as events
        on events.event = 'started'
        and replace(events.component, '-', '_') = silences.component
        and events.event_at > silences.from_at
        and events.event_at <= silences.until_at + interval 1 minute
    group by silences.component, silences.from_at
),
tried as (
    select silences.component, silences.from_at, count(*) as tries_started
    from silences
    join task_tries as tries
        on tries.started_at > silences.from_at + interval 1 minute and tries.started_at < silences.until_at
    group by silences.component, silences.from_at
)
select
    silences.component,
    silences.from_at,
    silences.until_at,
    silences.gap_s,
    silences.is_over,
    coalesce(around.seen_minutes, 0) as seen_minutes,
    cast(coalesce(around.frozen_looks, 0) as bigint) as frozen_looks,
    cast(silences.resets as bigint) as counter_resets,
    coalesce(around.job_starts, 0) as job_starts,
    coalesce(around.task_starts, 0) as task_starts,
    coalesce(told.starts_told, 0) as starts_told,
    habits.usual_gap_s,
    coalesce(tried.tries_started, 0) as tries_started
from silences
join habits on silences.component = habits.component
left join around on silences.component = around.component and silences.from_at = around.from_at
left join told on silences.component = told.component and silences.from_at = told.from_at
left join tried on silences.component = tried.component and silences.from_at = tried.from_at
order by silences.component, silences.from_at
