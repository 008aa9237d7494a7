-- How many indexes did each mapped task have, run by run?
--
-- A map over what an earlier task returned is as long as that: where its input dries up nothing fails, and no duration changes.
-- Only judged runs of nine weeks that are over and in which nothing failed (`well_runs`); a run that has none is not here.
--
-- grain:    dag_id, task_id
-- reads:    task_tries, well_runs
-- columns:
--   dag_id   varchar
--   task_id  varchar
--   run_ids  varchar[]  in the order in which the runs began
--   times_s  double[]   beginning of each run, seconds since 1970
--   sizes    bigint[]   map indexes in it
with maps as (
    select
        tries.dag_id,
        tries.task_id,
        tries.run_id,
        well_runs.began_at,
        count(distinct tries.map_index) as size
    from task_tries as tries
    join well_runs on tries.dag_id = well_runs.dag_id and tries.run_id = well_runs.run_id
    where tries.is_judged and tries.map_index >= 0 and tries.week >= weeks_ago(8) and tries.week <= report_week()
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
