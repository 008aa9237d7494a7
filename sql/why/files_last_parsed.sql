-- When was each DAG file parsed last, and how does that compare with the other files?
--
-- Only sources that tell every parse: the dag-processor's logs and metrics. `others_until` is the newest parse of any file
-- of the same source: a file that is behind it by much more than its usual distance is parsed no more.
--
-- grain:    source, bundle_name, dag_file
-- reads:    parse_samples
-- columns:
--   source          varchar      processor_log, stats_table, metric
--   bundle_name     varchar      empty where it is not told
--   dag_file        varchar
--   parses          bigint       nine weeks
--   parses_week     bigint
--   usual_s         double       median seconds between two parses; null with fewer than two
--   last_at         timestamptz
--   others_until    timestamptz
--   dag_count       bigint       DAGs at the last parse, where it is told
--   error_count     bigint       errors at the last parse, where it is told
with spaced as (
    select
        source,
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        parsed_at,
        dag_count,
        error_count,
        epoch_us(parsed_at - lag(parsed_at) over (
            partition by source, coalesce(bundle_name, ''), dag_file order by parsed_at
        )) / 1e6 as apart_s
    from parse_samples
    where source in ('processor_log', 'stats_table', 'metric')
        and parsed_at >= cast(weeks_ago(8) as timestamptz)
        and parsed_at < week_end()
)
select
    source,
    bundle_name,
    dag_file,
    count(*) as parses,
    count(*) filter (where parsed_at >= week_start()) as parses_week,
    median(apart_s) as usual_s,
    max(parsed_at) as last_at,
    max(max(parsed_at)) over (partition by source) as others_until,
    max_by(dag_count, parsed_at order by dag_count) as dag_count,
    max_by(error_count, parsed_at order by error_count) as error_count
from spaced
group by source, bundle_name, dag_file
order by source, bundle_name, dag_file
