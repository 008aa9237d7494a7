-- How long after they were due did scheduled runs begin, in each of the last nine weeks?
--
-- From when the run was due (API, database or component logs know it; task logs do not) to its first try, in whatever it
-- waited: the scheduler, a limit, a pool, a worker. A run that was cleared later keeps its first try, so it is not late.
--
-- grain:    week
-- reads:    task_tries, dag_runs
-- columns:
--   week      date      Monday
--   runs      bigint    judged scheduled runs whose due time is known
--   median_s  double
--   p95_s     double    one run in twenty was later than this
with due as (
    select dag_id, run_id, min(run_after) as due_at
    from dag_runs
    where run_after is not null
    group by dag_id, run_id
),
began as (
    select dag_id, run_id, min(started_at) as began_at
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week()
        and is_judged
        and run_type = 'scheduled'
        and started_at is not null
    group by dag_id, run_id
)
select
    monday_of(began_at) as week,
    count(*) as runs,
    median(greatest(epoch_us(began_at - due_at) / 1e6, 0)) as median_s,
    quantile_cont(greatest(epoch_us(began_at - due_at) / 1e6, 0), 0.95) as p95_s
from began
join due on began.dag_id = due.dag_id and began.run_id = due.run_id
group by monday_of(began_at)
order by week
