-- How many bytes of task logs were last modified on each day that the ledger looks back?
--
-- The material of what retention would save. The ledger holds what pulls have read, nine weeks of it here: objects older
-- than that are not counted, and one that was deleted since still is.
--
-- grain:    day
-- reads:    objects, task_logs
-- columns:
--   day         date    UTC
--   objects     bigint
--   kept_bytes  bigint
with listed as (
    select object_url, modified_at, size from objects where kind = 'task_logs'
),
logs as (
    select object_url, started_at, object_modified_at, log_bytes from task_logs
),
billed as (
    select
        coalesce(listed.modified_at, logs.object_modified_at, logs.started_at) as modified_at,
        coalesce(listed.size, logs.log_bytes, 0) as bytes
    from listed
    full join logs on listed.object_url = logs.object_url
)
select cast(date_trunc('day', modified_at) as date) as day, count(*) as objects, cast(sum(bytes) as bigint) as kept_bytes
from billed
where monday_of(modified_at) >= weeks_ago(8) and modified_at < week_end()
group by day
order by day
