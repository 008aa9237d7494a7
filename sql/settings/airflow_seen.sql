-- Which Airflow is this, as far as its logs, its API, its database or a file tell?
--
-- One row. Versions are told by API, database or a file until the end of the week, else by the first telling after it;
-- logs tell the major version by how they are written, and 3.3 and newer by the parse time that they carry.
--
-- grain:    airflow_version
-- reads:    deployments, task_logs
-- columns:
--   airflow_version  varchar   as told; null where nobody told
--   major_version    bigint    2 or 3, of most logs of the week; null without logs
--   has_parse_times  boolean   logs of the week tell how long their file took to parse
--   executor         varchar   as the configuration tells
--   hosts            bigint    hosts that ran tries in the week
with told as (
    select
        coalesce(
            max_by(value, seen_at order by value) filter (where key = 'airflow.version' and seen_at < week_end()),
            min_by(value, seen_at order by value) filter (where key = 'airflow.version')
        ) as airflow_version,
        coalesce(
            max_by(value, seen_at order by value) filter (where key = 'config.core.executor' and seen_at < week_end()),
            min_by(value, seen_at order by value) filter (where key = 'config.core.executor')
        ) as executor
    from deployments
    where key in ('airflow.version', 'config.core.executor')
),
logs as (
    select
        cast(mode(case when starts_with(dialect, 'airflow3') then 3 else 2 end order by dialect)
            filter (where starts_with(dialect, 'airflow')) as bigint) as major_version,
        bool_or(dag_file_parse_s is not null) as has_parse_times,
        count(distinct hostname) as hosts
    from task_logs
    where started_at >= week_start() and started_at < week_end()
)
select
    nullif(told.airflow_version, '') as airflow_version,
    logs.major_version,
    coalesce(logs.has_parse_times, false) as has_parse_times,
    told.executor,
    logs.hosts
from told
cross join logs
