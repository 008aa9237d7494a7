-- Which scheduled runs did each DAG's own cadence lead one to expect this week, and which never came?
--
-- A slot is a weekday and a minute of the logical date in the run_id. Expected is a slot that each of the last four weeks
-- had; a run that came late, after the week, is there, and so is one that left no
-- log and that API, database or a component tells. Windows of quiet are not expected.
--
-- grain:    dag_id
-- reads:    component_events, dag_runs, task_tries
-- columns:
--   dag_id       varchar
--   weeks_seen   bigint       of the four weeks before, those with a run
--   expected     bigint       slots that each of them had
--   missing      bigint       of those, slots without a run this week
--   runs         bigint       scheduled runs this week
--   least_runs   bigint       scheduled runs in the emptiest of the four weeks
--   first_at     timestamptz  logical date of the first missing run
--   last_at      timestamptz  logical date of the last one
--   gap_from     timestamptz[]  of each gap, a stretch of expected slots without a run: its first one
--   gap_until    timestamptz[]  its last one
--   every_s      double       since the first missing one the runs come at this one distance, seconds; null: at several, or
--                             fewer than four came
--   every_prev_s double       the most frequent distance in the four weeks before, seconds
--   last_run_at  timestamptz  newest logical date seen before the first missing one
with runs as (
    select distinct dag_id, run_id, try_cast(regexp_extract(run_id, '__(.+)$', 1) as timestamptz) as due_at
    from (
        select dag_id, run_id from task_tries
        union all
        select dag_id, run_id from known_runs
        union all
        select dag_id, run_id from component_events
    ) as known
    where regexp_matches(run_id, '^scheduled__')
        and not exists (select 1 from excluded_dags where known.dag_id glob pattern)
),
placed as (
    select
        dag_id,
        due_at,
        monday_of(due_at) as week,
        epoch(due_at) - epoch(cast(monday_of(due_at) as timestamptz)) as second_of_week
    from runs
    where due_at is not null and due_at >= cast(weeks_ago(5) as timestamptz)
),
counted as (
    select dag_id, week, count(*) as runs
    from placed
    where week between weeks_ago(4) and report_week()
    group by dag_id, week
),
-- a schedule's first and last logical dates of a week may lie in the slack of either week: whole weeks are compared
expected as (
    select dag_id, cast(second_of_week // 60 as bigint) as minute
    from placed
    where week between weeks_ago(4) and weeks_ago(1)
    group by dag_id, cast(second_of_week // 60 as bigint)
    having count(distinct week) = 4
),
missing as (
    select
        expected.dag_id,
        expected.minute,
        week_start() + to_minutes(expected.minute) as due_at
    from expected
    anti join placed
        on expected.dag_id = placed.dag_id
        and placed.week = report_week()
        and expected.minute = cast(placed.second_of_week // 60 as bigint)
),
-- the newest logical dates of a week start after their interval, which may be in the next one: only what the DAG has
-- passed already, or what is older than its own longest distance between runs, is missing
distances as (
    select dag_id, max(next_at - due_at) as longest
    from (
        select dag_id, due_at, lead(due_at) over (partition by dag_id order by due_at) as next_at
        from placed
        where week between weeks_ago(4) and weeks_ago(1)
    ) as pairs
    group by dag_id
),
settled as (
    select missing.*
    from missing
    join distances on missing.dag_id = distances.dag_id
    where not is_quiet(missing.due_at)
        and missing.due_at + distances.longest + interval 2 hours < least(
            week_end(),
            coalesce(getvariable('seen_until'), (select max(coalesce(started_at, queued_at)) from task_tries))
        )
),
-- a stretch of slots without a run, between two that had theirs
stretches as (
    select dag_id, min(due_at) as gap_from, max(due_at) as gap_until
    from (
        select
            expected.dag_id,
            settled.due_at,
            row_number() over (partition by expected.dag_id order by expected.minute)
                - row_number() over (partition by expected.dag_id, settled.due_at is null order by expected.minute) as stretch
        from expected
        left join settled on expected.dag_id = settled.dag_id and expected.minute = settled.minute
    ) as slots
    where due_at is not null
    group by dag_id, stretch
),
gaps as (
    select dag_id, list(gap_from order by gap_from) as gap_from, list(gap_until order by gap_from) as gap_until
    from stretches
    group by dag_id
),
-- a schedule that was made rarer leaves out most of its old slots, and keeps a distance of its own
first_missing as (
    select dag_id, min(due_at) as first_at from settled group by dag_id
),
steps as (
    select
        dag_id,
        week,
        due_at,
        round(epoch(lead(due_at) over (partition by dag_id, week = report_week() order by due_at)) - epoch(due_at)) as step_s
    from placed
    where week between weeks_ago(4) and report_week()
),
usual_steps as (
    select dag_id, mode(step_s) as every_prev_s from steps where week < report_week() and step_s is not null group by dag_id
),
new_steps as (
    select steps.dag_id, case when count(*) >= 3 and min(step_s) = max(step_s) then min(step_s) end as every_s
    from steps
    join first_missing on steps.dag_id = first_missing.dag_id and steps.due_at >= first_missing.first_at
    where week = report_week() and step_s is not null
    group by steps.dag_id
)
select
    expected.dag_id,
    (
        select count(*) from counted
        where counted.dag_id = expected.dag_id and counted.week < report_week()
    ) as weeks_seen,
    count(distinct expected.minute) as expected,
    count(distinct settled.minute) as missing,
    coalesce((
        select max(counted.runs) from counted
        where counted.dag_id = expected.dag_id and counted.week = report_week()
    ), 0) as runs,
    (
        select min(counted.runs) from counted
        where counted.dag_id = expected.dag_id and counted.week < report_week()
    ) as least_runs,
    min(settled.due_at) as first_at,
    max(settled.due_at) as last_at,
    coalesce((select gaps.gap_from from gaps where gaps.dag_id = expected.dag_id), []) as gap_from,
    coalesce((select gaps.gap_until from gaps where gaps.dag_id = expected.dag_id), []) as gap_until,
    (select new_steps.every_s from new_steps where new_steps.dag_id = expected.dag_id) as every_s,
    (select usual_steps.every_prev_s from usual_steps where usual_steps.dag_id = expected.dag_id) as every_prev_s,
    (
        select max(placed.due_at) from placed
        where placed.dag_id = expected.dag_id and placed.due_at < min(settled.due_at)
    ) as last_run_at
from expected
left join settled on expected.dag_id = settled.dag_id and expected.minute = settled.minute
group by expected.dag_id
order by expected.dag_id
