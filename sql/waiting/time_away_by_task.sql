-- How long did each task work, and how long was it deferred or rescheduled, without a worker?
--
-- From task logs, which hold the end of one process and the beginning of the next. The time away ends with that process, so
-- it holds the way back, too: the trigger's event, the scheduler, a slot, a worker. Where API or database tell when the last
-- process was scheduled (Airflow 3), the way back stands beside. Tries without a log cannot be told apart and are counted.
--
-- grain:    dag_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id             varchar
--   task_id            varchar
--   tries              bigint   of the week, that were away and whose log tells it
--   processes          bigint   of these tries
--   work_hours         double   of these tries, in their processes
--   deferred_hours     double
--   rescheduled_hours  double
--   share_away         double   of the time between first start and end, fraction 0-1
--   ways_back          bigint   whose beginning is told
--   way_back_s         double   mean, from scheduled to the process, seconds
--   untold_tries       bigint   of the week, without a log
--   away_s             double   median of these tries, seconds
--   away_prev_s        double   the 8 weeks before; null: none was away
with tries as (
    select
        dag_id,
        task_id,
        has_log,
        week = report_week() as is_now,
        process_starts,
        duration_s,
        coalesce(deferred_s, 0) as deferred_s,
        coalesce(rescheduled_s, 0) as rescheduled_s,
        coalesce(deferred_s, rescheduled_s) is not null as was_away,
        scheduled_at,
        cast(split_part(list_extract(away, -1), '/', 2) as timestamptz) as left_at,
        cast(split_part(list_extract(away, -1), '/', 3) as timestamptz) as back_at
    from task_tries
    where week >= weeks_ago(8) and week <= report_week() and try_number > 0 and not is_excluded
)
select
    dag_id,
    task_id,
    count(*) filter (where is_now and was_away) as tries,
    cast(sum(process_starts) filter (where is_now and was_away) as bigint) as processes,
    sum(greatest(duration_s - deferred_s - rescheduled_s, 0)) filter (where is_now and was_away) / 3600 as work_hours,
    sum(deferred_s) filter (where is_now) / 3600 as deferred_hours,
    sum(rescheduled_s) filter (where is_now) / 3600 as rescheduled_hours,
    sum(deferred_s + rescheduled_s) filter (where is_now) / nullif(sum(duration_s) filter (where is_now and was_away), 0) as share_away,
    count(*) filter (where is_now and scheduled_at between left_at and back_at) as ways_back,
    avg(epoch_us(back_at - scheduled_at)) filter (where is_now and scheduled_at between left_at and back_at) / 1e6 as way_back_s,
    count(*) filter (where is_now and not has_log) as untold_tries,
    median(deferred_s + rescheduled_s) filter (where is_now and was_away) as away_s,
    median(deferred_s + rescheduled_s) filter (where not is_now and was_away) as away_prev_s
from tries
group by dag_id, task_id
having count(*) filter (where is_now and was_away) > 0
order by deferred_hours + rescheduled_hours desc, dag_id, task_id
