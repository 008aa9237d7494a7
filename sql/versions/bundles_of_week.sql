-- Which bundles did tasks run from this week: do they tell a version, and how long does one take to be ready?
--
-- A git bundle tells its commit; local, S3 and GCS bundles have none: which code a run of theirs ran cannot be known, and
-- what changed with it is a guess by time. Preparation is told by the task logs of Airflow 3.3 and newer.
--
-- grain:    bundle_name
-- reads:    task_logs
-- columns:
--   bundle_name     varchar  empty where a version is told and no name
--   dags            bigint
--   tries           bigint
--   versioned       bigint   tries that told a version
--   versions        bigint   different ones
--   prepared        bigint   tries that told how long the bundle took
--   prepare_p50_s   double
--   prepare_p95_s   double
--   prepare_hours   double
--   run_hours       double   of the same tries, from start to end
--   prepare_share   double   fraction of run_hours that is preparation; null without any
select
    coalesce(bundle_name, '') as bundle_name,
    count(distinct dag_id) as dags,
    count(*) as tries,
    count(nullif(bundle_version, '')) as versioned,
    count(distinct nullif(bundle_version, '')) as versions,
    count(bundle_prepare_s) as prepared,
    quantile_cont(bundle_prepare_s, 0.5) as prepare_p50_s,
    quantile_cont(bundle_prepare_s, 0.95) as prepare_p95_s,
    coalesce(sum(bundle_prepare_s), 0) / 3600 as prepare_hours,
    coalesce(sum(epoch_us(ended_at - started_at)) filter (where bundle_prepare_s is not null), 0) / 3.6e9 as run_hours,
    sum(bundle_prepare_s) filter (where ended_at is not null) / 3600
        / nullif(sum(epoch_us(ended_at - started_at)) filter (where bundle_prepare_s is not null), 0) * 3.6e9
        as prepare_share
from task_logs
where monday_of(started_at) = report_week() and coalesce(nullif(bundle_name, ''), nullif(bundle_version, '')) is not null
group by coalesce(bundle_name, '')
order by bundle_name
