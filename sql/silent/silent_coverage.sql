-- What was looked at for silent failures this week, and what could not be known?
--
-- One row per kind of silence: how many tries, runs or DAGs could be looked at, how many could not, and what would tell.
-- No silence found where nothing could be seen is no good news.
--
-- grain:    kind
-- reads:    component_events, dag_runs, deployments, parse_samples, task_instances, task_logs, task_tries
-- columns:
--   kind         varchar   what is looked for
--   unit         varchar   of what: tries, runs, DAGs, files
--   looked_at    bigint    could be judged
--   not_known    bigint    could not
--   missing      varchar   the input that would tell of those; null: nothing is missing
with tries as (
    select * from task_tries where week = report_week() and try_number > 0
),
seen as (
    select
        exists (select 1 from task_logs where monday_of(started_at) = report_week()) as has_logs,
        exists (select 1 from task_instances where monday_of(anchor_at) = report_week()) as has_told,
        exists (
            select 1 from component_events
            where component = 'scheduler' and event_at >= week_start() and event_at < week_end()
        ) as has_scheduler,
        exists (
            select 1 from component_events
            where component = 'dag-processor' and event_at >= week_start() and event_at < week_end()
        ) as has_processor,
        exists (select 1 from deployments where starts_with(key, 'event.')) as has_audit
),
runs as (
    select
        tries.dag_id,
        tries.run_id,
        bool_or(known.state in ('success', 'failed')) as is_known
    from tries
    left join known_runs as known on tries.dag_id = known.dag_id and tries.run_id = known.run_id
    group by tries.dag_id, tries.run_id
),
files as (
    select
        source,
        dag_file,
        bool_or(dag_count is not null) as is_known
    from parse_samples
    where parsed_at >= week_start() and parsed_at < week_end()
    group by source, dag_file
),
alerts as (
    select distinct substr(key, 12) as dag_id
    from deployments
    where starts_with(key, 'dag_alerts.') and json_valid(value) and json_extract_string(value, '$.unread') is null
),
kinds as (
    select
        'tries without a log' as kind,
        'tries' as unit,
        count(*) filter (where has_logs and (told_state is not null or try_number > 1)) as looked_at,
        count(*) filter (where not has_logs or (told_state is null and try_number = 1)) as not_known,
        case
            when not max(has_logs) then 'task logs'
            when not max(has_told) then 'scheduler log, API or database'
        end as missing
    from tries, seen
    union all
    select
        'why tries left no log',
        'tries',
        count(*) filter (where has_scheduler),
        count(*) filter (where not has_scheduler),
        case when not (select has_scheduler from seen) then 'scheduler log' end
    from tries, seen
    where not has_log and state in ('failed', 'up_for_retry')
    union all
    select
        'success without an end',
        'tries',
        count(*) filter (where has_log and told_state is not null),
        count(*) filter (where not has_log or told_state is null),
        case when not max(has_told) then 'scheduler log, API or database' end
    from tries, seen
    union all
    select
        'runs that timed out',
        'runs',
        count(*) filter (where coalesce(is_known, false) or has_scheduler),
        count(*) filter (where not coalesce(is_known, false) and not has_scheduler),
        case when not max(has_scheduler) then 'scheduler log, API or database' end
    from runs, seen
    union all
    select
        'state mismatches',
        'tries',
        count(*) filter (where has_scheduler or has_audit),
        count(*) filter (where not has_scheduler and not has_audit),
        case when not max(has_scheduler or has_audit) then 'scheduler log, or the audit log by API or database' end
    from tries, seen
    union all
    select
        'paused DAGs',
        'DAGs',
        count(distinct dag_id) filter (where has_scheduler or has_audit),
        count(distinct dag_id) filter (where not has_scheduler and not has_audit),
        case when not max(has_scheduler or has_audit) then 'scheduler log, or the audit log by API or database' end
    from tries, seen
    union all
    select
        'callbacks of tasks that failed',
        'tries',
        count(*) filter (where has_log),
        count(*) filter (where not has_log),
        case when not max(has_logs) then 'task logs' end
    from tries, seen
    where state in ('failed', 'up_for_retry')
    union all
    select
        'callbacks of DAGs and of killed tasks',
        'DAGs',
        count(distinct dag_id) filter (where has_processor),
        count(distinct dag_id) filter (where not has_processor),
        case when not max(has_processor) then 'dag-processor log' end
    from tries, seen
    union all
    select
        'ways to tell of a failure',
        'DAGs',
        count(distinct dag_id) filter (where dag_id in (select dag_id from alerts)),
        count(distinct dag_id) filter (where dag_id not in (select dag_id from alerts)),
        case when not exists (select 1 from alerts) then 'metadata database' end
    from tries
    union all
    select
        'files without a DAG',
        'files',
        count(*) filter (where is_known),
        count(*) filter (where not is_known),
        case when count(*) filter (where is_known) = 0 then 'dag-processor log or API' end
    from files
    union all
    select
        'errors in successes',
        'tries',
        count(*) filter (where has_log),
        count(*) filter (where not has_log),
        case when not max(has_logs) then 'task logs' end
    from tries, seen
    where state = 'success'
)
select
    kind,
    unit,
    looked_at,
    not_known,
    missing
from kinds
order by kind
