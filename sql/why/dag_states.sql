-- What does Airflow itself say of each DAG: paused, gone, broken, its file, its next run?
--
-- From the lists that API and database give at each pull. The API leaves DAGs out that are gone: one that an earlier list
-- had and the newest has not is gone, too. Airflow keeps no time of a pause: it lies between two lists.
--
-- grain:    dag_id
-- reads:    deployments
-- columns:
--   dag_id        varchar
--   listed_at     timestamptz  newest list that has the DAG
--   list_at       timestamptz  newest list of all
--   is_gone       boolean      told so, or left out of the newest list
--   is_paused     boolean      in the newest list that has it
--   is_broken     boolean      its file has an import error
--   unpaused_at   timestamptz  newest list in which it was not paused; null: none seen
--   paused_from   timestamptz  first list after that in which it was
--   dag_file      varchar
--   bundle_name   varchar
--   next_run_at   timestamptz  when its next run is due; null: no schedule, or at max_active_runs
with told as (
    select
        substr(key, 11) as dag_id,
        seen_at,
        coalesce(json_extract_string(value, '$.is_paused') = 'true', false) as is_paused,
        coalesce(json_extract_string(value, '$.is_gone') = 'true', false) as is_gone,
        coalesce(json_extract_string(value, '$.is_broken') = 'true', false) as is_broken
    from deployments
    where starts_with(key, 'dag_state.') and json_valid(value) and seen_at < week_end() + interval 2 days
),
files as (
    select
        substr(key, 10) as dag_id,
        max_by(json_extract_string(value, '$.dag_file'), seen_at order by value) as dag_file,
        max_by(json_extract_string(value, '$.bundle_name'), seen_at order by value) as bundle_name
    from deployments
    where starts_with(key, 'dag_file.') and json_valid(value) and seen_at < week_end() + interval 2 days
    group by key
),
next_runs as (
    select substr(key, 14) as dag_id, max_by(try_cast(value as timestamptz), seen_at order by value) as next_run_at
    from deployments
    where starts_with(key, 'dag_next_run.')
    group by key
),
newest as (
    select
        dag_id,
        max(seen_at) as listed_at,
        (select max(seen_at) from told) as list_at,
        max_by(is_gone, seen_at order by is_gone) as is_gone,
        max_by(is_paused, seen_at order by is_paused) as is_paused,
        max_by(is_broken, seen_at order by is_broken) as is_broken,
        max(seen_at) filter (where not is_paused) as unpaused_at
    from told
    group by dag_id
),
pauses as (
    select told.dag_id, min(told.seen_at) as paused_from
    from told
    join newest on told.dag_id = newest.dag_id
    where told.is_paused and told.seen_at > coalesce(newest.unpaused_at, timestamptz '1970-01-01 00:00:00Z')
    group by told.dag_id
)
select
    newest.dag_id,
    listed_at,
    list_at,
    -- a list of a whole day before the newest: sources of one pull answer minutes apart
    is_gone or listed_at < list_at - interval 1 day as is_gone,
    is_paused,
    is_broken,
    unpaused_at,
    case when is_paused then paused_from end as paused_from,
    coalesce(files.dag_file, '') as dag_file,
    coalesce(files.bundle_name, '') as bundle_name,
    next_runs.next_run_at
from newest
left join files on newest.dag_id = files.dag_id
left join next_runs on newest.dag_id = next_runs.dag_id
left join pauses on newest.dag_id = pauses.dag_id
where not exists (select 1 from excluded_dags where newest.dag_id glob pattern)
order by newest.dag_id
