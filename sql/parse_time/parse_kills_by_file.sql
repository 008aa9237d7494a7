-- Which DAG files were stopped by a timeout while they were parsed?
--
-- The processor timeout kills the process that parses; the import timeout ends the import with an error. Component logs
-- name the files; where only the counter of the metrics tells of kills, one row without a file holds them.
--
-- grain:    kind, bundle_name, dag_file
-- reads:    component_events, import_errors, metric_samples, parse_samples
-- columns:
--   kind         varchar      processor_timeout, import_timeout
--   bundle_name  varchar      empty in Airflow 2
--   dag_file     varchar      empty: of all files, by the counter
--   kills        bigint       this week
--   kills_prev   bigint       in the 8 weeks before
--   limit_s      double       as the log says; null where it does not
--   first_at     timestamptz  of this week
--   last_at      timestamptz
--   parsed_at    timestamptz  first parse without an error after the last kill; null: none seen
with told as (
    select
        'processor_timeout' as kind,
        coalesce(reason, '') as bundle_name,
        dag_file,
        event_at as killed_at,
        cast(limit_value as double) as limit_s
    from component_events
    where event = 'parse_timeout' and dag_file is not null
    union all
    select 'import_timeout', coalesce(bundle_name, ''), dag_file, seen_at,
        try_cast(nullif(regexp_extract(message, 'after ([0-9.]+)s', 1), '') as double)
    from import_errors
    where contains(message, 'DagBag import timeout')
),
kills as (
    select
        kind,
        bundle_name,
        dag_file,
        count(*) filter (where monday_of(killed_at) = report_week()) as kills,
        count(*) filter (where monday_of(killed_at) < report_week()) as kills_prev,
        max(limit_s) as limit_s,
        min(killed_at) filter (where monday_of(killed_at) = report_week()) as first_at,
        max(killed_at) filter (where monday_of(killed_at) = report_week()) as last_at
    from told
    where monday_of(killed_at) >= weeks_ago(8) and monday_of(killed_at) <= report_week() and not is_quiet(killed_at)
    group by kind, bundle_name, dag_file
    having count(*) filter (where monday_of(killed_at) = report_week()) > 0
),
counted as (
    select
        cast(sum(value) filter (where monday_of(sampled_at) = report_week()) as bigint) as kills,
        cast(coalesce(sum(value) filter (where monday_of(sampled_at) < report_week()), 0) as bigint) as kills_prev,
        min(sampled_at) filter (where monday_of(sampled_at) = report_week() and value > 0) as first_at,
        max(sampled_at) filter (where monday_of(sampled_at) = report_week() and value > 0) as last_at
    from metric_samples
    where name = 'dag_processing.processor_timeouts'
        and monday_of(sampled_at) >= weeks_ago(8)
        and monday_of(sampled_at) <= report_week()
        and not is_quiet(sampled_at)
),
parses as (
    select
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        parsed_at
    from parse_samples
    where coalesce(error_count, 0) = 0 and source <> 'task_log' and monday_of(parsed_at) >= report_week()
)
select
    kills.kind,
    kills.bundle_name,
    kills.dag_file,
    any_value(kills.kills) as kills,
    any_value(kills.kills_prev) as kills_prev,
    any_value(kills.limit_s) as limit_s,
    any_value(kills.first_at) as first_at,
    any_value(kills.last_at) as last_at,
    min(parses.parsed_at) as parsed_at
from kills
left join parses
    on parses.parsed_at > kills.last_at
    and parses.bundle_name in ('', kills.bundle_name)
    and parses.dag_file in (kills.dag_file, regexp_extract(kills.dag_file, '([^/]*?)(\.py|\.zip)?$', 1))
group by kills.kind, kills.bundle_name, kills.dag_file
union all
select 'processor_timeout', '', '', kills, kills_prev, null, first_at, last_at, null
from counted
where kills > 0 and not exists (select 1 from kills where kind = 'processor_timeout')
order by kills desc, kind, bundle_name, dag_file
