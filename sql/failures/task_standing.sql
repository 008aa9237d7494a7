-- How does each task stand: how often did it run, fail and get saved by a retry this week, and since when?
--
-- Judged runs of nine weeks; whether that is healthy, flaky, broken or silent is judged from these counts, not here.
--
-- grain:    dag_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id           varchar
--   task_id          varchar
--   ended            bigint       tasks (each map index) that ended in the week, so far as is known
--   no_end           bigint       tasks of the week of which nobody knows how they ended
--   lost             bigint       of those, failed after all retries
--   saved            bigint       of those, saved by a retry
--   ended_prev       bigint       the 8 weeks before
--   lost_prev        bigint       the 8 weeks before
--   saved_prev       bigint       the 8 weeks before
--   weeks_prev       bigint       of the 8 weeks before, those with a run of the task
--   last_at          timestamptz  it last started
--   last_success_at  timestamptz  it last succeeded
--   failing_since    timestamptz  first failure after the last success; null: its newest end is no failure
--   failing_ends     bigint       lost ends from then on
--   failing_days     bigint       UTC days on which they began
--   ended_well       bigint       ends up to the last success, in the nine weeks
--   lost_well        bigint       of those, lost
--   lost_since       timestamptz  first lost end after the last week before this one that had ends and none lost
--   saved_since      timestamptz  first end saved by a retry after the last such week without one
--   no_end_since     timestamptz  first of those without a known end after the last week that had tries and none such
--   dag_runs         bigint       runs of its DAG in the week
with ended as (
    select
        dag_id,
        task_id,
        run_id,
        started_at,
        week,
        state in ('failed', 'up_for_retry') as is_lost,
        state = 'success' and not first_try as is_saved,
        state = 'success' as is_success,
        not has_end(state) as is_open
    from task_tries
    where is_judged and final_try and week >= weeks_ago(8) and week <= report_week()
),
successes as (
    select dag_id, task_id, max(started_at) as last_success_at
    from ended
    where is_success
    group by dag_id, task_id
),
weeks as (
    select dag_id, task_id, week, bool_or(is_lost) as has_lost, bool_or(is_saved) as has_saved
    from ended
    where week < report_week()
    group by dag_id, task_id, week
),
last_calm_week as (
    select
        dag_id,
        task_id,
        max(week) filter (where not has_lost) as none_lost,
        max(week) filter (where not has_saved) as none_saved
    from weeks
    group by dag_id, task_id
),
clear_weeks as (
    select dag_id, task_id, week
    from ended
    where week < report_week()
    group by dag_id, task_id, week
    having not bool_or(is_open)
),
last_clear_week as (
    select dag_id, task_id, max(week) as week from clear_weeks group by dag_id, task_id
),
dags as (
    select dag_id, count(distinct run_id) as dag_runs from ended where week = report_week() group by dag_id
)
select
    ended.dag_id,
    ended.task_id,
    count(*) filter (where ended.week = report_week() and not is_open) as ended,
    count(*) filter (where ended.week = report_week() and is_open) as no_end,
    count(*) filter (where ended.week = report_week() and is_lost) as lost,
    count(*) filter (where ended.week = report_week() and is_saved) as saved,
    count(*) filter (where ended.week < report_week() and not is_open) as ended_prev,
    count(*) filter (where ended.week < report_week() and is_lost) as lost_prev,
    count(*) filter (where ended.week < report_week() and is_saved) as saved_prev,
    count(distinct ended.week) filter (where ended.week < report_week()) as weeks_prev,
    max(started_at) as last_at,
    max(last_success_at) as last_success_at,
    min(started_at) filter (
        where is_lost and started_at > coalesce(last_success_at, timestamptz '1970-01-01 00:00:00Z')
    ) as failing_since,
    count(*) filter (
        where is_lost and started_at > coalesce(last_success_at, timestamptz '1970-01-01 00:00:00Z')
    ) as failing_ends,
    count(distinct cast(started_at as date)) filter (
        where is_lost and started_at > coalesce(last_success_at, timestamptz '1970-01-01 00:00:00Z')
    ) as failing_days,
    count(*) filter (where not is_open and started_at <= last_success_at) as ended_well,
    count(*) filter (where is_lost and started_at <= last_success_at) as lost_well,
    min(started_at) filter (where is_lost and (none_lost is null or ended.week > none_lost)) as lost_since,
    min(started_at) filter (where is_saved and (none_saved is null or ended.week > none_saved)) as saved_since,
    min(started_at) filter (where is_open and (last_clear_week.week is null or ended.week > last_clear_week.week))
        as no_end_since,
    coalesce(max(dag_runs), 0) as dag_runs
from ended
left join successes on ended.dag_id = successes.dag_id and ended.task_id = successes.task_id
left join last_calm_week on ended.dag_id = last_calm_week.dag_id and ended.task_id = last_calm_week.task_id
left join last_clear_week on ended.dag_id = last_clear_week.dag_id and ended.task_id = last_clear_week.task_id
left join dags on ended.dag_id = dags.dag_id
group by ended.dag_id, ended.task_id
order by ended.dag_id, ended.task_id
