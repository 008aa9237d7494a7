-- Where do the week's failures come from: user code, data, a service outside, the infrastructure, Airflow itself?
--
-- Told by each attempt's own log (`windsock.parse.blame`), and for tries without a log by what the components say became of
-- them. What fits no sign is `unknown`, and stays so.
--
-- grain:    blame
-- reads:    component_events, task_tries
-- columns:
--   blame        varchar  user_code, data, external, infrastructure, airflow, unknown
--   tries        bigint   judged tries that failed in the week
--   dags         bigint   DAGs hit
--   lost_runs    bigint   runs that lost a task to it
--   hours        double   hours that those tries ran
--   share        double   fraction 0-1 of the week's failed tries
--   tries_prev   bigint   the 8 weeks before
--   error_signature  varchar  the most frequent error, as the evidence
--   sample       varchar  message of the first try with it in the week
with killed as (
    select distinct dag_id, run_id, task_id, coalesce(map_index, -1) as map_index, try_number
    from component_events
    where event in ('pod_failed', 'pod_deleted', 'pod_not_started', 'heartbeat_timeout')
        and run_id is not null
        and try_number is not null
),
failed as (
    select
        tries.*,
        coalesce(tries.blame, case when killed.dag_id is not null then 'infrastructure' end, 'unknown') as from_where
    from task_tries as tries
    left join killed
        on not tries.has_log
        and tries.dag_id = killed.dag_id
        and tries.run_id = killed.run_id
        and tries.task_id = killed.task_id
        and tries.map_index = killed.map_index
        and tries.try_number = killed.try_number
    where tries.week >= weeks_ago(8)
        and tries.week <= report_week()
        and tries.is_judged
        and tries.state in ('failed', 'up_for_retry')
),
errors as (
    select
        from_where,
        error_signature,
        count(*) as tries,
        arg_min(exception_message, (started_at, dag_id, run_id, task_id, map_index, try_number)) as sample
    from failed
    where week = report_week() and error_signature is not null
    group by all
),
foremost as (
    select from_where, error_signature, sample
    from errors
    qualify row_number() over (partition by from_where order by tries desc, error_signature) = 1
)
select
    failed.from_where as blame,
    count(*) filter (where week = report_week()) as tries,
    count(distinct dag_id) filter (where week = report_week()) as dags,
    count(distinct (dag_id, run_id)) filter (where week = report_week() and loses_run) as lost_runs,
    coalesce(sum(duration_s) filter (where week = report_week()), 0) / 3600 as hours,
    count(*) filter (where week = report_week())
        / nullif((select count(*) from failed as others where others.week = report_week()), 0) as share,
    count(*) filter (where week < report_week()) as tries_prev,
    any_value(foremost.error_signature) as error_signature,
    any_value(foremost.sample) as sample
from failed
left join foremost on failed.from_where = foremost.from_where
group by failed.from_where
having count(*) filter (where week = report_week()) > 0
order by tries desc, blame
