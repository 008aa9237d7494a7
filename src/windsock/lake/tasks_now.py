"""`tasks_now`: the tasks that each DAG has, by the newest reading of it."""

TASKS_NOW = """
-- tasks_now: one row is one task of a DAG as the newest reading up to two days after the week has it, else as the first one after.
-- A pull of Monday tells of the week that ended; of two sources of one pull the database tells more.
create or replace temp view tasks_now as
with readings as (
    select
        dag_id,
        coalesce(max(seen_at) filter (where seen_at < week_end() + interval 2 days), min(seen_at)) as seen_at
    from dag_tasks
    group by dag_id
),
tellers as (
    select dag_tasks.dag_id, dag_tasks.seen_at, max(dag_tasks.source) as source
    from dag_tasks
    join readings on dag_tasks.dag_id = readings.dag_id and dag_tasks.seen_at = readings.seen_at
    group by dag_tasks.dag_id, dag_tasks.seen_at
)
select dag_tasks.*
from dag_tasks
join tellers
    on dag_tasks.dag_id = tellers.dag_id
    and dag_tasks.seen_at = tellers.seen_at
    and dag_tasks.source is not distinct from tellers.source;
"""
