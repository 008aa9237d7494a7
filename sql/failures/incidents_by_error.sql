-- Which error hit how many DAGs this week, wherever in the code it was raised?
--
-- The signature without its frame: one bad credential fails every DAG in a line of its own file.
--
-- grain:    error_signature
-- reads:    task_tries
-- columns:
--   error_signature  varchar
--   dags             bigint       DAGs hit in the week
--   runs             bigint       runs hit in the week
--   tasks            bigint       tasks hit in the week, each mapped one counted
--   lost_runs        bigint       runs that it ended in the week
--   runs_prev        bigint       runs hit in the 8 weeks before
--   weeks_prev       bigint       of the 8 weeks before, those with any judged try at all
--   tries            bigint       tries that failed with it in the week
--   lost             bigint       of those, last known tries of the first execution
--   wasted_hours     double       hours that those tries ran
--   first_at         timestamptz  first in the week
--   last_at          timestamptz  last in the week
--   tries_prev       bigint       the 8 weeks before
--   hosts            bigint       distinct hosts where the log tells them
--   dag_ids          varchar[]    DAGs hit, by name
--   exception_type   varchar
--   sample           varchar      message of the first one
with failed as (
    select * replace (regexp_replace(error_signature, ' @ [^ ]+:[^ @]+$', '') as error_signature)
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week()
        and is_judged
        and state in ('failed', 'up_for_retry')
        and error_signature is not null
)
select
    error_signature,
    count(distinct dag_id) filter (where week = report_week()) as dags,
    count(distinct (dag_id, run_id)) filter (where week = report_week()) as runs,
    count(distinct (dag_id, task_id, map_index)) filter (where week = report_week()) as tasks,
    count(distinct (dag_id, run_id)) filter (where week = report_week() and final_try) as lost_runs,
    count(distinct (dag_id, run_id)) filter (where week < report_week()) as runs_prev,
    (
        select count(distinct week) from task_tries where week >= weeks_ago(8) and week < report_week() and is_judged
    ) as weeks_prev,
    count(*) filter (where week = report_week()) as tries,
    count(*) filter (where week = report_week() and final_try) as lost,
    coalesce(sum(duration_s) filter (where week = report_week()), 0) / 3600 as wasted_hours,
    min(started_at) filter (where week = report_week()) as first_at,
    max(ended_at) filter (where week = report_week()) as last_at,
    count(*) filter (where week < report_week()) as tries_prev,
    count(distinct hostname) filter (where week = report_week()) as hosts,
    list_sort(coalesce(list(distinct dag_id) filter (where week = report_week()), [])) as dag_ids,
    min(exception_type) as exception_type,
    arg_min(exception_message, (started_at, dag_id, run_id, task_id, map_index, try_number))
        filter (where week = report_week()) as sample
from failed
group by error_signature
having count(*) filter (where week = report_week()) > 0
order by dags desc, tries desc, error_signature
