-- How many indexes did each mapped task have, run by run?
--
-- A map over what an earlier task returned is as long as that: where its input dries up nothing fails, and no duration changes.
-- Only judged runs of nine weeks that are over and in which nothing failed, as in `tasks_gone`; a run that has none is not here.
--
-- grain:    dag_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id   varchar
--   task_id  varchar
--   run_ids  varchar[]  in the order in which the runs began
--   times_s  double[]   beginning of each run, seconds since 1970
--   sizes    bigint[]   map indexes in it
with tries as (
    select
        dag_id,
        run_id,
        task_id,
        map_index,
        state,
        coalesce(started_at, queued_at, scheduled_at) as began_at,
        ended_at
    from task_tries
    where is_judged and week >= weeks_ago(8) and week <= report_week()
),
runs as (
    select
        dag_id,
        run_id,
        min(began_at) as began_at,
        max(ended_at) as ended_at
    from tries
    group by dag_id, run_id
    having bool_and(state in ('success', 'skipped', 'up_for_retry')) and min(began_at) is not null
),
lasting as (
    select dag_id, greatest(interval 6 hours, 2 * max(ended_at - began_at)) as span from runs group by dag_id
),
over as (
    select runs.dag_id, runs.run_id, runs.began_at
    from runs
    join lasting on runs.dag_id = lasting.dag_id
    where runs.ended_at + lasting.span < (select max(ended_at) from tries)
),
maps as (
    select
        tries.dag_id,
        tries.task_id,
        tries.run_id,
        over.began_at,
        count(distinct tries.map_index) as size
    from tries
    join over on tries.dag_id = over.dag_id and tries.run_id = over.run_id
    where tries.map_index >= 0
    group by all
)
select
    dag_id,
    task_id,
    list(run_id order by began_at, run_id) as run_ids,
    list(epoch_us(began_at) / 1e6 order by began_at, run_id) as times_s,
    list(size order by began_at, run_id) as sizes
from maps
group by dag_id, task_id
order by dag_id, task_id
