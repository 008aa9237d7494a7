-- How much of their time do tasks spend on parsing their DAG file and preparing its bundle?
--
-- From the task logs of Airflow 3.3 and newer. A worker imports the file anew for each try, colder than the dag-processor.
--
-- grain:    bundle_name, dag_file
-- reads:    task_logs
-- columns:
--   bundle_name    varchar  empty where it is not told
--   dag_file       varchar
--   tries          bigint   that told a parse time
--   parse_hours    double
--   parse_p95_s    double
--   prepare_hours  double   getting the bundle ready: a clone, a download
--   prepare_p95_s  double
--   run_hours      double   of the same tries, from start to end
--   tax_share      double   fraction of run_hours that is parsing and preparing; null without any
select
    coalesce(bundle_name, '') as bundle_name,
    dag_file,
    count(*) as tries,
    sum(dag_file_parse_s) / 3600 as parse_hours,
    quantile_cont(dag_file_parse_s, 0.95) as parse_p95_s,
    coalesce(sum(bundle_prepare_s), 0) / 3600 as prepare_hours,
    quantile_cont(bundle_prepare_s, 0.95) as prepare_p95_s,
    coalesce(sum(epoch_us(ended_at - started_at) / 3.6e9), 0) as run_hours,
    sum(dag_file_parse_s + coalesce(bundle_prepare_s, 0)) filter (where ended_at is not null) / 3600
        / nullif(sum(epoch_us(ended_at - started_at) / 3.6e9), 0) as tax_share
from task_logs
where monday_of(started_at) = report_week() and dag_file_parse_s is not null and dag_file is not null
group by coalesce(bundle_name, ''), dag_file
order by parse_hours + prepare_hours desc, bundle_name, dag_file
