-- Which DAG files are parsed without error, but to no DAG any more?
--
-- Their DAGs vanish without a message: a template, a variable or a service that the file builds them from gave nothing.
-- Only sources that count DAGs: the dag-processor's own logs.
--
-- grain:    source, bundle_name, dag_file
-- reads:    parse_samples
-- columns:
--   source          varchar
--   bundle_name     varchar      empty where the source does not tell it
--   dag_file        varchar
--   had_dags        bigint       DAGs at the last parse that gave any, at most 8 weeks back
--   had_at          timestamptz
--   lost_at         timestamptz  first parse without any
--   zero_parses     bigint       parses without any, since then
--   zero_s          double       seconds from the first to the last of them
--   bundle_version  varchar      at the first of them; null where the source does not tell it
with samples as (
    select
        source,
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        bundle_version,
        parsed_at,
        dag_count,
        coalesce(error_count, 0) as error_count
    from parse_samples
    where dag_count is not null
        and source <> 'api'
        and monday_of(parsed_at) >= weeks_ago(8)
        and monday_of(parsed_at) <= report_week()
),
had as (
    select source, bundle_name, dag_file, max(parsed_at) as had_at, max_by(dag_count, parsed_at) as had_dags
    from samples
    where dag_count > 0
    group by source, bundle_name, dag_file
)
select
    had.source,
    had.bundle_name,
    had.dag_file,
    any_value(had.had_dags) as had_dags,
    any_value(had.had_at) as had_at,
    min(samples.parsed_at) as lost_at,
    count(*) as zero_parses,
    epoch_us(max(samples.parsed_at) - min(samples.parsed_at)) / 1e6 as zero_s,
    min_by(samples.bundle_version, samples.parsed_at) as bundle_version
from had
join samples
    on samples.source = had.source
    and samples.bundle_name = had.bundle_name
    and samples.dag_file = had.dag_file
    and samples.parsed_at > had.had_at
group by had.source, had.bundle_name, had.dag_file
having max_by(samples.error_count, samples.parsed_at) = 0 and monday_of(max(samples.parsed_at)) = report_week()
order by had_dags desc, had.source, had.bundle_name, had.dag_file
