-- How many bytes of task logs did each DAG keep in each of the last nine weeks?
--
-- An object counts in the week in which it was last modified, with the size that it has now.
--
-- grain:    dag_id, week
-- reads:    objects, task_logs
-- columns:
--   dag_id      varchar  empty for objects that name none
--   week        date     Monday
--   objects     bigint
--   kept_bytes  bigint
with listed as (
    select object_url, modified_at, size from objects where kind = 'task_logs'
),
logs as (
    select object_url, dag_id, started_at, object_modified_at, log_bytes from task_logs
),
billed as (
    select
        coalesce(logs.dag_id, regexp_extract(listed.object_url, '(?:^|/)dag_id=([^/]+)/', 1), '') as dag_id,
        monday_of(coalesce(listed.modified_at, logs.object_modified_at, logs.started_at)) as week,
        coalesce(listed.size, logs.log_bytes, 0) as bytes
    from listed
    full join logs on listed.object_url = logs.object_url
)
select dag_id, week, count(*) as objects, cast(sum(bytes) as bigint) as kept_bytes
from billed
where week >= weeks_ago(8) and week <= report_week()
group by dag_id, week
order by dag_id, week
