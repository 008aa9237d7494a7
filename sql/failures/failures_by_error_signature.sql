-- Which errors failed tries this week, over which DAGs, and since when?
--
-- One signature is one kind of error, whatever numbers and ids its messages hold. The sample is one redacted message.
--
-- grain:    error_signature
-- reads:    task_tries
-- columns:
--   error_signature  varchar
--   dags             bigint       DAGs hit in the week
--   runs             bigint       runs hit in the week
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
--   blame            varchar      the most frequent one: user_code, data, external, infrastructure, airflow; null: unknown
with failed as (
    select *
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
        filter (where week = report_week()) as sample,
    mode(blame order by blame) filter (where week = report_week()) as blame
from failed
group by error_signature
having count(*) filter (where week = report_week()) > 0
order by dags desc, tries desc, error_signature
