-- What did each task's retries cost and save in the last nine weeks?
--
-- First executions of judged runs whose first try failed. Hopeless are those that failed at least twice, every time with
-- the same error: their retries never had a chance. Saved are those that a retry ended well; what that saved is the time
-- of the try that worked, which somebody would have had to start by hand. How long the trouble lasted is known of saved
-- ones only, and as an upper bound: from the end of the first try to the start of the one that worked. Retries in
-- between came too early. The error to fail fast on is the one with the most hopeless hours among those that no retry
-- ever saved.
--
-- grain:    dag_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id            varchar
--   task_id           varchar
--   executions        bigint    all first executions, also those without a failure
--   failed_first      bigint    of those, with a first try that failed
--   saved             bigint    of those, ended well by a retry
--   saved_by_first    bigint    of those, already by the first retry
--   last_saving_try   integer   highest number of a try that ended well; null: none did
--   hopeless          bigint    failed at each of two or more tries, with one error
--   most_tries        integer   highest number of a try seen
--   retry_hours       double    hours of all retries
--   hopeless_hours    double    hours of the retries of hopeless ones
--   saved_hours       double    hours of the tries that ended well
--   late_hours        double    hours of tries after last_saving_try
--   delay_s           double    median seconds from a failure to the next try
--   error_signature   varchar   most frequent of the hopeless ones
--   exception_type    varchar
--   hopeless_now      bigint    hopeless in the report week
--   hopeless_hours_now double   hours of their retries in the report week
--   recovery_s        double    median seconds from the end of the first try to the start of the try that ended well
--   recovery_p90_s    double    90th percentile of it
--   early             bigint    retries of saved ones that failed
--   early_hours       double    hours of them
--   fatal_signature   varchar   the error to fail fast on; null: each was saved by a retry once
--   fatal_type        varchar   its exception type
--   fatal             bigint    hopeless with it; no execution that began with it was saved
--   fatal_hours       double    hours of their retries
--   fatal_now         bigint    of those, in the report week
with judged as (
    select * from task_tries where is_judged and week >= weeks_ago(8) and week <= report_week()
),
totals as (
    select dag_id, task_id, count(*) filter (where first_try) as executions
    from judged
    group by dag_id, task_id
),
-- few executions fail, and only those are looked at try by try
failed as (
    select distinct dag_id, run_id, task_id, map_index from judged where state in ('failed', 'up_for_retry')
),
tries as (
    select
        *,
        coalesce(duration_s, 0) / 3600 as hours,
        state in ('failed', 'up_for_retry') as is_failed,
        epoch(started_at) - epoch(lag(ended_at) over (
            partition by dag_id, run_id, task_id, map_index order by try_number
        )) as delay_s
    from judged
    semi join failed using (dag_id, run_id, task_id, map_index)
),
executions as (
    select
        dag_id,
        task_id,
        run_id,
        map_index,
        max(week) as week,
        count(*) as tries,
        bool_or(first_try and is_failed) as is_failed_first,
        bool_or(not first_try and state = 'success') as is_saved,
        bool_and(is_failed) and count(*) > 1 and count(distinct error_signature) = 1 and count(error_signature) = count(*)
            as is_hopeless,
        max(try_number) as most_tries,
        max(case when state = 'success' then try_number end) as success_try,
        coalesce(sum(hours) filter (where not first_try), 0) as retry_hours,
        coalesce(sum(hours) filter (where not first_try and state = 'success'), 0) as saved_hours,
        max(error_signature) as error_signature,
        max(exception_type) as exception_type,
        max(error_signature) filter (where first_try) as first_signature,
        epoch(min(started_at) filter (where not first_try and state = 'success'))
            - epoch(min(ended_at) filter (where first_try)) as recovery_s,
        count(*) filter (where not first_try and is_failed) as failed_retries,
        coalesce(sum(hours) filter (where not first_try and is_failed), 0) as failed_retry_hours
    from tries
    group by dag_id, task_id, run_id, map_index
),
saving as (
    select dag_id, task_id, max(success_try) as last_saving_try
    from executions
    where is_saved
    group by dag_id, task_id
),
fatal as (
    select
        dag_id,
        task_id,
        first_signature as fatal_signature,
        max(exception_type) filter (where is_hopeless) as fatal_type,
        count(*) filter (where is_hopeless) as fatal,
        sum(retry_hours) filter (where is_hopeless) as fatal_hours,
        count(*) filter (where is_hopeless and week = report_week()) as fatal_now
    from executions
    where is_failed_first and first_signature is not null
    group by dag_id, task_id, first_signature
    having bool_or(is_hopeless) and not bool_or(is_saved)
    qualify row_number() over (
        partition by dag_id, task_id
        order by sum(retry_hours) filter (where is_hopeless) desc, first_signature
    ) = 1
),
late as (
    select tries.dag_id, tries.task_id, sum(tries.hours) as late_hours
    from tries
    left join saving on tries.dag_id = saving.dag_id and tries.task_id = saving.task_id
    where tries.try_number > greatest(coalesce(saving.last_saving_try, 1), 1)
    group by tries.dag_id, tries.task_id
),
delays as (
    select dag_id, task_id, median(delay_s) as delay_s from tries where delay_s >= 0 group by dag_id, task_id
)
select
    executions.dag_id,
    executions.task_id,
    max(totals.executions) as executions,
    count(*) filter (where is_failed_first) as failed_first,
    count(*) filter (where is_failed_first and is_saved) as saved,
    count(*) filter (where is_failed_first and is_saved and success_try = 2) as saved_by_first,
    max(saving.last_saving_try) as last_saving_try,
    count(*) filter (where is_hopeless) as hopeless,
    max(most_tries) as most_tries,
    sum(retry_hours) as retry_hours,
    coalesce(sum(retry_hours) filter (where is_hopeless), 0) as hopeless_hours,
    sum(saved_hours) as saved_hours,
    coalesce(max(late.late_hours), 0) as late_hours,
    max(delays.delay_s) as delay_s,
    mode(error_signature order by error_signature) filter (where is_hopeless) as error_signature,
    mode(exception_type order by exception_type) filter (where is_hopeless) as exception_type,
    count(*) filter (where is_hopeless and week = report_week()) as hopeless_now,
    coalesce(sum(retry_hours) filter (where is_hopeless and week = report_week()), 0) as hopeless_hours_now,
    median(recovery_s) filter (where is_failed_first and is_saved and recovery_s >= 0) as recovery_s,
    quantile_cont(recovery_s, 0.9) filter (where is_failed_first and is_saved and recovery_s >= 0) as recovery_p90_s,
    cast(coalesce(sum(failed_retries) filter (where is_failed_first and is_saved), 0) as bigint) as early,
    coalesce(sum(failed_retry_hours) filter (where is_failed_first and is_saved), 0) as early_hours,
    max(fatal.fatal_signature) as fatal_signature,
    max(fatal.fatal_type) as fatal_type,
    coalesce(max(fatal.fatal), 0) as fatal,
    coalesce(max(fatal.fatal_hours), 0) as fatal_hours,
    coalesce(max(fatal.fatal_now), 0) as fatal_now
from executions
join totals on executions.dag_id = totals.dag_id and executions.task_id = totals.task_id
left join saving on executions.dag_id = saving.dag_id and executions.task_id = saving.task_id
left join late on executions.dag_id = late.dag_id and executions.task_id = late.task_id
left join fatal on executions.dag_id = fatal.dag_id and executions.task_id = fatal.task_id
left join delays on executions.dag_id = delays.dag_id and executions.task_id = delays.task_id
group by executions.dag_id, executions.task_id
having count(*) filter (where is_failed_first) > 0
order by hopeless_hours desc, executions.dag_id, executions.task_id
