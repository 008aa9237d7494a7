-- How often were deadlines (3.1 and newer) and SLAs (2.x) missed, as Airflow's own metrics count them?
--
-- grain:    name, dag_id
-- reads:    metric_samples
-- columns:
--   name      varchar      deadline_alerts.deadline_missed, sla_missed
--   dag_id    varchar      null: the metric names none
--   missed    double       in the week
--   prev      double       the 8 weeks before
--   samples   bigint       minutes of the week with a sample: 0 means no metric was seen
--   first_at  timestamptz  oldest miss of the week
--   last_at   timestamptz  newest miss
with seen as (
    select
        name,
        dag_now(coalesce(labels['dag_id'], labels['dag'])) as dag_id,
        sampled_at,
        value
    from metric_samples
    where name in ('deadline_alerts.deadline_missed', 'sla_missed')
        and kind = 'counter'
        and sampled_at >= cast(weeks_ago(8) as timestamptz)
        and sampled_at < week_end()
)
select
    name,
    dag_id,
    coalesce(sum(value) filter (where sampled_at >= week_start()), 0) as missed,
    coalesce(sum(value) filter (where sampled_at < week_start()), 0) as prev,
    count(*) filter (where sampled_at >= week_start()) as samples,
    min(sampled_at) filter (where value > 0 and sampled_at >= week_start()) as first_at,
    max(sampled_at) filter (where value > 0) as last_at
from seen
group by name, dag_id
order by missed desc, name, dag_id
