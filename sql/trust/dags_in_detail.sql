-- Of how many DAGs that ran this week are the tasks known, and since when?
--
-- By `tasks_now`: API and database tell them, the API of some DAGs at each pull. Of the others nobody knows what holds them
-- back by their own code, nor which chain of tasks decides.
--
-- grain:    dags
-- reads:    task_tries, tasks_now
-- columns:
--   dags       bigint       with a try in the week
--   known      bigint       of those, with their tasks known
--   with_caps  bigint       of those, by the database, which tells caps of single tasks, too
--   oldest_at  timestamptz  oldest of these readings
with ran as (
    select distinct dag_id from task_tries where week = report_week() and not is_excluded
),
readings as (
    select dag_id, any_value(seen_at) as seen_at, any_value(source) as source from tasks_now group by dag_id
)
select
    count(*) as dags,
    count(readings.dag_id) as known,
    count(*) filter (where readings.source = 'db') as with_caps,
    min(readings.seen_at) as oldest_at
from ran
left join readings on ran.dag_id = readings.dag_id
