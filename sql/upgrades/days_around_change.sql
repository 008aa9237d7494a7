-- How did runs, durations, waiting and parsing go, day by day, before and after each change of the deployment?
--
-- The changes are those of `changes_of_deployment`. Those with less than three whole days between them cannot be told apart
-- and are one: before is up to the first of them, after from the last one on, until the next change or the week's end. The
-- days between the last telling of the old and the first of the new are left out. Each day is adjusted for what ran on it: runs
-- are held against their own DAG's rate before, tasks and files against their own median before. A run of which nobody knows how it ended is in no rate of lost ones. `same` counts only DAGs
-- whose bundle version is the same on both sides, so that the change of the deployment stands alone. No change: no rows.
--
-- grain:    since_at, figure, code, day
-- reads:    deployments, task_tries, parse_samples
-- columns:
--   since_at  timestamptz  the last of the changes told apart from others was first told
--   first_at  timestamptz  the first of them was
--   figure    varchar      lost_runs, first_failed_runs (fraction above the DAG's usual), duration, parse (logarithm of times the usual), wait (logarithm of 1 + mean seconds)
--   code      varchar      all, same
--   day       date
--   is_after  boolean
--   value     double
--   n         bigint       runs, tasks, tries or files behind the value
with facts as (
    select key, coalesce(object_url, '') as teller, value, seen_at
    from deployments
    where (key = 'airflow.version' or starts_with(key, 'config.') or starts_with(key, 'provider.'))
        and value <> ''
        and seen_at is not null
),
steps as (
    select lag(value) over telling as before, value as after, lag(seen_at) over telling as from_at, seen_at as until_at
    from facts
    window telling as (partition by key, teller order by seen_at, value)
),
recent as (
    select
        from_at,
        until_at,
        cast(from_at as date) as from_day,
        max(cast(until_at as date)) over (
            order by until_at, from_at rows between unbounded preceding and 1 preceding
        ) as earlier_day
    from steps
    where before <> after and until_at >= week_start() - interval 7 days and until_at < week_end() + interval 1 day
),
numbered as (
    select
        *,
        count(*) filter (where earlier_day is null or from_day > earlier_day + 3) over (
            order by until_at, from_at rows between unbounded preceding and current row
        ) as event_no
    from recent
),
grouped as (
    select
        max(until_at) as since_at,
        min(until_at) as first_at,
        cast(min(from_at) as date) as from_day,
        cast(max(until_at) as date) as until_day
    from numbered
    group by event_no
),
event as (
    select
        *,
        coalesce(lead(from_day) over (order by since_at), cast(week_end() as date) + 1) as next_day
    from grouped
),
tries as (
    select
        since_at,
        dag_id,
        task_id,
        run_id,
        cast(started_at as date) as day,
        cast(started_at as date) > until_day as is_after,
        started_at,
        state,
        first_try,
        final_try,
        loses_run,
        duration_s,
        epoch_us(started_at - coalesce(scheduled_at, queued_at)) / 1e6 as wait_s,
        bundle_version
    from task_tries
    cross join event
    where week >= weeks_ago(8)
        and week <= report_week()
        and is_judged
        and started_at is not null
        and (cast(started_at as date) < from_day or cast(started_at as date) > until_day)
        and cast(started_at as date) < next_day
),
codes as (
    select
        since_at,
        dag_id,
        coalesce(
            arg_max(bundle_version, started_at order by bundle_version) filter (where not is_after)
                = min(bundle_version) filter (where is_after)
            and min(bundle_version) filter (where is_after) = max(bundle_version) filter (where is_after),
            false
        ) as is_same
    from tries
    where bundle_version is not null and bundle_version <> ''
    group by since_at, dag_id
),
runs as (
    select
        since_at,
        dag_id,
        run_id,
        min(day) as day,
        bool_and(is_after) as is_after,
        -- null: nobody knows how it ended; an average leaves it out, before the change and after it
        case
            when bool_or(loses_run) then 1
            when not bool_or(final_try and not has_end(state)) then 0
        end as is_lost,
        case
            when bool_or(first_try and state in ('failed', 'up_for_retry')) then 1
            when not bool_or(first_try and not has_end(state)) then 0
        end as is_first_failed
    from tries
    group by since_at, dag_id, run_id
    having bool_and(is_after) or not bool_or(is_after)
),
usual_runs as (
    select since_at, dag_id, avg(is_lost) as lost, avg(is_first_failed) as first_failed
    from runs
    where not is_after
    group by since_at, dag_id
    having count(is_lost) >= 5 and count(is_first_failed) >= 5
),
run_days as (
    select
        runs.since_at,
        runs.dag_id,
        runs.day,
        runs.is_after,
        is_lost - lost as lost_more,
        is_first_failed - first_failed as first_more
    from runs
    join usual_runs on runs.since_at = usual_runs.since_at and runs.dag_id = usual_runs.dag_id
),
usual_tasks as (
    select since_at, dag_id, task_id, median(duration_s) as usual_s
    from tries
    where state = 'success' and not is_after and duration_s is not null
    group by since_at, dag_id, task_id
    having count(*) >= 5
),
task_days as (
    select
        tries.since_at,
        tries.dag_id,
        tries.task_id,
        tries.day,
        tries.is_after,
        -- a second or less is Airflow's own start, not the task's work
        ln(greatest(median(duration_s), 1) / greatest(any_value(usual_s order by usual_s), 1)) as times
    from tries
    join usual_tasks
        on tries.since_at = usual_tasks.since_at
        and tries.dag_id = usual_tasks.dag_id
        and tries.task_id = usual_tasks.task_id
    where state = 'success' and duration_s is not null
    group by tries.since_at, tries.dag_id, tries.task_id, tries.day, tries.is_after
),
parses as (
    select
        since_at,
        source,
        bundle_name,
        dag_file,
        cast(parsed_at as date) as day,
        cast(parsed_at as date) > until_day as is_after,
        parse_s
    from parse_samples
    cross join event
    where parsed_at >= weeks_ago(8)
        and parsed_at < week_end()
        and source <> 'task_log'
        and parse_s > 0
        and (cast(parsed_at as date) < from_day or cast(parsed_at as date) > until_day)
        and cast(parsed_at as date) < next_day
        and not is_quiet(parsed_at)
),
usual_parses as (
    select since_at, source, bundle_name, dag_file, median(parse_s) as usual_s
    from parses
    where not is_after
    group by since_at, source, bundle_name, dag_file
    having count(*) >= 5
),
parse_days as (
    select
        parses.since_at,
        parses.dag_file,
        parses.day,
        parses.is_after,
        ln(median(parse_s) / any_value(usual_s order by usual_s)) as times
    from parses
    join usual_parses
        on parses.since_at = usual_parses.since_at
        and parses.source = usual_parses.source
        and parses.bundle_name is not distinct from usual_parses.bundle_name
        and parses.dag_file = usual_parses.dag_file
    group by parses.since_at, parses.source, parses.bundle_name, parses.dag_file, parses.day, parses.is_after
),
figures as (
    select since_at, 'lost_runs' as figure, dag_id, day, is_after, lost_more as value
    from run_days
    where lost_more is not null
    union all
    select since_at, 'first_failed_runs', dag_id, day, is_after, first_more
    from run_days
    where first_more is not null
    union all
    select since_at, 'wait', dag_id, day, is_after, greatest(wait_s, 0) from tries where wait_s is not null
),
coded as (
    select since_at, figure, 'all' as code, day, is_after, value from figures
    union all
    select figures.since_at, figure, 'same', day, is_after, value
    from figures
    join codes on figures.since_at = codes.since_at and figures.dag_id = codes.dag_id
    where is_same
),
coded_tasks as (
    select since_at, 'all' as code, day, is_after, times from task_days
    union all
    select task_days.since_at, 'same', day, is_after, times
    from task_days
    join codes on task_days.since_at = codes.since_at and task_days.dag_id = codes.dag_id
    where is_same
),
told as (
    select
        since_at,
        figure,
        code,
        day,
        is_after,
        case when figure = 'wait' then ln(1 + avg(value)) else avg(value) end as value,
        count(*) as n
    from coded
    group by since_at, figure, code, day, is_after
    union all
    select since_at, 'duration', code, day, is_after, median(times), count(*)
    from coded_tasks
    group by since_at, code, day, is_after
    union all
    select since_at, 'parse', 'all', day, is_after, median(times), count(*)
    from parse_days
    group by since_at, day, is_after
)
select told.since_at, event.first_at, figure, code, day, is_after, value, n
from told
join event on told.since_at = event.since_at
order by told.since_at, figure, code, day
