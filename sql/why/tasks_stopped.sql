-- Which tasks failed and have not begun since, though later runs of their DAG came?
--
-- `depends_on_past` holds a task back for ever once its last run failed: it does not fail, it is not skipped, its runs stay
-- open. A later run is one with a later logical date: by API or database, whatever state it has, or by a log of another
-- task. Tasks below the stopped one stop with it: the first one of the run that failed is told. Where the DAG's make-up is known
-- (`tasks_now`), so is whether its code holds anything back: the task itself by `depends_on_past` or `wait_for_downstream`,
-- or one directly before it by `wait_for_downstream`.
--
-- grain:    dag_id, task_id
-- reads:    dag_runs, task_tries, tasks_now
-- columns:
--   dag_id           varchar
--   task_id          varchar
--   failed_at        timestamptz  end of the try that failed
--   failed_run_id    varchar
--   error_signature  varchar
--   runs_before      bigint       scheduled runs of the DAG up to that one, nine weeks
--   ran_before       bigint       of those, runs in which the task began
--   later_runs       bigint       scheduled runs of the DAG after it
--   open_later       bigint       of those, running or queued by API or database
--   failed_later     bigint       of those, runs in which another task failed for good: what waits for it is upstream_failed
--   other_tasks      bigint       of those, runs in which any other task began
--   first_later_at   timestamptz  when the first of the later runs was due
--   last_later_at    timestamptz  when the newest of them was due
--   is_told          boolean      API or database tell the DAG's runs: those of which nothing began are known, too
--   held_tasks       varchar[]    tasks that by the DAG's code wait for it in the run before; empty: none; null: the code is not known
--   held_by          varchar      depends_on_past, wait_for_downstream; null: nothing, or not known
--   is_in_dag        boolean      the DAG still has the task; null: not known
with tries as (
    select dag_id, run_id, task_id, state, started_at, ended_at, error_signature, final_try, is_judged, is_excluded
    from task_tries
    where run_type = 'scheduled' and try_number > 0 and started_at is not null and not is_excluded
),
told_runs as (
    select dag_id, run_id, state, run_after, logical_date
    from known_runs
    where run_type = 'scheduled' or (run_type is null and starts_with(run_id, 'scheduled__'))
),
runs as (
    select
        dag_id,
        run_id,
        max(state) as state,
        bool_or(is_told) as is_told,
        max(due_at) as due_at,
        coalesce(max(logical_date), try_cast(regexp_extract(run_id, '__(.+)$', 1) as timestamptz), min(began_at)) as place
    from (
        select dag_id, run_id, state, true as is_told, run_after as due_at, logical_date, null as began_at
        from told_runs
        union all
        select dag_id, run_id, null, false, null, null, min(started_at) from tries group by dag_id, run_id
    ) as both_kinds
    group by dag_id, run_id
),
began as (
    select
        tries.dag_id,
        tries.task_id,
        tries.run_id,
        runs.place,
        max(started_at) as started_at,
        max(ended_at) as ended_at,
        max_by(tries.error_signature, started_at order by tries.error_signature) as error_signature,
        bool_or(final_try and tries.state = 'failed') as is_failed
    from tries
    join runs on tries.dag_id = runs.dag_id and tries.run_id = runs.run_id
    group by tries.dag_id, tries.task_id, tries.run_id, runs.place
),
lasts as (
    select *
    from began
    qualify row_number() over (partition by dag_id, task_id order by place desc, run_id desc) = 1
),
stopped as (
    select lasts.*
    from lasts
    where is_failed
        and exists (select 1 from runs where runs.dag_id = lasts.dag_id and runs.place > lasts.place)
),
lost_runs as (
    select distinct dag_id, run_id from began where is_failed
),
later as (
    select
        stopped.dag_id,
        stopped.task_id,
        count(*) filter (where runs.place > stopped.place) as later_runs,
        count(*) filter (where runs.place > stopped.place and runs.state in ('running', 'queued')) as open_later,
        count(*) filter (where runs.place > stopped.place and lost_runs.run_id is not null) as failed_later,
        count(*) filter (where runs.place <= stopped.place) as runs_before,
        min(coalesce(runs.due_at, runs.place)) filter (where runs.place > stopped.place) as first_later_at,
        max(coalesce(runs.due_at, runs.place)) filter (where runs.place > stopped.place) as last_later_at,
        bool_or(runs.is_told) as is_told
    from stopped
    join runs on stopped.dag_id = runs.dag_id
    left join lost_runs on runs.dag_id = lost_runs.dag_id and runs.run_id = lost_runs.run_id
    group by stopped.dag_id, stopped.task_id
),
others as (
    select stopped.dag_id, stopped.task_id, count(distinct began.run_id) as other_tasks
    from stopped
    join began on stopped.dag_id = began.dag_id and began.place > stopped.place
    group by stopped.dag_id, stopped.task_id
),
holders as (
    select dag_id, task_id, task_id as held_id, depends_on_past is distinct from 1 as is_downstream
    from tasks_now
    where depends_on_past = 1 or wait_for_downstream = 1
    union all
    select dag_id, unnest(downstream_task_ids), task_id, true from tasks_now where wait_for_downstream = 1
),
code as (
    select
        stopped.dag_id,
        stopped.task_id,
        coalesce(
            list(distinct holders.held_id order by holders.held_id) filter (where holders.held_id is not null), []
        ) as held_tasks,
        case
            when bool_or(holders.held_id = stopped.task_id and not holders.is_downstream) then 'depends_on_past'
            when count(holders.held_id) > 0 then 'wait_for_downstream'
        end as held_by
    from stopped
    left join holders on stopped.dag_id = holders.dag_id and stopped.task_id = holders.task_id
    where stopped.dag_id in (select dag_id from tasks_now)
    group by stopped.dag_id, stopped.task_id
),
own as (
    select dag_id, task_id, count(*) as ran_before from began group by dag_id, task_id
)
select
    stopped.dag_id,
    stopped.task_id,
    stopped.ended_at as failed_at,
    stopped.run_id as failed_run_id,
    stopped.error_signature,
    later.runs_before,
    own.ran_before,
    later.later_runs,
    later.open_later,
    later.failed_later,
    coalesce(others.other_tasks, 0) as other_tasks,
    later.first_later_at,
    later.last_later_at,
    later.is_told,
    code.held_tasks,
    code.held_by,
    case
        when code.dag_id is not null then exists (
            select 1 from tasks_now where tasks_now.dag_id = stopped.dag_id and tasks_now.task_id = stopped.task_id
        )
    end as is_in_dag
from stopped
join later using (dag_id, task_id)
join own using (dag_id, task_id)
left join others using (dag_id, task_id)
left join code using (dag_id, task_id)
order by stopped.dag_id, stopped.task_id
