-- Which tasks ran beyond their own habit, and no timeout of theirs ended any try?
--
-- Tries that ended in the week, however they ended, beside the successes of nine weeks. Tasks of which an execution_timeout ended
-- a try are left out, and so are sensors (a sensor's or a deferral's own timeout tells one, too): their time is somebody else's. What still ran when it was last seen is not counted.
--
-- grain:    dag_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id       varchar
--   task_id      varchar
--   ended_well   bigint       successes in nine weeks
--   median_s     double       their time, seconds
--   p95_s        double
--   p99_s        double
--   tries        bigint       ended in the week
--   longest_s    double       of those
--   longest_run  varchar      its run
--   longest_end  varchar      its state
--   longest_at   timestamptz  when it began
--   longest_all  double[]     times of those that took more than p95_s, longest first
with tries as (
    select
        dag_id,
        task_id,
        run_id,
        state,
        started_at,
        duration_s as took_s,
        week = report_week() as is_now,
        state = 'success' as is_good,
        state_reason = 'timeout' or coalesce(exception_type, '') ilike '%deferraltimeout' as is_timeout
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week()
        and is_judged
        and duration_s is not null
        and coalesce(operator, '') not ilike '%sensor%'
),
habits as (
    select
        dag_id,
        task_id,
        count(*) filter (where is_good) as ended_well,
        median(took_s) filter (where is_good) as median_s,
        quantile_cont(took_s, 0.95) filter (where is_good) as p95_s,
        quantile_cont(took_s, 0.99) filter (where is_good) as p99_s
    from tries
    group by dag_id, task_id
    having not coalesce(bool_or(is_timeout), false)
)
select
    habits.dag_id,
    habits.task_id,
    any_value(habits.ended_well) as ended_well,
    any_value(habits.median_s) as median_s,
    any_value(habits.p95_s) as p95_s,
    any_value(habits.p99_s) as p99_s,
    count(*) as tries,
    max(took_s) as longest_s,
    max_by(run_id, took_s order by run_id) as longest_run,
    max_by(state, took_s order by run_id) as longest_end,
    max_by(started_at, took_s order by run_id) as longest_at,
    list(took_s order by took_s desc) filter (where took_s > habits.p95_s) as longest_all
from tries
join habits on tries.dag_id = habits.dag_id and tries.task_id = habits.task_id
where is_now
group by habits.dag_id, habits.task_id
having max(took_s) > any_value(habits.p95_s)
order by longest_s desc, habits.dag_id, habits.task_id
