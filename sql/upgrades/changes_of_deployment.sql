-- Which versions, providers, executors and settings of the deployment changed in this week or the one before?
--
-- As API, database or a file told them, each followed by itself. A change lies between the last telling of the old value
-- and the first of the new one, which with a pull a week is a week wide. What is told for the first time is no change,
-- and more than three providers that changed at once are one.
--
-- grain:    kind, subject, until_at
-- reads:    deployments
-- columns:
--   kind      varchar      version, provider, executor, setting
--   subject   varchar      Airflow, the provider, or the setting as section.key; empty for the executor
--   before    varchar
--   after     varchar
--   from_at   timestamptz  the old value was last told
--   until_at  timestamptz  the new value was first told
with facts as (
    select
        case
            when key = 'config.core.executor' then 'executor'
            when starts_with(key, 'config.') then 'setting'
            when starts_with(key, 'provider.') then 'provider'
            else 'version'
        end as kind,
        case
            when key = 'airflow.version' then 'Airflow'
            when key = 'config.core.executor' then ''
            when starts_with(key, 'provider.') then provider_of(key)
            else regexp_replace(key, '^config\.', '')
        end as subject,
        coalesce(object_url, '') as teller,
        value,
        seen_at
    from deployments
    where (key = 'airflow.version' or starts_with(key, 'config.') or starts_with(key, 'provider.')) and value <> '' and seen_at is not null
),
steps as (
    select kind, subject, lag(value) over telling as before, value as after, lag(seen_at) over telling as from_at, seen_at as until_at
    from facts
    window telling as (partition by kind, subject, teller order by seen_at, value)
),
changed as (
    select
        kind,
        subject,
        min(before) as before,
        min(after) as after,
        max(from_at) as from_at,
        until_at
    from steps
    where before <> after and until_at >= week_start() - interval 7 days and until_at < week_end() + interval 1 day
    group by kind, subject, until_at
),
providers as (
    select
        count(*) as providers,
        list(substr(subject, 10) || ' ' || before order by subject) as before,
        list(substr(subject, 10) || ' ' || after order by subject) as after,
        max(from_at) as from_at,
        until_at
    from changed
    where kind = 'provider'
    group by until_at
    having count(*) > 3
)
select *
from changed
where kind <> 'provider' or until_at not in (select until_at from providers)
union all
select
    'provider',
    providers || ' providers',
    array_to_string(before[:3], ', ') || ' …',
    array_to_string(after[:3], ', ') || ' …',
    from_at,
    until_at
from providers
order by until_at desc, kind, subject
