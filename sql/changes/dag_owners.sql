-- Who owns each DAG?
--
-- The first pattern of [owners] in the pipeline file that matches; else the `owner` of its tasks as Airflow's API or
-- database tell it; else as its logs name it (Airflow 2). Airflow's default owner is nobody.
--
-- grain:    dag_id
-- reads:    owned_dags
-- columns:
--   dag_id   varchar
--   owner    varchar  several, with commas between
--   told_by  varchar  pipeline file, Airflow, log
select
    dag_id,
    owner,
    told_by
from owned_dags
order by dag_id
