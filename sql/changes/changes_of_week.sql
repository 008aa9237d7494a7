-- What was changed in the deployment this week: versions, settings, pools, code?
--
-- A change lies between the last time the old value was seen and the first time the new one was. Values seen for the
-- first time ever are no change. More than three providers that changed at once are one change. Facts of API and database
-- are seen once per pull, so their interval can be a week wide. Workers that come and go are told from the tries they ran.
-- What people did by hand (clears, marks, pauses, pools, backfills) stands as the audit log tells it, by day.
--
-- grain:    kind, dag_id, subject, from_at, after
-- reads:    deployments, pool_samples, parse_samples, component_events, task_tries, task_logs
-- columns:
--   kind            varchar      version, provider, setting, pool_slots, bundle_version, dag_version, executor, log_dialect; tasks_cleared,
--                                state_marked, dag_changed, pool_changed, backfill_created, backfill_changed, runs_deleted,
--                                dag_deleted, dag_paused, restart, worker_came, worker_gone
--   dag_id          varchar      empty for what is not of one DAG
--   subject         varchar      what changed: name of the setting, provider, pool, bundle, component; empty where there is only one
--   before          varchar      null for what people did
--   after           varchar      of an action: the slots set, the state set; else empty
--   from_at         timestamptz  the old value was last seen, or the first of these actions
--   until_at        timestamptz  the new value was first seen, or the last of these actions
--   times           bigint       actions of this kind on this subject within the day; 1 for a change of a value
--   ran_dag_ids     varchar[]    of a worker: DAGs of which it ran a try in the week; null of other changes
--   failed_dag_ids  varchar[]    of a worker: those of which a try failed on it, or has no known end
with facts as (
    select
        case
            when key like 'config.%' then 'setting'
            when key like 'dag_version.%' then 'dag_version'
            when key like 'provider.%' then 'provider'
            else 'version'
        end as kind,
        case
            when key like 'config.%' or key like 'dag_version.%' then regexp_replace(key, '^[^.]*\.', '')
            when key = 'airflow.version' then 'Airflow'
            when key like 'provider.%' then provider_of(key)
            else key
        end as subject,
        case
            -- the commit in its row is the newest one that it was parsed from, not the one that made it
            when key like 'dag_version.%' then 'version ' || regexp_extract(value, '"version_number": ([0-9]+)', 1)
            else value
        end as value,
        seen_at,
        coalesce(object_url, '') as teller
    from deployments
    where key like 'config.%' or key like 'dag_version.%' or key like '%.version'
    union all
    select 'pool_slots', pool, cast(total_slots as varchar), sampled_at, ''
    from (
        select
            pool,
            total_slots,
            sampled_at,
            source,
            count(*) over (partition by pool, source) as seen
        from pool_samples
        where total_slots is not null
    ) as pools
    -- sources may disagree for a moment: each pool is followed in the one that saw it most
    qualify source = first_value(source) over (partition by pool order by seen desc, source)
),
steps as (
    select
        kind,
        subject,
        lag(value) over moments as before,
        value as after,
        -- API, database and a file may spell one value in three ways: each is followed by itself
        -- a DAG's versions carry the time at which they were made, not one at which they were seen
        case when kind = 'dag_version' then seen_at else lag(seen_at) over moments end as from_at,
        seen_at as until_at
    from (
        -- one scrape between two changes of the numbers it adds up: a blip, back at once, is no change
        select *
        from facts
        window moments as (partition by kind, subject, teller order by seen_at)
        qualify kind <> 'pool_slots' or not coalesce(
            value <> lag(value) over moments and lag(value) over moments = lead(value) over moments,
            false
        )
    ) as steady
    window moments as (partition by kind, subject, teller order by seen_at)
),
sightings as (
    select
        'bundle_version' as kind,
        coalesce(bundle_name, '') as subject,
        bundle_version as value,
        started_at as seen_at
    from task_tries
    union all
    select 'bundle_version', coalesce(bundle_name, ''), bundle_version, parsed_at from parse_samples
    union all
    select 'bundle_version', reason, detail, event_at from component_events where event = 'bundle_changed'
    union all
    select 'executor', '', executor, started_at from task_tries
    union all
    select 'log_dialect', '', dialect, started_at from task_logs
),
-- a change belongs to the week in which it most likely fell: a pull on Monday sees what was set the week before
changed as (
    select kind, subject, min(before) as before, after, from_at, until_at
    from steps
    where before <> after
        and from_at + (until_at - from_at) / 2 >= week_start()
        and from_at + (until_at - from_at) / 2 < week_end()
    group by kind, subject, after, from_at, until_at
),
providers as (
    select
        count(*) as providers,
        list(substr(subject, 10) || ' ' || before order by subject) as before,
        list(substr(subject, 10) || ' ' || after order by subject) as after,
        from_at,
        until_at
    from changed
    where kind = 'provider'
    group by from_at, until_at
    having count(*) > 3
),
hours as (
    select kind, subject, value, min(seen_at) as first_at, max(seen_at) as last_at
    from sightings
    where value is not null and value <> '' and seen_at is not null and seen_at < week_end()
    group by kind, subject, value, date_trunc('hour', seen_at)
),
firsts as (
    select
        kind,
        subject,
        value as after,
        first_at as until_at,
        last_value(value) over earlier as before,
        least(max(last_at) over earlier, first_at) as from_at,
        row_number() over (partition by kind, subject, value order by first_at) as sight
    from hours
    window earlier as (
        partition by kind, subject order by first_at, value rows between unbounded preceding and 1 preceding
    )
),
-- A worker came when it ran its first task in nine weeks, and went when it ran none for two days after it ran some on five
-- of seven. Where more than two a week come anyway, workers are made and thrown away, and none of them is news. A host of
-- a single try is a pod.
host_days as (
    select
        hostname,
        cast(started_at as date) as day,
        min(started_at) as first_at,
        max(started_at) as last_at,
        count(*) as tries
    from task_tries
    where hostname is not null
        and started_at >= weeks_ago(8)
        and started_at < week_end()
        and executor is distinct from 'KubernetesExecutor'
    group by hostname, cast(started_at as date)
),
hosts as (
    select hostname, min(first_at) as first_at, max(last_at) as last_at, max(day) as last_day
    from host_days
    group by hostname
    having sum(tries) > 1
),
news as (
    select 'worker_came' as kind, hostname, first_at as done_at
    from hosts
    where first_at >= week_start()
    union all
    select 'worker_gone', hostname, last_at
    from hosts
    where last_at >= week_start()
        and last_at < week_end() - interval 2 days
        and (
            select count(*) from host_days
            where host_days.hostname = hosts.hostname and day > last_day - 7
        ) >= 5
),
workers as (
    select *
    from news
    where exists (select 1 from hosts where first_at < week_start())
        and (
            select count(*) from hosts
            where first_at >= week_start() - interval 7 days
                and first_at < week_start()
                and first_at > (select min(first_at) from hosts) + interval 7 days
        ) <= 2
),
actions as (
    select kind, '' as told, '' as dag_id, hostname as subject, done_at from workers
    union all
    select
        regexp_replace(key, '^event\.', '') as kind,
        coalesce(
            nullif(regexp_extract(value, '"new_state": "([^"]*)"', 1), ''),
            regexp_extract(value, '"slots": (-?[0-9]+)', 1)
        ) as told,
        dag_now(regexp_extract(value, '"dag_id": "([^"]*)"', 1)) as dag_id,
        regexp_extract(value, '"pool_name": "([^"]*)"', 1) as subject,
        seen_at as done_at
    from deployments
    where key like 'event.%'
    union all
    select 'dag_paused', '', coalesce(dag_id, ''), '', event_at from component_events where event = 'dag_paused'
    union all
    select 'restart', '', '', component, event_at from component_events where event = 'started'
),
touched as (
    select
        hostname,
        list_sort(list(distinct dag_id)) as ran_dag_ids,
        list_sort(list(distinct dag_id) filter (
            where state in ('failed', 'up_for_retry') or not has_end(state)
        )) as failed_dag_ids
    from task_tries
    where week = report_week() and not is_excluded and hostname in (select hostname from workers)
    group by hostname
),
told as (
    select
        kind,
        case when kind = 'dag_version' then subject else '' end as dag_id,
        case when kind = 'dag_version' then '' else subject end as subject,
        before,
        after,
        from_at,
        until_at,
        cast(1 as bigint) as times
    from changed
    where kind <> 'provider' or (from_at, until_at) not in (select (from_at, until_at) from providers)
    union all
    select
        'provider',
        '',
        providers || ' providers',
        array_to_string(before[:3], ', ') || ' …',
        array_to_string(after[:3], ', ') || ' …',
        from_at,
        until_at,
        1
    from providers
    union all
    select kind, '', subject, before, after, from_at, until_at, 1
    from firsts
    where sight = 1 and before is not null and until_at >= week_start()
    union all
    select kind, dag_id, subject, null, max_by(told, done_at order by told), min(done_at), max(done_at), count(*)
    from actions
    where done_at >= week_start() and done_at < week_end()
    group by kind, dag_id, subject, date_trunc('day', done_at)
)
select told.*, touched.ran_dag_ids, touched.failed_dag_ids
from told
left join touched on told.subject = touched.hostname and told.kind in ('worker_came', 'worker_gone')
order by until_at, kind, dag_id, subject, after
