-- What did failed tries and components say this week, that a known issue may be recognised by?
--
-- One message for each error signature, and each kind of event that a component told, as `reason:<event>:<detail>` with the
-- numbers taken out of the detail. The audit log's events stand in only where no component's log tells any of their kind.
--
-- grain:    said
-- reads:    component_events, log_events, task_tries
-- columns:
--   said      varchar      message and signature of failed tries and of Airflow's own error records; or an event
--   times     bigint       failed tries, records or events
--   dags      bigint       DAGs that they name
--   dag_ids   varchar[]    by name
--   first_at  timestamptz
--   last_at   timestamptz
with said as (
    select
        concat_ws(chr(10), error_signature, exception_message) as said,
        error_signature as alike,
        dag_id,
        ended_at as said_at
    from task_tries
    where week = report_week() and state in ('failed', 'up_for_retry') and error_signature is not null
    union all
    select
        left(message, 4000),
        left(regexp_replace(message, '[0-9]+', '#', 'g'), 120),
        dag_id,
        logged_at
    from log_events
    where logged_at >= week_start() and logged_at < week_end()
        and error_signature is null
        and logger in (
            'task', 'supervisor', 'local_task_job.py', 'local_task_job_runner.py', 'taskinstance.py', 'file_task_handler.py',
            'dagbag.py', 'timeout.py', 'airflow.models.dagbag.DagBag', 'airflow.dag_processing.dagbag.DagBag'
        )
    union all
    select
        concat('reason:', event, ':', detail),
        concat('reason:', event, ':', regexp_replace(detail, '[0-9]+', '#', 'g')),
        dag_id,
        event_at
    from component_events
    where event_at >= week_start() and event_at < week_end()
        and event in ('state_mismatch', 'heartbeat_timeout', 'parse_timeout', 'triggerer_blocked')
        and (
            component not in ('api', 'db')
            or event not in (
                select event
                from component_events
                where component not in ('api', 'db') and event_at >= week_start() and event_at < week_end()
            )
        )
)
select
    min(said) as said,
    count(*) as times,
    count(distinct dag_id) as dags,
    list_sort(coalesce(list(distinct dag_id) filter (where dag_id is not null), [])) as dag_ids,
    min(said_at) as first_at,
    max(said_at) as last_at
from said
group by alike
order by times desc, said
