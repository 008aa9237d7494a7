"""The view `owned_dags`: who owns a DAG, and who says so."""

OWNED_DAGS = """
-- Who owns each DAG: the first pattern of the pipeline file that matches, else what API or database tell of its tasks,
-- else what logs of Airflow 2 name in the newest week in which any does. Airflow's default owner is nobody.
create or replace temp view owned_dags as
with patterns as (
    select
        unnest(cast(getvariable('owner_patterns') as varchar[])) as pattern,
        unnest(cast(getvariable('owner_names') as varchar[])) as owner,
        unnest(range(len(cast(getvariable('owner_patterns') as varchar[])))) as place
),
asked as (
    select substr(key, 11) as dag_id, max_by(value, seen_at order by value) as owner
    from deployments
    where starts_with(key, 'dag_owner.') and seen_at < week_end() + interval 7 days
    group by substr(key, 11)
),
logged_weeks as (
    select dag_id, monday_of(started_at) as week, string_agg(distinct owner, ', ' order by owner) as owner
    from task_logs
    where owner is not null and monday_of(started_at) <= report_week()
    group by dag_id, monday_of(started_at)
),
logged as (
    select dag_id, arg_max(owner, week) as owner from logged_weeks group by dag_id
),
dags as (
    select dag_id from asked
    union
    select dag_id from task_logs
    union
    select dag_id from task_instances
),
patterned as (
    select dags.dag_id, arg_min(patterns.owner, patterns.place) as owner
    from dags
    join patterns on dags.dag_id glob patterns.pattern
    group by dags.dag_id
)
select
    dags.dag_id,
    coalesce(patterned.owner, asked.owner, logged.owner) as owner,
    case
        when patterned.owner is not null then 'pipeline file'
        when asked.owner is not null then 'Airflow'
        else 'log'
    end as told_by
from dags
left join patterned on dags.dag_id = patterned.dag_id
left join asked on dags.dag_id = asked.dag_id
left join logged on dags.dag_id = logged.dag_id
where coalesce(patterned.owner, asked.owner, logged.owner) is not null;
"""
