-- Which settings of Airflow are told, by whom, and since when do they stand?
--
-- The newest telling of each source until the end of the week, else its first one after it: a report is made on the Monday
-- after. What a source told earlier and no longer tells, as an old name after an upgrade, is gone. API and database tell
-- what holds, defaults included; a file may tell only what somebody set, and stands back where both tell.
--
-- grain:    key
-- reads:    deployments
-- columns:
--   key            varchar      config.<section>.<key>
--   setting_value  varchar
--   told_by        varchar      airflow, file
--   seen_at        timestamptz  when it was told
--   since_at       timestamptz  first telling of this value after the last other one, in the weeks kept
with told as (
    select
        key,
        value,
        seen_at,
        coalesce(object_url, '') as teller,
        case when starts_with(object_url, 'config:') then 'file' else 'airflow' end as told_by
    from deployments
    where starts_with(key, 'config.') and value is not null and seen_at is not null
),
tellings as (
    select
        teller,
        coalesce(max(seen_at) filter (where seen_at < week_end()), min(seen_at)) as told_at
    from told
    group by teller
),
chosen as (
    select told.key, told.value, told.told_by, told.seen_at
    from told
    join tellings on told.teller = tellings.teller
    -- one telling has one moment; a lake of another writer may spread it
    where told.seen_at <= tellings.told_at and told.seen_at > tellings.told_at - interval 1 day
    qualify row_number() over (partition by told.key order by told.told_by, told.seen_at desc, told.value) = 1
),
changes as (
    select told.key, max(told.seen_at) as changed_at
    from told
    join chosen on told.key = chosen.key and told.value <> chosen.value and told.seen_at < chosen.seen_at
    group by told.key
)
select
    chosen.key,
    chosen.value as setting_value,
    chosen.told_by,
    chosen.seen_at,
    min(told.seen_at) as since_at
from chosen
join told on chosen.key = told.key and chosen.value = told.value
left join changes on chosen.key = changes.key
where told.seen_at > changes.changed_at or changes.changed_at is null
group by chosen.key, chosen.value, chosen.told_by, chosen.seen_at
order by chosen.key
