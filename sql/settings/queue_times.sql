-- How long did tries that started lie in the executor's queue this week?
--
-- From queued to started, as API, database or component logs tell.
--
-- grain:    tries
-- reads:    task_tries
-- columns:
--   tries      bigint  tries of the week with both times; 0 where nobody tells
--   median_s   double  seconds
--   p99_s      double
--   longest_s  double
select
    count(*) as tries,
    median(epoch_us(started_at - queued_at)) / 1e6 as median_s,
    quantile_cont(epoch_us(started_at - queued_at), 0.99) / 1e6 as p99_s,
    max(epoch_us(started_at - queued_at)) / 1e6 as longest_s
from task_tries
where week = report_week()
    and queued_at is not null
    and started_at >= queued_at
    and not is_excluded
    and not is_quiet
