-- Which DAG files failed to import this week, since when, and which are mended?
--
-- Mended is what a parse without an error has followed. API and database tell of errors alone, at least once a day while
-- they last: there an error is mended when Airflow was asked a day (and an hour) after it was last told.
--
-- grain:    bundle_name, dag_file, error_signature
-- reads:    import_errors, parse_samples, deployments
-- columns:
--   bundle_name      varchar      empty in Airflow 2
--   dag_file         varchar
--   error_signature  varchar      empty where no exception was told
--   message          varchar      as seen last
--   sightings        bigint       times it was told in the week
--   first_at         timestamptz  first seen, at most 8 weeks back
--   last_at          timestamptz
--   is_new           boolean      not seen in the weeks before
--   mended_at        timestamptz  first parse without an error, or question without this answer, after the last sighting; null: none seen
--   files            bigint       files of the week with the same signature: one cause, many files
with seen as (
    select
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        coalesce(error_signature, '') as error_signature,
        arg_max(message, seen_at) as message,
        count(*) filter (where monday_of(seen_at) = report_week()) as sightings,
        min(seen_at) as first_at,
        max(seen_at) as last_at,
        bool_and(source in ('api', 'db')) as is_asked
    from import_errors
    where monday_of(seen_at) >= weeks_ago(8) and monday_of(seen_at) <= report_week()
    group by coalesce(bundle_name, ''), dag_file, coalesce(error_signature, '')
    having count(*) filter (where monday_of(seen_at) = report_week()) > 0
),
latest as (
    select
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        coalesce(error_signature, '') as error_signature,
        max(seen_at) as seen_at
    from import_errors
    group by coalesce(bundle_name, ''), dag_file, coalesce(error_signature, '')
),
clean as (
    select seen.bundle_name, seen.dag_file, seen.error_signature, min(parse_samples.parsed_at) as clean_at
    from seen
    join parse_samples
        on seen.bundle_name = coalesce(parse_samples.bundle_name, '')
        and seen.dag_file = parse_samples.dag_file
        and parse_samples.parsed_at > seen.last_at
    where parse_samples.error_count = 0
    group by seen.bundle_name, seen.dag_file, seen.error_signature
    union all
    select latest.bundle_name, latest.dag_file, latest.error_signature, min(deployments.seen_at)
    from latest
    join seen
        on seen.bundle_name = latest.bundle_name
        and seen.dag_file = latest.dag_file
        and seen.error_signature = latest.error_signature
    join deployments
        on deployments.key = 'airflow.version'
        and deployments.seen_at > latest.seen_at + interval 25 hours
    where seen.is_asked
    group by latest.bundle_name, latest.dag_file, latest.error_signature
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
    min(clean.clean_at) as mended_at,
    count(*) over (partition by seen.error_signature) as files
from seen
left join clean
    on seen.bundle_name = clean.bundle_name
    and seen.dag_file = clean.dag_file
    and seen.error_signature = clean.error_signature
group by seen.bundle_name, seen.dag_file, seen.error_signature
order by sightings desc, seen.bundle_name, seen.dag_file, seen.error_signature
