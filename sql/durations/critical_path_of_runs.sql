-- Which chain of tasks decides how long the runs of each DAG take?
--
-- Per finished run of the week, from the task that ended last back to that task directly before it (`tasks_now`) which ended
-- last, and so on: what any other task would save, the run would not. A task's place in a run is from its first start to its last
-- end, over all its copies (mapped) and retries; the wait before it is from the end of the one before, of the first task from
-- the run's first start. The graph is that of today: a task of the run that it has no more is in no chain. Runs that lost a task are left out.
--
-- grain:    dag_id, task_id
-- reads:    tasks_now, task_tries
-- columns:
--   dag_id        varchar
--   task_id       varchar
--   runs          bigint   finished judged runs of the week
--   on_path       bigint   of those, runs whose chain has the task
--   took_s        double   median time of those runs from first start to last end, seconds
--   task_s        double   median time from first start to last end of the task, where it is on the chain, seconds
--   waited_s      double   median wait before it there, seconds
--   share         double   of the time of all runs, what the task and the wait before it on the chain take
--   wait_share    double   of the time of all runs, that wait alone: more than it no limit or pool can save there
--   place         double   median place in the chain, the first is 1
with recursive judged as (
    select dag_id, run_id, task_id, state, started_at, ended_at, loses_run
    from task_tries
    where is_judged and week = report_week()
),
lost as (
    select dag_id, run_id from judged where loses_run
),
parts as (
    select dag_id, run_id, task_id, min(started_at) as from_at, max(ended_at) as until_at
    from judged
    anti join lost using (dag_id, run_id)
    where dag_id in (select dag_id from tasks_now)
    group by dag_id, run_id, task_id
    having bool_and(ended_at >= started_at)
),
runs as (
    select
        dag_id,
        run_id,
        min(from_at) as from_at,
        max(until_at) as until_at,
        epoch(max(until_at)) - epoch(min(from_at)) as took_s
    from parts
    group by dag_id, run_id
),
edges as (
    select dag_id, task_id as before_id, unnest(downstream_task_ids) as task_id from tasks_now
),
before as (
    select
        parts.dag_id,
        parts.run_id,
        parts.task_id,
        max_by(earlier.task_id, earlier.until_at order by earlier.task_id) as before_id,
        max(earlier.until_at) as ready_at
    from parts
    join edges on parts.dag_id = edges.dag_id and parts.task_id = edges.task_id
    join parts as earlier
        on parts.dag_id = earlier.dag_id
        and parts.run_id = earlier.run_id
        and edges.before_id = earlier.task_id
        -- a task that runs whatever became of those before it may begin while one of them still runs
        and earlier.until_at <= parts.until_at
        and earlier.from_at < parts.until_at
        and earlier.task_id <> parts.task_id
    group by parts.dag_id, parts.run_id, parts.task_id
),
ends as (
    select parts.dag_id, parts.run_id, parts.task_id
    from parts
    join tasks_now on parts.dag_id = tasks_now.dag_id and parts.task_id = tasks_now.task_id
    join runs on parts.dag_id = runs.dag_id and parts.run_id = runs.run_id
    qualify row_number() over (
        partition by parts.dag_id, parts.run_id order by parts.until_at desc, parts.from_at desc, parts.task_id
    ) = 1
),
chain as (
    select dag_id, run_id, task_id, 1 as step from ends
    union all
    select chain.dag_id, chain.run_id, before.before_id, chain.step + 1
    from chain
    join before on chain.dag_id = before.dag_id and chain.run_id = before.run_id and chain.task_id = before.task_id
    where chain.step < 1000  -- a graph of another day might go in a circle
),
placed as (
    select
        chain.dag_id,
        chain.run_id,
        chain.task_id,
        runs.took_s,
        max(chain.step) over (partition by chain.dag_id, chain.run_id) - chain.step + 1 as place,
        epoch(parts.until_at) - epoch(greatest(parts.from_at, coalesce(before.ready_at, parts.from_at))) as decides_s,
        epoch(parts.until_at) - epoch(parts.from_at) as task_s,
        greatest(0, epoch(parts.from_at) - epoch(coalesce(before.ready_at, runs.from_at))) as waited_s
    from chain
    join parts on chain.dag_id = parts.dag_id and chain.run_id = parts.run_id and chain.task_id = parts.task_id
    join runs on chain.dag_id = runs.dag_id and chain.run_id = runs.run_id
    left join before
        on chain.dag_id = before.dag_id and chain.run_id = before.run_id and chain.task_id = before.task_id
),
totals as (
    select runs.dag_id, count(*) as runs, sum(runs.took_s) as took_s
    from runs
    join ends on runs.dag_id = ends.dag_id and runs.run_id = ends.run_id
    group by runs.dag_id
)
select
    placed.dag_id,
    placed.task_id,
    any_value(totals.runs) as runs,
    count(*) as on_path,
    median(placed.took_s) as took_s,
    median(task_s) as task_s,
    median(waited_s) as waited_s,
    coalesce(sum(decides_s + waited_s) / nullif(any_value(totals.took_s), 0), 0) as share,
    coalesce(sum(waited_s) / nullif(any_value(totals.took_s), 0), 0) as wait_share,
    median(place) as place
from placed
join totals on placed.dag_id = totals.dag_id
group by placed.dag_id, placed.task_id
order by placed.dag_id, place, placed.task_id
