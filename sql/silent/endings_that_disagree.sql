-- Which tries ended otherwise in their log than Airflow recorded, or say no end at all?
--
-- `reported_success`: recorded as success, though the log tells of a kill, a failure or no end (a process that left by
-- `os._exit(0)`, an executor that called a killed pod done). `failed_unseen`: recorded as failed, though the log holds
-- no error: the race of a deferred task, or an end that only the scheduler saw. `no_end`: the log stops, older than a
-- day, and nobody else tells, nor did another try follow. Endings set from outside are left out: there both are right.
--
-- grain:    dag_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id            varchar
--   task_id           varchar
--   tries             bigint       tries with a log in the week
--   both_known        bigint       of those, tries that API, database or a component tell of too
--   reported_success  bigint
--   failed_unseen     bigint
--   deferred_unseen   bigint       of failed_unseen, those whose log ends at a deferral
--   no_end            bigint
--   no_end_prev       bigint       the 8 weeks before
--   no_end_since      timestamptz  the first such try after the last week that had tries and none such
--   tries_prev        bigint       tries with a log, the 8 weeks before
--   reasons           varchar[]    what the logs say of reported_success: signal, oom, truncated …
--   first_at          timestamptz  of any of the three
--   last_at           timestamptz
with seen as (
    select
        *,
        week = report_week() as is_now,
        told_state = 'success'
            and log_state in ('failed', 'up_for_retry', 'unknown')
            and state_reason is distinct from 'external' as is_reported_success,
        told_state in ('failed', 'up_for_retry')
            and log_state in ('unknown', 'deferred', 'success', 'up_for_reschedule')
            and state_reason is distinct from 'external' as is_failed_unseen,
        log_state = 'unknown'
            and not has_end(state)
            and coalesce(ended_at, started_at) < (select max(coalesce(ended_at, started_at)) from task_tries) - interval 1 day
            as is_no_end
    from task_tries
    where has_log
        and try_number > 0
        and not is_excluded
        and week >= weeks_ago(8)
        and week <= report_week()
),
weeks as (
    select dag_id, task_id, max(week) filter (where not is_any) as clear_week
    from (
        select dag_id, task_id, week, bool_or(is_no_end) as is_any
        from seen
        where not is_now
        group by dag_id, task_id, week
    ) as each_week
    group by dag_id, task_id
)
select
    seen.dag_id,
    seen.task_id,
    count(*) filter (where is_now) as tries,
    count(*) filter (where is_now and told_state is not null) as both_known,
    count(*) filter (where is_now and is_reported_success) as reported_success,
    count(*) filter (where is_now and is_failed_unseen) as failed_unseen,
    count(*) filter (where is_now and is_failed_unseen and log_state = 'deferred') as deferred_unseen,
    count(*) filter (where is_now and is_no_end) as no_end,
    count(*) filter (where not is_now and is_no_end) as no_end_prev,
    min(coalesce(started_at, ended_at)) filter (where is_no_end and (clear_week is null or week > clear_week)) as no_end_since,
    count(*) filter (where not is_now) as tries_prev,
    list_sort(coalesce(list(distinct coalesce(state_reason, 'exception')) filter (where is_now and is_reported_success), []))
        as reasons,
    min(coalesce(ended_at, started_at)) filter (where is_now and (is_reported_success or is_failed_unseen or is_no_end))
        as first_at,
    max(coalesce(ended_at, started_at)) filter (where is_now and (is_reported_success or is_failed_unseen or is_no_end))
        as last_at
from seen
left join weeks on seen.dag_id = weeks.dag_id and seen.task_id = weeks.task_id
group by seen.dag_id, seen.task_id
having bool_or(is_now and (is_reported_success or is_failed_unseen or is_no_end))
order by seen.dag_id, seen.task_id
