-- Which tasks were killed from outside: out of memory, by a signal, or because their heartbeat was lost?
--
-- grain:    dag_id, task_id, state_reason
-- reads:    task_tries
-- columns:
--   dag_id        varchar
--   task_id       varchar
--   state_reason  varchar      oom, signal, heartbeat
--   signal        varchar      the signal most of them name (SIGKILL, SIGTERM, SIGSEGV); empty where none is named
--   tries         bigint       killed tries in the week
--   all_tries     bigint       all tries of the task in the week
--   lost          bigint       killed tries that were the last known one
--   tries_prev    bigint       killed tries, the 8 weeks before
--   first_at      timestamptz
--   last_at       timestamptz
--   lost_runs     bigint       runs of the week in which such a try was the last
--   wasted_hours  double       of the week's killed tries, from start to end
with seen as (
    select
        *,
        nullif(regexp_extract(error_signature, 'SIG[A-Z]+'), '') as signal,
        count(*) filter (where week = report_week()) over (partition by dag_id, task_id) as all_tries
    from task_tries
    where week >= weeks_ago(8) and week <= report_week() and is_judged
)
select
    dag_id,
    task_id,
    state_reason,
    coalesce(mode(signal order by signal) filter (where week = report_week()), '') as signal,
    count(*) filter (where week = report_week()) as tries,
    max(all_tries) as all_tries,
    count(*) filter (where week = report_week() and final_try) as lost,
    count(*) filter (where week < report_week()) as tries_prev,
    min(ended_at) filter (where week = report_week()) as first_at,
    max(ended_at) filter (where week = report_week()) as last_at,
    count(distinct run_id) filter (where week = report_week() and loses_run) as lost_runs,
    coalesce(sum(duration_s order by ended_at) filter (where week = report_week()), 0) / 3600 as wasted_hours
from seen
where state_reason in ('oom', 'signal', 'heartbeat') and state in ('failed', 'up_for_retry')
group by dag_id, task_id, state_reason
having count(*) filter (where week = report_week()) > 0
order by tries desc, dag_id, task_id, state_reason
