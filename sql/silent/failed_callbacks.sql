-- Which callbacks and notifiers failed this week, and on how many tries?
--
-- What was to tell people of a failure failed itself. Airflow's own words in the task's log (2.x: `Error in callback`, 3.x:
-- `Failed to run task callback`, mails), and the dag-processor's for DAG-level callbacks. `error_signature` is of the
-- callback's own exception where the record holds one.
--
-- grain:    dag_id, task_id, kind
-- reads:    component_events, log_events, task_tries
-- columns:
--   dag_id           varchar
--   task_id          varchar      null: a DAG-level callback
--   kind             varchar      callback, email, listener, dag callback
--   failures         bigint       times in the week
--   tries            bigint       tries on which it failed
--   failed_tries     bigint       of those, tries that had failed themselves: nobody was told
--   prev             bigint       times in the 8 weeks before
--   tries_known      bigint       all tries of the task in the week
--   error_signature  varchar      most frequent
--   exception_type   varchar
--   sample           varchar      newest, redacted
--   first_at         timestamptz
--   last_at          timestamptz
with words as (
    select
        dag_id,
        run_id,
        task_id,
        map_index,
        try_number,
        logged_at as told_at,
        case
            when starts_with(message, 'Failed to send email') then 'email'
            when lower(message) like 'error calling listener%' then 'listener'
            else 'callback'
        end as kind,
        error_signature,
        exception_type,
        message
    from log_events
    where level in ('error', 'critical')
        and logger in ('task', 'taskinstance.py', 'standard_task_runner.py', 'local_task_job_runner.py', 'local_task_job.py',
            'airflow.sdk.execution_time.task_runner', 'airflow.task', 'taskmixin.py')
        and (
            starts_with(message, 'Error in callback')
            or starts_with(message, 'Failed to run task callback')
            or starts_with(message, 'Failed at executing callback')
            or regexp_matches(message, '^(Failed|Error) when executing \S+ callback')
            or starts_with(message, 'Failed to send email')
            or lower(message) like 'error calling listener%'
        )
    union all
    select
        dag_id,
        run_id,
        cast(null as varchar) as task_id,
        -1 as map_index,
        cast(null as integer) as try_number,
        event_at as told_at,
        'dag callback' as kind,
        reason as error_signature,
        reason as exception_type,
        detail as message
    from component_events
    where event = 'callback_failed'
),
ends as (
    select
        dag_id,
        task_id,
        run_id,
        map_index,
        try_number,
        state in ('failed', 'up_for_retry') as is_failed,
        week
    from task_tries
    where try_number > 0
)
select
    words.dag_id,
    words.task_id,
    words.kind,
    count(*) filter (where words.told_at >= week_start()) as failures,
    count(distinct (words.run_id, words.map_index, words.try_number)) filter (where words.told_at >= week_start()) as tries,
    count(distinct (words.run_id, words.map_index, words.try_number))
        filter (where words.told_at >= week_start() and (ends.is_failed or words.kind = 'dag callback')) as failed_tries,
    count(*) filter (where words.told_at < week_start()) as prev,
    (
        select count(*) from ends as known
        where known.dag_id = words.dag_id and known.task_id = words.task_id and known.week = report_week()
    ) as tries_known,
    mode(words.error_signature order by words.error_signature) filter (where words.told_at >= week_start()) as error_signature,
    mode(words.exception_type order by words.exception_type) filter (where words.told_at >= week_start()) as exception_type,
    arg_max(words.message, words.told_at) filter (where words.told_at >= week_start()) as sample,
    min(words.told_at) filter (where words.told_at >= week_start()) as first_at,
    max(words.told_at) filter (where words.told_at >= week_start()) as last_at
from words
left join ends
    on words.dag_id = ends.dag_id
    and words.run_id = ends.run_id
    and words.task_id = ends.task_id
    and words.map_index = ends.map_index
    and words.try_number = ends.try_number
where words.told_at >= cast(weeks_ago(8) as timestamptz)
    and words.told_at < week_end()
    and not exists (select 1 from excluded_dags where words.dag_id glob pattern)
group by words.dag_id, words.task_id, words.kind
having count(*) filter (where words.told_at >= week_start()) > 0
order by failures desc, words.dag_id, words.task_id, words.kind
