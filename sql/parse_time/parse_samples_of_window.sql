-- What was every measured parse of the last nine weeks?
--
-- The change-point judge's material. At most 2,000 per file and source, thinned evenly over time.
--
-- grain:    source, bundle_name, dag_file, parsed_at
-- reads:    parse_samples
-- columns:
--   source          varchar
--   bundle_name     varchar      empty where the source does not tell it
--   dag_file        varchar
--   parsed_at       timestamptz
--   parse_s         double
--   bundle_version  varchar      null for bundles without versions
with numbered as (
    select
        source,
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        parsed_at,
        parse_s,
        bundle_version,
        row_number() over (series order by parsed_at) as place,
        count(*) over series as total
    from parse_samples
    where monday_of(parsed_at) >= weeks_ago(8)
        and monday_of(parsed_at) <= report_week()
        and parse_s > 0
        and not is_quiet(parsed_at)
    window series as (partition by source, coalesce(bundle_name, ''), dag_file)
)
select source, bundle_name, dag_file, parsed_at, parse_s, bundle_version
from numbered
where place % greatest(1, cast(ceil(total / 2000) as bigint)) = 0
order by source, bundle_name, dag_file, parsed_at
