-- Which Airflow versions and executors ran the week's tries?
--
-- The version is the last one that API or database told before the try began, else the first one after it; logs do not tell
-- it. An executor that a try does not name is the first one configured, or loaded by a scheduler. Windsock's tests have seen some of them run, some only in logs or texts (`tested.csv`): the trust box says the share.
--
-- grain:    airflow_version, executor
-- reads:    component_events, deployments, task_tries
-- columns:
--   airflow_version  varchar  empty where nobody tells
--   executor         varchar  empty where nobody tells
--   tries            bigint
--   first_at         timestamptz
--   last_at          timestamptz
with told as (
    select key, value, seen_at
    from deployments
    where key in ('airflow.version', 'config.core.executor') and seen_at is not null
    union all
    select 'config.core.executor', arg_min(reason, (event_at, reason)), min(event_at)
    from component_events
    where event = 'executor_loaded' and component = 'scheduler' and reason is not null
    group by date_trunc('minute', event_at)
),
tries as (
    select started_at, executor
    from task_tries
    where week = report_week() and started_at is not null
),
placed as (
    select
        tries.*,
        versions.value as version,
        split_part(executors.value, ',', 1) as default_executor
    from tries
    asof left join (select * from told where key = 'airflow.version') as versions
        on tries.started_at >= versions.seen_at
    asof left join (select * from told where key = 'config.core.executor') as executors
        on tries.started_at >= executors.seen_at
)
select
    coalesce(version, (select arg_min(value, (seen_at, value)) from told where key = 'airflow.version'), '') as airflow_version,
    coalesce(
        executor,
        default_executor,
        (select arg_min(split_part(value, ',', 1), (seen_at, value)) from told where key = 'config.core.executor'),
        ''
    ) as executor,
    count(*) as tries,
    min(started_at) as first_at,
    max(started_at) as last_at
from placed
group by all
order by tries desc, airflow_version, executor
