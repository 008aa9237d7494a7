-- How did each DAG file's parse time move over the last nine weeks?
--
-- grain:    source, bundle_name, dag_file, week
-- reads:    parse_samples
-- columns:
--   source       varchar
--   bundle_name  varchar   empty where the source does not tell it
--   dag_file     varchar
--   week         date      Monday
--   samples      bigint
--   median_s     double
--   p95_s        double
--   first_at     timestamptz  first sample of the week
--   last_at      timestamptz
select
    source,
    coalesce(bundle_name, '') as bundle_name,
    dag_file,
    monday_of(parsed_at) as week,
    count(*) as samples,
    median(parse_s) as median_s,
    quantile_cont(parse_s, 0.95) as p95_s,
    min(parsed_at) as first_at,
    max(parsed_at) as last_at
from parse_samples
where monday_of(parsed_at) >= weeks_ago(8) and monday_of(parsed_at) <= report_week()
group by source, coalesce(bundle_name, ''), dag_file, monday_of(parsed_at)
order by source, bundle_name, dag_file, week
