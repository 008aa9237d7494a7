-- How often was each DAG file parsed this week, and how many hours did that take?
--
-- A row of a metric snapshot is the mean of the parses since the snapshot before, so parses and hours of the source
-- `metric` are scaled to what Airflow's own counter counted. API and task logs tell some parses only: no interval.
--
-- grain:    source, bundle_name, dag_file
-- reads:    parse_samples, metric_samples
-- columns:
--   source       varchar
--   bundle_name  varchar   empty where the source does not tell it
--   dag_file     varchar
--   parses       double    measured ones
--   mean_s       double
--   parse_hours  double    of the measured ones
--   interval_s   double    mean time from one parse to the next, breaks of more than four usual ones left out; null for api and task_log
with samples as (
    select
        source,
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        parse_s,
        epoch_us(parsed_at - lag(parsed_at) over series) / 1e6 as gap_s
    from parse_samples
    where monday_of(parsed_at) = report_week() and parse_s > 0 and not is_quiet(parsed_at)
    window series as (partition by source, coalesce(bundle_name, ''), dag_file order by parsed_at)
),
usual as (
    select source, bundle_name, dag_file, median(gap_s) as gap_s
    from samples
    group by source, bundle_name, dag_file
),
counted as (
    select sum(sample_count) as parses
    from metric_samples
    where name = 'dag_processing.last_duration'
        and kind = 'timer'
        and monday_of(sampled_at) = report_week()
        and not is_quiet(sampled_at)
),
scale as (
    select greatest(1.0, coalesce(any_value(counted.parses) / nullif(count(samples.source), 0), 1.0)) as factor
    from counted
    left join samples on samples.source = 'metric'
)
select
    samples.source,
    samples.bundle_name,
    samples.dag_file,
    count(*) * if(samples.source = 'metric', any_value(scale.factor), 1.0) as parses,
    avg(samples.parse_s) as mean_s,
    sum(samples.parse_s) / 3600 * if(samples.source = 'metric', any_value(scale.factor), 1.0) as parse_hours,
    case when samples.source not in ('api', 'task_log') then
        avg(samples.gap_s) filter (where samples.gap_s <= 4 * usual.gap_s)
        / if(samples.source = 'metric', any_value(scale.factor), 1.0)
    end as interval_s
from samples
join usual
    on samples.source = usual.source
    and samples.bundle_name = usual.bundle_name
    and samples.dag_file = usual.dag_file
cross join scale
group by samples.source, samples.bundle_name, samples.dag_file
order by parse_hours desc, samples.source, samples.bundle_name, samples.dag_file
