-- From which bundle does each DAG come?
--
-- grain:    dag_id, bundle_name
-- reads:    task_tries
-- columns:
--   dag_id       varchar
--   bundle_name  varchar
select distinct dag_id, bundle_name
from task_tries
where week = report_week() and bundle_name is not null and bundle_name <> ''
order by dag_id, bundle_name
