-- How often did a task's first try fail in each of the last nine weeks, and what did waiting for the retry cost?
--
-- Tasks of which a first try failed in the week; an execution (each map index is one) belongs to the week of its first try.
-- Counted are executions whose first try has a known end. What a failed first try costs are the hours of the tries that failed
-- before the one that ended well, less what they were deferred or rescheduled, and the time until that one began: of each run
-- that of its last map index.
--
-- grain:    dag_id, task_id, week
-- reads:    task_tries
-- columns:
--   dag_id           varchar
--   task_id          varchar
--   week             date         Monday
--   executions       bigint       first executions of judged runs
--   failed_first     bigint       of those, whose first try failed
--   saved            bigint       of those, ended well by a retry
--   lost             bigint       of those, failed after all retries
--   failed_hours     double       hours of workers for the tries that failed, of saved ones
--   late_hours       double       from the start of the first try to the start of the one that ended well, the longest of each run
--   late_s           double       median of it, seconds
--   errors           bigint       different error signatures of failed first tries
--   error_signature  varchar      the most frequent one; null: no log tells one
--   error_firsts     bigint       failed first tries with it
--   blame            varchar      where it most often comes from; null: nobody knows
--   first_at         timestamptz  the first of the failed first tries began
with judged as (
    select * from task_tries where is_judged and week >= weeks_ago(8) and week <= report_week() + 7
),
tasks as (
    select distinct dag_id, task_id
    from judged
    where first_try and week = report_week() and state in ('failed', 'up_for_retry')
),
executions as (
    select
        dag_id,
        task_id,
        run_id,
        min(week) filter (where first_try) as week,
        min(started_at) filter (where first_try) as started_at,
        bool_or(first_try and state in ('failed', 'up_for_retry')) as is_failed_first,
        bool_or(first_try and has_end(state)) as has_first_end,
        bool_or(not first_try and state = 'success') as is_saved,
        bool_or(final_try and state in ('failed', 'up_for_retry')) as is_lost,
        sum(duration_s - coalesce(deferred_s, 0) - coalesce(rescheduled_s, 0)) filter (
            where state in ('failed', 'up_for_retry')
        ) / 3600 as failed_hours,
        epoch(min(started_at) filter (where not first_try and state = 'success'))
            - epoch(min(started_at) filter (where first_try)) as late_s,
        max(error_signature) filter (where first_try) as error_signature,
        max(blame) filter (where first_try) as blame
    from judged
    semi join tasks using (dag_id, task_id)
    group by dag_id, task_id, run_id, map_index
),
counted as (
    select
        *,
        count(*) over (partition by dag_id, task_id, week, error_signature) as with_error
    from executions
    where week <= report_week() and is_failed_first and has_first_end
),
errors as (
    select
        dag_id,
        task_id,
        week,
        count(distinct error_signature) as errors,
        arg_max(error_signature, (with_error, error_signature)) filter (where error_signature is not null) as error_signature,
        coalesce(max(with_error) filter (where error_signature is not null), 0) as error_firsts,
        mode(blame order by blame) as blame
    from counted
    group by dag_id, task_id, week
),
delays as (
    select dag_id, task_id, week, sum(late_s order by late_s) / 3600 as late_hours
    from (
        select dag_id, task_id, week, run_id, max(late_s) as late_s
        from counted
        where is_saved and late_s >= 0
        group by dag_id, task_id, week, run_id
    ) as each_run
    group by dag_id, task_id, week
)
select
    executions.dag_id,
    executions.task_id,
    executions.week,
    count(*) as executions,
    count(*) filter (where is_failed_first) as failed_first,
    count(*) filter (where is_failed_first and is_saved) as saved,
    count(*) filter (where is_failed_first and is_lost and not is_saved) as lost,
    coalesce(sum(failed_hours order by failed_hours) filter (where is_failed_first and is_saved), 0) as failed_hours,
    coalesce(max(delays.late_hours), 0) as late_hours,
    median(late_s) filter (where is_failed_first and is_saved and late_s >= 0) as late_s,
    coalesce(max(errors.errors), 0) as errors,
    max(errors.error_signature) as error_signature,
    coalesce(max(errors.error_firsts), 0) as error_firsts,
    max(errors.blame) as blame,
    min(executions.started_at) filter (where is_failed_first) as first_at
from executions
left join errors
    on executions.dag_id = errors.dag_id and executions.task_id = errors.task_id and executions.week = errors.week
left join delays
    on executions.dag_id = delays.dag_id and executions.task_id = delays.task_id and executions.week = delays.week
where executions.week <= report_week() and has_first_end
group by executions.dag_id, executions.task_id, executions.week
order by executions.dag_id, executions.task_id, executions.week
