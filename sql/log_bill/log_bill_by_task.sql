-- What do the logs of each task cost: bytes kept, objects, requests?
--
-- From the listing alone (address, size, time of each object), and from how often a process began in a log that was read:
-- for each process Airflow looks for the object, fetches what it holds and puts it anew, whole (every poke of a sensor in
-- reschedule mode, every resume of a deferral). What was written and fetched is an estimate: each process is taken to add
-- as much as the others. Logs of triggerers count for their task; objects that name no DAG stand under an empty one. What it
-- costs a month: `windsock ask log_bill`, at the prices of `[log_bill]` in the pipeline file, else list prices.
--
-- grain:    dag_id, task_id
-- reads:    objects, task_logs
-- columns:
--   dag_id            varchar
--   task_id           varchar
--   operator          varchar  of its newest log that tells it
--   objects           bigint   last modified in the week
--   kept_bytes        bigint   their size now
--   share             double   of all bytes kept, fraction 0-1
--   puts              bigint   one for each process
--   gets              bigint   looks for the object, and fetches of it before it is put anew
--   written_bytes     double   estimate: each put writes the whole object
--   fetched_bytes     double   estimate
--   rewritten         bigint   objects in which more than one process began
--   rewritten_bytes   double   estimate: written beyond what was kept, by rewritten objects
--   most_starts       bigint   processes that began in one object
--   objects_prev      bigint   last modified in the week before
--   kept_bytes_prev   bigint
with listed as (
    select object_url, modified_at, size
    from objects
    where kind = 'task_logs'
),
logs as (
    select object_url, dag_id, task_id, operator, started_at, object_modified_at, log_bytes, process_starts
    from task_logs
),
billed as (
    select
        coalesce(logs.dag_id, regexp_extract(listed.object_url, '(?:^|/)dag_id=([^/]+)/', 1), '') as dag_id,
        coalesce(logs.task_id, regexp_extract(listed.object_url, '/task_id=([^/]+)/', 1), '') as task_id,
        logs.operator,
        coalesce(listed.modified_at, logs.object_modified_at, logs.started_at) as modified_at,
        coalesce(listed.size, logs.log_bytes, 0) as bytes,
        greatest(coalesce(logs.process_starts, 1), 1) as starts
    from listed
    full join logs on listed.object_url = logs.object_url
),
sums as (
    select
        dag_id,
        task_id,
        max_by(operator, modified_at order by operator) filter (where operator is not null) as operator,
        count(*) filter (where modified_at >= week_start()) as objects,
        coalesce(sum(bytes) filter (where modified_at >= week_start()), 0) as kept_bytes,
        coalesce(sum(starts) filter (where modified_at >= week_start()), 0) as puts,
        coalesce(sum(2 * starts - 1) filter (where modified_at >= week_start()), 0) as gets,
        coalesce(sum(bytes * (starts + 1) / 2) filter (where modified_at >= week_start()), 0) as written_bytes,
        coalesce(sum(bytes * (starts - 1) / 2) filter (where modified_at >= week_start()), 0) as fetched_bytes,
        count(*) filter (where modified_at >= week_start() and starts > 1) as rewritten,
        coalesce(max(starts) filter (where modified_at >= week_start()), 0) as most_starts,
        count(*) filter (where modified_at < week_start()) as objects_prev,
        coalesce(sum(bytes) filter (where modified_at < week_start()), 0) as kept_bytes_prev
    from billed
    where modified_at >= week_start() - interval 7 days and modified_at < week_end()
    group by dag_id, task_id
)
select
    dag_id,
    task_id,
    operator,
    objects,
    cast(kept_bytes as bigint) as kept_bytes,
    kept_bytes / nullif(sum(kept_bytes) over (), 0) as share,
    cast(puts as bigint) as puts,
    cast(gets as bigint) as gets,
    cast(written_bytes as double) as written_bytes,
    cast(fetched_bytes as double) as fetched_bytes,
    rewritten,
    cast(written_bytes - kept_bytes as double) as rewritten_bytes,
    cast(most_starts as bigint) as most_starts,
    objects_prev,
    cast(kept_bytes_prev as bigint) as kept_bytes_prev
from sums
order by kept_bytes desc, dag_id, task_id
