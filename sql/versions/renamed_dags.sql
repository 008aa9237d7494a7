-- Which DAG looks like another one under a new name?
--
-- The same tasks from the same file (from any file where no task log names it), the new one's first start after the old
-- one's last: told for the nearest such pair. `[scope] renamed = {"new" = "old"}` joins them, and this row goes.
--
-- grain:    dag_id
-- reads:    task_tries
-- columns:
--   dag_id         varchar      the new one
--   former_dag_id  varchar
--   dag_file       varchar      empty where no task log names it
--   tasks          bigint
--   alike          bigint       DAGs of nine weeks with these tasks and this file
--   runs           bigint       of the new one, until the week's end
--   former_runs    bigint
--   former_until   timestamptz  last start of the old one
--   first_at       timestamptz  first start of the new one
--   gap_s          double       between these
with dags as (
    select
        dag_id,
        coalesce(max_by(dag_file, started_at), '') as dag_file,
        array_to_string(list_sort(list(distinct task_id)), chr(10)) as task_list,
        count(distinct task_id) as tasks,
        count(distinct run_id) as runs,
        min(started_at) as first_at,
        max(started_at) as last_at
    from task_tries
    where started_at < week_end() and week >= weeks_ago(8) and try_number > 0
    group by dag_id
),
placed as (
    select
        dag_id,
        dag_file,
        tasks,
        runs,
        first_at,
        lag(dag_id) over line as former_dag_id,
        lag(runs) over line as former_runs,
        lag(last_at) over line as former_until,
        count(*) over (partition by dag_file, task_list) as alike
    from dags
    window line as (partition by dag_file, task_list order by first_at, dag_id)
)
select
    dag_id,
    former_dag_id,
    dag_file,
    tasks,
    alike,
    runs,
    former_runs,
    former_until,
    first_at,
    epoch_us(first_at - former_until) / 1e6 as gap_s
from placed
where former_until < first_at
order by dag_id
