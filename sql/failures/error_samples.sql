-- What did each error of the week say, in up to five of its tries?
--
-- Redacted messages, spread over DAGs: the first try of each DAG comes before the second of any. With the object of each,
-- to read it whole.
--
-- grain:    error_signature, sample_no
-- reads:    task_logs, task_tries
-- columns:
--   error_signature  varchar
--   sample_no        bigint       1 to 5
--   tries            bigint       failed tries of the week with this signature, backfills and manual runs too
--   dag_id           varchar
--   run_id           varchar
--   task_id          varchar
--   map_index        integer
--   try_number       integer
--   started_at       timestamptz
--   blame            varchar      user_code, data, external, infrastructure, airflow; null: unknown
--   sample           varchar      message
--   object_url       varchar      its log
with failed as (
    select
        *,
        count(*) over (partition by error_signature) as tries,
        row_number() over (
            partition by error_signature, dag_id order by started_at, run_id, task_id, map_index, try_number
        ) as no_of_dag
    from task_tries
    where week = report_week() and state in ('failed', 'up_for_retry') and error_signature is not null
),
numbered as (
    select
        *,
        row_number() over (
            partition by error_signature
            order by no_of_dag, started_at, dag_id, run_id, task_id, map_index, try_number
        ) as sample_no
    from failed
),
logs as (
    select dag_id, run_id, task_id, coalesce(map_index, -1) as map_index, try_number, max(object_url) as object_url
    from task_logs
    group by all
)
select
    error_signature,
    sample_no,
    tries,
    dag_id,
    run_id,
    task_id,
    map_index,
    try_number,
    started_at,
    blame,
    exception_message as sample,
    object_url
from numbered
left join logs using (dag_id, run_id, task_id, map_index, try_number)
where sample_no <= 5
order by tries desc, error_signature, sample_no
