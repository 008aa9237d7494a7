-- Which error hit how many DAGs this week, wherever in the code it was raised?
--
-- Signatures without their frame, put together where they have one cause (`error_causes`): one bad credential fails every DAG
-- in a line of its own file, and not every program tells it in the same words.
--
-- grain:    error_signature
-- reads:    task_tries, error_causes
-- columns:
--   error_signature  varchar      the most frequent of the cause's signatures this week
--   dags             bigint       DAGs hit in the week
--   runs             bigint       runs hit in the week
--   tasks            bigint       tasks hit in the week, each mapped one counted
--   lost_runs        bigint       runs that it ended in the week
--   runs_prev        bigint       runs hit in the 8 weeks before
--   weeks_prev       bigint       of the 8 weeks before, those with any judged try at all
--   tries            bigint       tries that failed with it in the week
--   lost             bigint       of those, last known tries of the first execution
--   executions       bigint       of tasks in a run that those tries belong to
--   wasted_hours     double       hours that those tries ran
--   first_at         timestamptz  first in the week
--   last_at          timestamptz  last in the week
--   tries_prev       bigint       the 8 weeks before
--   hosts            bigint       distinct hosts where the log tells them
--   dag_ids          varchar[]    DAGs hit, by name
--   dag_tries        bigint[]     failed tries of each of them in the week
--   dag_tries_prev   bigint[]     the same, the 8 weeks before
--   exception_type   varchar
--   sample           varchar      message of the first one
--   cause            varchar      login, connection or host by name, else the signature
--   signatures       varchar[]    the cause's signatures this week, the most frequent first
--   blame            varchar      the most frequent one: user_code, data, external, infrastructure, airflow; null: unknown
--   blocked          bigint       tasks of the runs hit that are upstream_failed
--   tasks_well       bigint       of `tasks`, those that succeeded later in the week
with failed as (
    select *
    from task_tries
    join error_causes on bare_signature = without_frame(error_signature)
    where week >= weeks_ago(8)
        and week <= report_week()
        and is_judged
        and state in ('failed', 'up_for_retry')
        and error_signature is not null
),
signatures as (
    select
        cause,
        list(bare_signature order by tries desc, bare_signature) as signatures
    from (
        select cause, bare_signature, count(*) as tries from failed where week = report_week() group by all
    ) as counted
    group by cause
),
of_dags as (
    select
        cause,
        list(dag_id order by dag_id) as dag_ids,
        list(tries order by dag_id) as dag_tries,
        list(tries_prev order by dag_id) as dag_tries_prev
    from (
        select
            cause,
            dag_id,
            count(*) filter (where week = report_week()) as tries,
            count(*) filter (where week < report_week()) as tries_prev
        from failed
        group by cause, dag_id
    ) as counted
    where tries > 0
    group by cause
),
tasks as (
    select cause, dag_id, task_id, map_index, max(started_at) as failed_at
    from failed
    where week = report_week()
    group by all
),
successes as (
    select dag_id, task_id, map_index, max(started_at) as well_at
    from task_tries
    where week = report_week() and is_judged and state = 'success'
    group by all
),
mended as (
    select cause, count(*) as tasks_well
    from tasks
    join successes using (dag_id, task_id, map_index)
    where well_at > failed_at
    group by cause
),
waiting as (
    select dag_id, run_id, count(*) as blocked
    from task_tries
    where week = report_week() and state = 'upstream_failed'
    group by all
),
blocked as (
    select cause, cast(sum(blocked) as bigint) as blocked
    from (select distinct cause, dag_id, run_id from failed where week = report_week()) as hit
    join waiting using (dag_id, run_id)
    group by cause
)
select
    any_value(signatures.signatures[1]) as error_signature,
    count(distinct dag_id) filter (where week = report_week()) as dags,
    count(distinct (dag_id, run_id)) filter (where week = report_week()) as runs,
    count(distinct (dag_id, task_id, map_index)) filter (where week = report_week()) as tasks,
    count(distinct (dag_id, run_id)) filter (where week = report_week() and loses_run) as lost_runs,
    count(distinct (dag_id, run_id)) filter (where week < report_week()) as runs_prev,
    (
        select count(distinct week) from task_tries where week >= weeks_ago(8) and week < report_week() and is_judged
    ) as weeks_prev,
    count(*) filter (where week = report_week()) as tries,
    count(*) filter (where week = report_week() and final_try) as lost,
    count(distinct (dag_id, run_id, task_id, map_index)) filter (where week = report_week()) as executions,
    coalesce(sum(duration_s) filter (where week = report_week()), 0) / 3600 as wasted_hours,
    min(started_at) filter (where week = report_week()) as first_at,
    max(ended_at) filter (where week = report_week()) as last_at,
    count(*) filter (where week < report_week()) as tries_prev,
    count(distinct hostname) filter (where week = report_week()) as hosts,
    any_value(of_dags.dag_ids) as dag_ids,
    any_value(of_dags.dag_tries) as dag_tries,
    any_value(of_dags.dag_tries_prev) as dag_tries_prev,
    min(exception_type) filter (where week = report_week()) as exception_type,
    arg_min(exception_message, (started_at, dag_id, run_id, task_id, map_index, try_number))
        filter (where week = report_week()) as sample,
    cause,
    any_value(signatures.signatures) as signatures,
    mode(blame order by blame) filter (where week = report_week()) as blame,
    coalesce(any_value(blocked.blocked), 0) as blocked,
    coalesce(any_value(mended.tasks_well), 0) as tasks_well
from failed
join signatures using (cause)
join of_dags using (cause)
left join mended using (cause)
left join blocked using (cause)
group by cause
having count(*) filter (where week = report_week()) > 0
order by dags desc, tries desc, error_signature
