-- Which DAG files failed to import this week, since when, and which are mended?
--
-- grain:    bundle_name, dag_file, error_signature
-- reads:    import_errors, parse_samples
-- columns:
--   bundle_name      varchar      empty in Airflow 2
--   dag_file         varchar
--   error_signature  varchar      empty where no exception was told
--   message          varchar      as seen last
--   sightings        bigint       times it was told in the week
--   first_at         timestamptz  first seen, at most 8 weeks back
--   last_at          timestamptz
--   is_new           boolean      not seen in the weeks before
--   mended_at        timestamptz  first parse of the file without an error after the last sighting; null: none seen
--   files            bigint       files of the week with the same signature: one cause, many files
with seen as (
    select
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        coalesce(error_signature, '') as error_signature,
        arg_max(message, seen_at) as message,
        count(*) filter (where monday_of(seen_at) = report_week()) as sightings,
        min(seen_at) as first_at,
        max(seen_at) as last_at
    from import_errors
    where monday_of(seen_at) >= weeks_ago(8) and monday_of(seen_at) <= report_week()
    group by coalesce(bundle_name, ''), dag_file, coalesce(error_signature, '')
    having count(*) filter (where monday_of(seen_at) = report_week()) > 0
),
clean as (
    select coalesce(bundle_name, '') as bundle_name, dag_file, parsed_at
    from parse_samples
    where error_count = 0 and monday_of(parsed_at) >= report_week()
)
select
    seen.bundle_name,
    seen.dag_file,
    seen.error_signature,
    any_value(seen.message) as message,
    any_value(seen.sightings) as sightings,
    any_value(seen.first_at) as first_at,
    any_value(seen.last_at) as last_at,
    any_value(monday_of(seen.first_at) = report_week()) as is_new,
    min(clean.parsed_at) as mended_at,
    count(*) over (partition by seen.error_signature) as files
from seen
left join clean
    on seen.bundle_name = clean.bundle_name
    and seen.dag_file = clean.dag_file
    and clean.parsed_at > seen.last_at
group by seen.bundle_name, seen.dag_file, seen.error_signature
order by sightings desc, seen.bundle_name, seen.dag_file, seen.error_signature
