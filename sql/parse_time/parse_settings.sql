-- Which limits does the deployment set for DAG parsing?
--
-- One row: the newest value that API or database told until the end of the week, else the first one after it; null where
-- nobody told. Airflow 2 keeps them in [core] and [scheduler], Airflow 3 in [dag_processor],
-- which counts where both are told at once.
--
-- grain:    airflow_version
-- reads:    deployments
-- columns:
--   airflow_version            varchar
--   parsing_processes          double   files parsed at once
--   min_file_process_interval  double   seconds before a file is parsed again
--   import_timeout_s           double   [core] dagbag_import_timeout
--   processor_timeout_s        double   dag_file_processor_timeout
with names(key, name, place) as (
    values
        ('airflow.version', 'version', 1),
        ('config.dag_processor.parsing_processes', 'processes', 1),
        ('config.scheduler.parsing_processes', 'processes', 2),
        ('config.dag_processor.min_file_process_interval', 'interval', 1),
        ('config.scheduler.min_file_process_interval', 'interval', 2),
        ('config.core.dagbag_import_timeout', 'import_timeout', 1),
        ('config.dag_processor.dag_file_processor_timeout', 'processor_timeout', 1),
        ('config.core.dag_file_processor_timeout', 'processor_timeout', 2)
),
told as (
    select
        names.name,
        coalesce(
            max_by(deployments.value, deployments.seen_at order by names.place, deployments.value)
                filter (where deployments.seen_at < week_end()),
            min_by(deployments.value, deployments.seen_at order by names.place, deployments.value)
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
