-- Which errors ended how many runs of each DAG this week?
--
-- The error is the signature without its frame, as in `incidents_by_error`: it tells which of a DAG's lost runs are told
-- by an incident already. A run lost to two errors counts for both; one whose first try failed with an error may have been
-- saved by a retry.
--
-- grain:    dag_id, error_signature
-- reads:    task_tries
-- columns:
--   dag_id           varchar
--   error_signature  varchar
--   exception_type   varchar
--   lost_runs        bigint    judged runs that lost a task to it
--   first_runs       bigint    judged runs in which a first try failed with it
select
    dag_id,
    without_frame(error_signature) as error_signature,
    min(exception_type) as exception_type,
    count(distinct run_id) filter (where loses_run) as lost_runs,
    count(distinct run_id) filter (where first_try) as first_runs
from task_tries
where week = report_week()
    and is_judged
    and (final_try or first_try)
    and state in ('failed', 'up_for_retry')
    and error_signature is not null
group by dag_id, without_frame(error_signature)
order by dag_id, error_signature
