-- Which DAG files failed to import this week, since when, and which are mended?
--
-- Mended is what a parse without an error has followed; one that comes back in a log a day later has begun anew. API and database tell of errors alone, at least once a day while
-- they last: there an error is mended when Airflow was asked a day (and an hour) after it was last told. They tell the
-- newest time that an error was met, not when it began. So one that is first told after the week's end belongs to the week
-- in which it probably began: that of the middle between the last question without it and this one (without an earlier
-- question, the day before it was told).
--
-- grain:    bundle_name, dag_file, error_signature
-- reads:    import_errors, parse_samples, deployments
-- columns:
--   bundle_name      varchar      empty in Airflow 2
--   dag_file         varchar
--   error_signature  varchar      empty where no exception was told
--   message          varchar      as seen last
--   sightings        bigint       times it was told in the week, and by the first question after it
--   first_at         timestamptz  first seen, at most 8 weeks back; after the week's end where it was first asked then
--   unseen_at        timestamptz  last question without it, before it was first seen; null where none was asked, or a log told it
--   last_at          timestamptz
--   began_week       date         Monday of the week in which it began, or probably did
--   is_new           boolean      began in the week
--   mended_at        timestamptz  first parse without an error, or question without this answer, after the last sighting; null: none seen
--   files            bigint       files of the week with the same signature: one cause, many files
with asked as (
    select distinct seen_at as asked_at from deployments where key = 'airflow.version'
),
told as (
    select
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        coalesce(error_signature, '') as error_signature,
        message,
        seen_at,
        coalesce(source in ('api', 'db'), false) as is_asked
    from import_errors
    where monday_of(seen_at) >= weeks_ago(8) and seen_at < week_end() + interval 7 days
),
placed as (
    select
        told.*,
        case when is_asked then asked_at end as unseen_at,
        case
            when not is_asked then monday_of(seen_at)
            when asked_at is null then monday_of(seen_at - interval 1 day)
            else monday_of(asked_at + (seen_at - asked_at) / 2)
        end as began_week
    from told
    asof left join asked on told.seen_at > asked.asked_at
),
-- an error that comes back after a day without it, and after a parse without errors, has begun anew
followed as (
    select
        placed.*,
        lag(placed.seen_at) over sightings as before_at,
        parses.parsed_at as clean_before_at
    from placed
    asof left join (
        select coalesce(bundle_name, '') as bundle_name, dag_file, parsed_at from parse_samples where error_count = 0
    ) as parses
        on placed.bundle_name = parses.bundle_name
        and placed.dag_file = parses.dag_file
        and placed.seen_at > parses.parsed_at
    window sightings as (
        partition by placed.bundle_name, placed.dag_file, placed.error_signature order by placed.seen_at
    )
),
parted as (
    select
        *,
        max(seen_at) filter (
            where not is_asked
                and seen_at < week_end()
                and seen_at > before_at + interval 1 day
                and clean_before_at > before_at
        ) over (partition by bundle_name, dag_file, error_signature) as anew_at
    from followed
),
counted as (
    select
        * exclude (before_at, clean_before_at, anew_at),
        monday_of(seen_at) = report_week()
            -- of what was asked for after the week's end the first answer speaks for the week
            or (
                seen_at >= week_end()
                and began_week <= report_week()
                and row_number() over (
                    partition by bundle_name, dag_file, error_signature, seen_at >= week_end() order by seen_at
                ) = 1
            ) as is_of_week
    from parted
    where anew_at is null or seen_at >= anew_at
),
seen as (
    select
        bundle_name,
        dag_file,
        error_signature,
        arg_max(message, seen_at) as message,
        count(*) filter (where is_of_week) as sightings,
        min(seen_at) as first_at,
        arg_min(coalesce(unseen_at, 'epoch'), seen_at) as unseen_at,
        max(seen_at) as last_at,
        arg_min(began_week, seen_at) as began_week,
        bool_and(is_asked) as is_asked
    from counted
    where monday_of(seen_at) <= report_week() or is_of_week
    group by bundle_name, dag_file, error_signature
    having count(*) filter (where is_of_week) > 0
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
    nullif(any_value(seen.unseen_at), 'epoch') as unseen_at,
    any_value(seen.last_at) as last_at,
    any_value(seen.began_week) as began_week,
    any_value(seen.began_week) = report_week() as is_new,
    min(clean.clean_at) as mended_at,
    count(*) over (partition by seen.error_signature) as files
from seen
left join clean
    on seen.bundle_name = clean.bundle_name
    and seen.dag_file = clean.dag_file
    and seen.error_signature = clean.error_signature
group by seen.bundle_name, seen.dag_file, seen.error_signature
order by sightings desc, seen.bundle_name, seen.dag_file, seen.error_signature
