-- Which limits does the deployment set for DAG parsing?
--
-- One row: the newest value that API or database told until the end of the week, else the first one after it; null where
-- nobody told. Airflow 2 keeps them in [core] and [scheduler], Airflow 3 in [dag_processor].
--
-- grain:    airflow_version
-- reads:    deployments
-- columns:
--   airflow_version            varchar
--   parsing_processes          double   files parsed at once
--   min_file_process_interval  double   seconds before a file is parsed again
--   import_timeout_s           double   [core] dagbag_import_timeout
--   processor_timeout_s        double   dag_file_processor_timeout
with names(key, name) as (
    values
        ('airflow.version', 'version'),
        ('config.dag_processor.parsing_processes', 'processes'),
        ('config.scheduler.parsing_processes', 'processes'),
        ('config.dag_processor.min_file_process_interval', 'interval'),
        ('config.scheduler.min_file_process_interval', 'interval'),
        ('config.core.dagbag_import_timeout', 'import_timeout'),
        ('config.dag_processor.dag_file_processor_timeout', 'processor_timeout'),
        ('config.core.dag_file_processor_timeout', 'processor_timeout')
),
told as (
    select
        names.name,
        coalesce(
            max_by(deployments.value, deployments.seen_at) filter (where deployments.seen_at < week_end()),
            min_by(deployments.value, deployments.seen_at)
        ) as value
    from deployments
    join names on deployments.key = names.key
    group by names.name
)
select
    any_value(value) filter (where name = 'version') as airflow_version,
    try_cast(any_value(value) filter (where name = 'processes') as double) as parsing_processes,
    try_cast(any_value(value) filter (where name = 'interval') as double) as min_file_process_interval,
    try_cast(any_value(value) filter (where name = 'import_timeout') as double) as import_timeout_s,
    try_cast(any_value(value) filter (where name = 'processor_timeout') as double) as processor_timeout_s
from told
