-- From when until when may each DAG run by its own code, and does its start_date move?
--
-- By the readings of the DAG that API or database gave, up to two days after the week. A start_date of now() or days_ago(n) is
-- another one in each reading: the first interval begins anew and never ends. One that somebody edited moves once.
--
-- grain:    dag_id
-- reads:    deployments
-- columns:
--   dag_id           varchar
--   start_date       timestamptz  in the newest reading; null: none
--   end_date         timestamptz  in the newest reading; null: none
--   schedule         varchar      empty: none; null: not told
--   seen_at          timestamptz  newest reading
--   first_seen_at    timestamptz  oldest reading in view
--   readings         bigint
--   moves            bigint       readings in which it was later than in the one before
--   moves_back       bigint       readings in which it was earlier
--   was_start_date   timestamptz  in the oldest reading
with told as (
    select
        substr(key, 12) as dag_id,
        seen_at,
        try_cast(json_extract_string(value, '$.start_date') as timestamptz) as start_date,
        try_cast(json_extract_string(value, '$.end_date') as timestamptz) as end_date,
        json_extract_string(value, '$.schedule') as schedule
    from deployments
    where starts_with(key, 'dag_detail.') and json_valid(value) and seen_at < week_end() + interval 2 days
),
once as (
    select * from told qualify row_number() over (partition by dag_id, seen_at order by start_date, schedule) = 1
),
steps as (
    select
        *,
        lag(start_date) over (partition by dag_id order by seen_at) as before,
        row_number() over (partition by dag_id order by seen_at desc) = 1 as is_newest
    from once
)
select
    dag_id,
    max(start_date) filter (where is_newest) as start_date,
    max(end_date) filter (where is_newest) as end_date,
    max(schedule) filter (where is_newest) as schedule,
    max(seen_at) as seen_at,
    min(seen_at) as first_seen_at,
    count(*) as readings,
    count(*) filter (where start_date > before) as moves,
    count(*) filter (where start_date < before) as moves_back,
    min_by(start_date, seen_at) as was_start_date
from steps
where not exists (select 1 from excluded_dags where steps.dag_id glob pattern)
group by dag_id
order by dag_id
