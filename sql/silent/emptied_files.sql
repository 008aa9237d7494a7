-- Which DAG files held DAGs before this week and hold none at their newest parse?
--
-- A file that parses without an error and yields no DAG takes its DAGs out of Airflow without a word. Files with an import
-- error are told by `import_errors_of_week`.
--
-- grain:    source, bundle_name, dag_file
-- reads:    parse_samples
-- columns:
--   source          varchar
--   bundle_name     varchar
--   dag_file        varchar
--   dags_before     bigint       at the newest parse that found any
--   last_full_at    timestamptz  that parse
--   first_empty_at  timestamptz  first parse without a DAG after it
--   parses          bigint       parses since then
--   errors          bigint       errors at the newest one
--   bundle_version  varchar      at the first empty parse
with seen as (
    select
        *,
        max(case when dag_count > 0 then parsed_at end) over (partition by source, bundle_name, dag_file) as full_at,
        max(parsed_at) over (partition by source, bundle_name, dag_file) as newest_at
    from parse_samples
    where dag_count is not null and parsed_at < week_end()
)
select
    source,
    bundle_name,
    dag_file,
    max(dag_count) filter (where parsed_at = full_at) as dags_before,
    max(full_at) as last_full_at,
    min(parsed_at) filter (where parsed_at > full_at) as first_empty_at,
    count(*) filter (where parsed_at > full_at) as parses,
    coalesce(max(error_count) filter (where parsed_at = newest_at), 0) as errors,
    arg_min(bundle_version, parsed_at) filter (where parsed_at > full_at) as bundle_version
from seen
where full_at is not null
group by source, bundle_name, dag_file
having count(*) filter (where parsed_at > full_at) > 0 and min(parsed_at) filter (where parsed_at > full_at) >= week_start()
order by source, bundle_name, dag_file
