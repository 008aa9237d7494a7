-- When did each version of each DAG first appear, and from which file?
--
-- Airflow 3 makes a version when the structure of a DAG changes, with local bundles too. The file is the one that the
-- DAG's task logs name (3.3 and newer).
--
-- grain:    dag_id, version_number
-- reads:    deployments, task_tries
-- columns:
--   dag_id          varchar
--   version_number  bigint
--   bundle_name     varchar      empty where it is not told
--   dag_file        varchar      empty where no task log names it
--   first_at        timestamptz
with versions as (
    select
        substr(key, 13) as dag_id,
        try_cast(regexp_extract(value, '"version_number": *([0-9]+)', 1) as bigint) as version_number,
        regexp_extract(value, '"bundle_name": *"([^"]*)"', 1) as bundle_name,
        seen_at
    from deployments
    where starts_with(key, 'dag_version.') and monday_of(seen_at) >= weeks_ago(8) and seen_at < week_end()
),
files as (
    select dag_id, max_by(dag_file, started_at) as dag_file
    from task_tries
    where dag_file is not null
    group by dag_id
)
select
    versions.dag_id,
    versions.version_number,
    max(versions.bundle_name) as bundle_name,
    coalesce(any_value(files.dag_file), '') as dag_file,
    min(versions.seen_at) as first_at
from versions
left join files on versions.dag_id = files.dag_id
where versions.version_number is not null
group by versions.dag_id, versions.version_number
order by first_at, versions.dag_id, versions.version_number
