-- From which files did each DAG come, and did they take turns?
--
-- The file that the task logs name (Airflow 3.3 and newer), and the one that API and database name at each pull. A file
-- that is renamed is left once; two files that define one dag_id take turns, as each of them is parsed.
--
-- grain:    dag_id, told_by, bundle_name, dag_file
-- reads:    deployments, task_logs
-- columns:
--   dag_id       varchar
--   told_by      varchar      log, list: each by itself, for one may give a whole path where the other gives one within the bundle
--   bundle_name  varchar      empty where it is not told
--   dag_file     varchar
--   sights       bigint       tries and lists that name it, nine weeks
--   sights_week  bigint       of those, in the week
--   turns        bigint       times it came after another file, nine weeks
--   turns_week   bigint       of those, in the week
--   files        bigint       files of this DAG by this teller, nine weeks
--   first_at     timestamptz
--   last_at      timestamptz
with named as (
    select
        dag_id,
        coalesce(bundle_name, '') as bundle_name,
        dag_file,
        coalesce(started_at, object_modified_at) as named_at,
        'log' as told_by
    from task_logs
    where dag_file is not null
    union all
    select
        substr(key, 10),
        coalesce(json_extract_string(value, '$.bundle_name'), ''),
        json_extract_string(value, '$.dag_file'),
        seen_at,
        'list'
    from deployments
    where starts_with(key, 'dag_file.') and json_valid(value)
),
seen as (
    select
        *,
        lag((bundle_name, dag_file)) over (
            partition by dag_id, told_by order by named_at, bundle_name, dag_file
        ) is distinct from (bundle_name, dag_file)
            and row_number() over (partition by dag_id, told_by order by named_at, bundle_name, dag_file) > 1 as is_turn
    from named
    where named_at >= cast(weeks_ago(8) as timestamptz) and named_at < week_end()
        and not exists (select 1 from excluded_dags where named.dag_id glob pattern)
)
select
    dag_id,
    told_by,
    bundle_name,
    dag_file,
    count(*) as sights,
    count(*) filter (where named_at >= week_start()) as sights_week,
    count(*) filter (where is_turn) as turns,
    count(*) filter (where is_turn and named_at >= week_start()) as turns_week,
    count(*) over (partition by dag_id, told_by) as files,
    min(named_at) as first_at,
    max(named_at) as last_at
from seen
group by dag_id, told_by, bundle_name, dag_file
order by dag_id, told_by, bundle_name, dag_file
