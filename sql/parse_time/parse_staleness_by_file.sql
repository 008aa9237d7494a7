-- How long did each DAG file wait for its next parse, at worst?
--
-- The longest time between two parses of a file in which the other files of its source were parsed at half their usual
-- rate or more, so that it is the file that waited, not the metrics or logs that were missing; and the age that Airflow
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
--   longest_s    double
--   from_at      timestamptz  of the longest wait
--   until_at     timestamptz
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
select
    source,
    bundle_name,
    dag_file,
    count(*) as looks,
    median(gap_s) as usual_s,
    max(gap_s) filter (where others >= 0.5 * gap_s * per_s) as longest_s,
    max_by(before_at, gap_s order by parsed_at desc) filter (where others >= 0.5 * gap_s * per_s) as from_at,
    max_by(parsed_at, gap_s order by parsed_at desc) filter (where others >= 0.5 * gap_s * per_s) as until_at
from gaps
where gap_s is not null
group by source, bundle_name, dag_file
having longest_s is not null
union all
select
    'gauge',
    bundle_name,
    dag_file,
    count(*),
    median(value),
    max(value),
    max_by(sampled_at - to_microseconds(cast(value * 1e6 as bigint)), value order by sampled_at desc),
    max_by(sampled_at, value order by sampled_at desc)
from looks
where is_moving
group by bundle_name, dag_file
order by longest_s desc, source, bundle_name, dag_file
