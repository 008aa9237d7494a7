-- How long did tries wait in each pool between being ready and being queued?
--
-- Needs scheduled_at, which Airflow 3 tells in its API, database and scheduler log.
--
-- grain:    pool
-- reads:    task_tries
-- columns:
--   pool        varchar
--   tries       bigint    tries with both times
--   wait_hours  double
--   p50_s       double
--   p95_s       double
select
    pool,
    count(*) as tries,
    sum(wait_s) / 3600 as wait_hours,
    median(wait_s) as p50_s,
    quantile_cont(wait_s, 0.95) as p95_s
from task_tries
where week = report_week() and pool is not null and wait_s is not null
group by pool
order by wait_hours desc, pool
