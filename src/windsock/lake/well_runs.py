"""`well_runs`: runs that are over and in which nothing failed, for questions about what they lacked."""

WELL_RUNS = """
-- well_runs: one row is one run of nine weeks with judged tries, in which nothing failed and which is over: nothing of it was
-- heard for twice as long as a run of its DAG takes, and for six hours. `began_at`, its first try.
create or replace temp view well_runs as
with ended as (
    select
        dag_id,
        run_id,
        min(coalesce(started_at, queued_at, scheduled_at)) as began_at,
        max(ended_at) as ended_at,
        max(max(ended_at)) over () as heard_until,
        bool_and(state in ('success', 'skipped', 'up_for_retry')) as is_well
    from task_tries
    where is_judged and week >= weeks_ago(8) and week <= report_week()
    group by dag_id, run_id
),
lasting as (
    select
        *,
        greatest(interval 6 hours, 2 * max(ended_at - began_at) over (partition by dag_id)) as span
    from ended
    where is_well and began_at is not null
)
select dag_id, run_id, began_at
from lasting
where ended_at + span < heard_until;
"""
