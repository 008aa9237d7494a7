-- How much was heard of the scheduler, the triggerer and the dag-processor this week?
--
-- grain:    component
-- reads:    metric_samples
-- columns:
--   component     varchar   scheduler, triggerer, dag_processor
--   beats         double    heartbeats counted
--   seen_minutes  bigint    minutes in which the heartbeat advanced
select
    replace(name, '_heartbeat', '') as component,
    sum(value) as beats,
    count(distinct sampled_at) as seen_minutes
from metric_samples
where name in ('scheduler_heartbeat', 'triggerer_heartbeat', 'dag_processor_heartbeat')
    and value > 0
    and sampled_at >= week_start()
    and sampled_at < week_end()
group by name
order by component
