-- Who owns each DAG, as Airflow says?
--
-- The `owner` of its tasks, from Airflow's API or database; Airflow's default owner is nobody. The owners of the
-- pipeline file stand over it.
--
-- grain:    dag_id
-- reads:    deployments
-- columns:
--   dag_id  varchar
--   owner   varchar  several, with commas between
select
    substr(key, 11) as dag_id,
    max_by(value, seen_at order by value) as owner
from deployments
where starts_with(key, 'dag_owner.') and seen_at < week_end() + interval 7 days
group by key
order by dag_id
