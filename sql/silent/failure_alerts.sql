-- How would anybody be told of a failure of each DAG that ran this week?
--
-- By the DAGs' serialised form in Airflow's metadata database: no log and no API tells of a callback that never had to
-- run. Left out are DAGs that are paused or gone. A way that belongs to no DAG (a listener, a cluster's own watch, who
-- looks at the page) is not seen. The newest list up to the week's end counts, else the first one after it.
--
-- grain:    dag_id
-- reads:    deployments, owned_dags, task_tries
-- columns:
--   dag_id      varchar
--   owner       varchar      null: nobody says
--   runs        bigint       runs of its schedule or of assets in the week
--   lost        bigint       tasks that failed for good in the week
--   told_by     varchar      callback of the DAG, each task (callback or mail), some tasks, deadline; may tell: task for failures
--                            (trigger rule one_failed or all_failed), SLA (2.x keeps no sign of its callback); nothing; not known
--   has_alert   boolean      null: cannot be known
--   tasks       bigint       as serialised; null: not known
--   told_tasks  bigint       with on_failure_callback, or an address for mail on failure
--   seen_at     timestamptz  when the list was read
--   missing     varchar      what would tell; null: nothing is missing
with tries as (
    select
        dag_id,
        count(distinct run_id) as runs,
        count(*) filter (where final_try and state = 'failed') as lost
    from task_tries
    where week = report_week() and is_judged
    group by dag_id
),
lists as (
    select substr(key, 12) as dag_id, seen_at, value
    from deployments
    where starts_with(key, 'dag_alerts.') and json_valid(value)
),
alerts as (
    select
        dag_id,
        coalesce(max(seen_at) filter (where seen_at < week_end()), min(seen_at)) as seen_at,
        coalesce(
            max_by(value, seen_at order by value) filter (where seen_at < week_end()),
            min_by(value, seen_at order by value)
        ) as value
    from lists
    group by dag_id
),
known as (
    select
        dag_id,
        seen_at,
        json_extract_string(value, '$.unread') as unread,
        cast(json_extract_string(value, '$.tasks') as bigint) as tasks,
        cast(json_extract_string(value, '$.told_tasks') as bigint) as told_tasks,
        json_extract_string(value, '$.dag_callback') = 'true' as is_dag_callback,
        json_extract_string(value, '$.deadline') = 'true' as is_deadline,
        json_extract_string(value, '$.failure_tasks') <> '0' as is_failure_task,
        json_extract_string(value, '$.sla_tasks') <> '0' as is_sla
    from alerts
),
states as (
    select
        substr(key, 11) as dag_id,
        max_by(
            json_extract_string(value, '$.is_paused') = 'true' or json_extract_string(value, '$.is_gone') = 'true',
            seen_at order by value
        ) as is_off
    from deployments
    where starts_with(key, 'dag_state.') and json_valid(value) and seen_at < week_end() + interval 2 days
    group by key
),
lacking as (
    select case
        when exists (select 1 from lists) then 'this DAG in the metadata database'
        when exists (select 1 from deployments where key = 'db.missing_permission.table serialized_dag')
            then 'the right to read serialized_dag'
        else 'metadata database'
    end as missing
),
ways as (
    select
        tries.*,
        known.tasks,
        known.told_tasks,
        known.seen_at,
        case
            when known.dag_id is null or known.unread is not null then 'not known'
            when is_dag_callback then 'callback of the DAG'
            when known.told_tasks > 0 and known.told_tasks = known.tasks then 'each task'
            when known.told_tasks > 0 then 'some tasks'
            when is_deadline then 'deadline'
            when is_failure_task then 'task for failures'
            when is_sla then 'SLA'
            else 'nothing'
        end as told_by,
        case
            when known.dag_id is null then (select missing from lacking)
            when known.unread is not null then 'a serialised DAG that can be read: ' || known.unread
        end as missing
    from tries
    left join known on tries.dag_id = known.dag_id
    left join states on tries.dag_id = states.dag_id
    where not coalesce(states.is_off, false)
)
select
    ways.dag_id,
    owned.owner,
    ways.runs,
    ways.lost,
    ways.told_by,
    case
        when ways.told_by = 'nothing' then false
        when ways.told_by not in ('not known', 'task for failures', 'SLA') then true
    end as has_alert,
    ways.tasks,
    ways.told_tasks,
    ways.seen_at,
    ways.missing
from ways
left join owned_dags as owned on ways.dag_id = owned.dag_id
order by has_alert nulls last, ways.lost desc, ways.dag_id
