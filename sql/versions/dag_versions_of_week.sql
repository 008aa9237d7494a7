-- How many versions did each DAG make this week, and how many commits brought them?
--
-- Airflow 3 makes a version whenever the serialised DAG differs and the last one has run: many versions of one commit
-- mean that the file builds another DAG each time it is parsed (a start_date of now, a random id, an unsorted set).
--
-- grain:    dag_id
-- reads:    deployments
-- columns:
--   dag_id           varchar
--   bundle_name      varchar
--   versions         bigint       made in the week
--   bundle_versions  bigint       different commits among them; 0 for a bundle without versions
--   days             bigint       days on which any was made
--   last_version     bigint       number of the newest
--   first_at         timestamptz
--   last_at          timestamptz
--   cause            varchar      what Airflow 3.2 and newer warns of: a value that differs at each parse; null: nothing
with made as (
    select
        substr(key, 13) as dag_id,
        regexp_extract(value, '"bundle_name": *"([^"]*)"', 1) as bundle_name,
        nullif(regexp_extract(value, '"bundle_version": *"([^"]*)"', 1), '') as bundle_version,
        try_cast(regexp_extract(value, '"version_number": *([0-9]+)', 1) as bigint) as version_number,
        min(seen_at) as seen_at
    from deployments
    where starts_with(key, 'dag_version.') and seen_at < week_end()
    group by all
),
warned as (
    select substr(key, 13) as dag_id, max_by(value, seen_at order by value) as cause
    from deployments
    where starts_with(key, 'dag_warning.')
        and seen_at >= week_start() - interval 7 days
        and seen_at < week_end() + interval 2 days
    group by substr(key, 13)
)
select
    made.dag_id,
    max_by(bundle_name, seen_at) as bundle_name,
    count(distinct version_number) as versions,
    count(distinct bundle_version) as bundle_versions,
    count(distinct date_trunc('day', seen_at)) as days,
    max(version_number) as last_version,
    min(seen_at) as first_at,
    max(seen_at) as last_at,
    any_value(warned.cause) as cause
from made
left join warned on made.dag_id = warned.dag_id
where seen_at >= week_start() and version_number is not null
group by made.dag_id
order by versions desc, made.dag_id
