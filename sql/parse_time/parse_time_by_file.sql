-- How long did each DAG file take to parse this week?
--
-- Sources are kept apart: a worker's own parse (task_log) is colder and noisier than the processor's (metric).
--
-- grain:    source, bundle_name, dag_file
-- reads:    parse_samples
-- columns:
--   source        varchar
--   bundle_name   varchar   empty where the source does not tell it
--   dag_file      varchar
--   samples       bigint
--   median_s      double
--   p95_s         double
--   max_s         double
--   median_prev_s double    the 4 weeks before; null without samples
select
    source,
    coalesce(bundle_name, '') as bundle_name,
    dag_file,
    count(*) filter (where monday_of(parsed_at) = report_week()) as samples,
    median(parse_s) filter (where monday_of(parsed_at) = report_week()) as median_s,
    quantile_cont(parse_s, 0.95) filter (where monday_of(parsed_at) = report_week()) as p95_s,
    max(parse_s) filter (where monday_of(parsed_at) = report_week()) as max_s,
    median(parse_s) filter (where monday_of(parsed_at) < report_week()) as median_prev_s
from parse_samples
where monday_of(parsed_at) >= weeks_ago(4)
    and monday_of(parsed_at) <= report_week()
    and not is_quiet(parsed_at)
group by source, coalesce(bundle_name, ''), dag_file
having count(*) filter (where monday_of(parsed_at) = report_week()) > 0
order by median_s desc, source, bundle_name, dag_file
