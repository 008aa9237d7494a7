-- When was each task's try ready, queued, started and ended?
--
-- The material of the waiting by limit: parallel lists, one element per time that a try held or wanted a slot in the week, in the
-- order of taking. Seconds since Monday 00:00 UTC; null where nobody tells. Tries before and after the week are told
-- where they hold their slot into it: they fill limits, but wait in their own week.
--
-- grain:    dag_id, task_id, pool
-- reads:    slot_legs
-- columns:
--   dag_id          varchar
--   task_id         varchar
--   pool            varchar   empty where it is not told
--   tries           bigint    taken in the week
--   is_per_run      boolean   Airflow 3: it tells ready times, and counts max_active_tasks per run instead of per DAG
--   ready_told      bigint    tries of the week whose ready time Airflow told
--   ready_rebuilt   bigint    tries of the week whose ready time was rebuilt
--   upstream_hours  double    task-hours from the run's start to ready, first tries of the week
--   retry_hours     double    task-hours from the try before to ready
--   run_no          bigint[]  number of the run within its DAG
--   slots           bigint[]
--   ready_s         double[]
--   taken_s         double[]
--   started_s       double[]
--   given_back_s    double[]
with held as (
    select
        dag_id,
        task_id,
        coalesce(pool, '') as pool,
        dense_rank() over (partition by dag_id order by run_id) as run_no,
        slots,
        ready_from,
        ready_at,
        prev_ended_at,
        run_started_at,
        try_number,
        is_last_leg,
        away is not null as was_away,
        taken_at >= week_start() as is_of_week,
        epoch_us(case when taken_at >= week_start() and not is_excluded then ready_at end - week_start()) / 1e6 as ready_s,
        epoch_us(taken_at - week_start()) / 1e6 as taken_s,
        epoch_us(case when queued_at is not null then started_at end - week_start()) / 1e6 as started_s,
        epoch_us(given_back_at - week_start()) / 1e6 as given_back_s,
        (run_id, map_index, try_number) as place
    from slot_legs
    where given_back_at >= week_start() and taken_at < week_end() and given_back_at >= taken_at
)
select
    dag_id,
    task_id,
    pool,
    count(*) filter (where is_of_week and is_last_leg) as tries,
    coalesce(bool_or(ready_from = 'told'), false) as is_per_run,
    count(*) filter (where is_of_week and ready_from = 'told') as ready_told,
    count(*) filter (where is_of_week and ready_from <> 'told') as ready_rebuilt,
    coalesce(sum(epoch_us(ready_at - run_started_at)) filter (
        where is_of_week and try_number = 1 and ready_at > run_started_at and not was_away
    ), 0) / 3.6e9 as upstream_hours,
    coalesce(sum(epoch_us(ready_at - prev_ended_at)) filter (
        where is_of_week and try_number > 1 and ready_at > prev_ended_at and not was_away
    ), 0) / 3.6e9 as retry_hours,
    list(run_no order by taken_s, place) as run_no,
    list(slots order by taken_s, place) as slots,
    list(ready_s order by taken_s, place) as ready_s,
    list(taken_s order by taken_s, place) as taken_s,
    list(started_s order by taken_s, place) as started_s,
    list(given_back_s order by taken_s, place) as given_back_s
from held
group by dag_id, task_id, pool
order by dag_id, task_id, pool
