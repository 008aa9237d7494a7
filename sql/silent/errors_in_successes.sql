-- Which tasks succeed while logging errors that they never used to log?
--
-- Tries that ended in success, with at least one record at level error; this week against the eight weeks before. The
-- sample is the newest record of an error that the task's successes did not log before.
--
-- grain:    dag_id, task_id
-- reads:    log_events, task_logs, task_tries
-- columns:
--   dag_id            varchar
--   task_id           varchar
--   successes         bigint       judged tries of the week that succeeded and have a log
--   with_errors       bigint       of those, with an error record
--   successes_prev    bigint       the 8 weeks before
--   with_errors_prev  bigint       the 8 weeks before
--   new_errors        bigint       of with_errors, tries with a record whose error was not seen before in its successes
--   error_signature   varchar      most frequent of the new ones
--   exception_type    varchar
--   sample            varchar      newest record of the new ones, redacted
--   first_at          timestamptz  first new one
--   last_at           timestamptz
with successes as (
    select
        tries.dag_id,
        tries.run_id,
        tries.task_id,
        tries.map_index,
        tries.try_number,
        tries.week = report_week() as is_now,
        bool_or(logs.error_count > 0) as has_errors
    from task_tries as tries
    join task_logs as logs
        on tries.dag_id = logs.dag_id
        and tries.task_id = logs.task_id
        and tries.map_index = coalesce(logs.map_index, -1)
        and tries.try_number = logs.try_number
        and tries.run_id = logs.run_id
    where tries.is_judged
        and tries.state = 'success'
        and tries.state_reason is distinct from 'external'
        and tries.week >= weeks_ago(8)
        and tries.week <= report_week()
    group by all
),
records as (
    select
        successes.*,
        events.logged_at,
        -- a message without an exception has no signature: its words without numbers stand for it
        coalesce(events.error_signature, regexp_replace(left(events.message, 120), '[0-9]+', '<n>', 'g')) as told,
        events.exception_type,
        events.message
    from successes
    join log_events as events
        on successes.dag_id = events.dag_id
        and successes.run_id = events.run_id
        and successes.task_id = events.task_id
        and successes.map_index = coalesce(events.map_index, -1)
        and successes.try_number = events.try_number
    where events.level in ('error', 'critical')
        and successes.has_errors
),
known as (
    select distinct dag_id, task_id, told from records where not is_now
),
fresh as (
    select * from records anti join known using (dag_id, task_id, told) where is_now
),
news as (
    select
        dag_id,
        task_id,
        count(distinct (run_id, map_index, try_number)) as new_errors,
        mode(told order by told) as error_signature,
        mode(exception_type order by exception_type) as exception_type,
        arg_max(message, logged_at) as sample,
        min(logged_at) as first_at,
        max(logged_at) as last_at
    from fresh
    group by dag_id, task_id
)
select
    successes.dag_id,
    successes.task_id,
    count(*) filter (where is_now) as successes,
    count(*) filter (where is_now and has_errors) as with_errors,
    count(*) filter (where not is_now) as successes_prev,
    count(*) filter (where not is_now and has_errors) as with_errors_prev,
    coalesce(max(news.new_errors), 0) as new_errors,
    max(news.error_signature) as error_signature,
    max(news.exception_type) as exception_type,
    max(news.sample) as sample,
    max(news.first_at) as first_at,
    max(news.last_at) as last_at
from successes
left join news on successes.dag_id = news.dag_id and successes.task_id = news.task_id
group by successes.dag_id, successes.task_id
having count(*) filter (where is_now and has_errors) > 0
order by with_errors desc, successes.dag_id, successes.task_id
