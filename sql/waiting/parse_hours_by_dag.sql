-- How long did each DAG's tries parse their file and prepare its bundle before they worked?
--
-- From the task logs of Airflow 3.3 and newer.
--
-- grain:    dag_id
-- reads:    task_logs
-- columns:
--   dag_id       varchar
--   tries        bigint   that told a parse time
--   parse_hours  double   parsing and bundle together
select
    dag_id,
    count(*) as tries,
    sum(coalesce(dag_file_parse_s, 0) + coalesce(bundle_prepare_s, 0)) / 3600 as parse_hours
from task_logs
where monday_of(started_at) = report_week() and coalesce(dag_file_parse_s, bundle_prepare_s) is not null
group by dag_id
order by dag_id
