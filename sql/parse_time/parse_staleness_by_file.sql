-- How long did each DAG file wait for its next parse, at worst?
--
-- The longest times between two parses of a file, each with the rate at which other files of its source were parsed
-- meanwhile: where that is low, metrics or logs were missing and it is not the file that waited. And the age that Airflow
-- itself told (`last_run.seconds_ago`), of moments at which that gauge moved. Sources that tell some parses only are left out.
--
-- grain:    source, bundle_name, dag_file
-- reads:    parse_samples, metric_samples
-- columns:
--   source       varchar      processor_log, stats_table, metric; gauge: told by last_run.seconds_ago
--   bundle_name  varchar      empty where the source does not tell it
--   dag_file     varchar
--   looks        bigint       parses, or minutes of the gauge
--   usual_s      double       median time between parses, or median age
--   waits_s      double[]     the 25 longest, longest first
--   others_rate  double[]     of each, parses of other files during it over those of the same time in the whole week
--   untils_s     double[]     of each, its end, seconds since 1970
with samples as (
    select
        source,
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        parsed_at,
        lag(parsed_at) over file as before_at,
        row_number() over (partition by source order by parsed_at, bundle_name, dag_file) as place
    from parse_samples
    where monday_of(parsed_at) = report_week()
        and source in ('processor_log', 'stats_table', 'metric')
        and not is_quiet(parsed_at)
    window file as (partition by source, coalesce(bundle_name, ''), dag_file order by parsed_at)
),
placed as (
    select
        samples.*,
        lag(place) over (partition by source, bundle_name, dag_file order by parsed_at) as before_place
    from samples
),
rates as (
    select
        source,
        count(*) / nullif(epoch_us(max(parsed_at) - min(parsed_at)) / 1e6, 0) as per_s
    from samples
    group by source
),
gaps as (
    select
        placed.source,
        placed.bundle_name,
        placed.dag_file,
        placed.before_at,
        placed.parsed_at,
        epoch_us(placed.parsed_at - placed.before_at) / 1e6 as gap_s,
        placed.place - placed.before_place - 1 as others,
        rates.per_s
    from placed
    join rates on placed.source = rates.source
),
looks as (
    select
        coalesce(labels['bundle_name'], '') as bundle_name,
        labels['file_name'] as dag_file,
        sampled_at,
        value,
        value <> lag(value) over (partition by labels order by sampled_at) as is_moving
    from metric_samples
    where name = 'dag_processing.last_run.seconds_ago'
        and labels['file_name'] is not null
        and monday_of(sampled_at) = report_week()
        and not is_quiet(sampled_at)
)
select *
from (
    select
        source,
        bundle_name,
        dag_file,
        count(*) as looks,
        median(gap_s) as usual_s,
        list(gap_s order by gap_s desc, parsed_at)[1:25] as waits_s,
        list(others / (gap_s * per_s) order by gap_s desc, parsed_at)[1:25] as others_rate,
        list(epoch(parsed_at) order by gap_s desc, parsed_at)[1:25] as untils_s
    from gaps
    where gap_s > 0
    group by source, bundle_name, dag_file
    union all
    select
        'gauge',
        bundle_name,
        dag_file,
        count(*),
        median(value),
        [max(value)],
        [1.0],
        [epoch(max_by(sampled_at, value order by sampled_at desc))]
    from looks
    where is_moving
    group by bundle_name, dag_file
) as told
order by waits_s[1] desc, source, bundle_name, dag_file
