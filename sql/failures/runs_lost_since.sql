-- Since when has a DAG lost every run, and how did it do before?
--
-- Judged runs in the order they began, those that end in the next week too; a DAG whose newest run of the week was not lost has no row. Where
-- every run of nine weeks was lost, `until_at` is null. A run of which nobody knows how it ended is no lost one, and none that
-- worked.
--
-- grain:    dag_id
-- reads:    task_tries
-- columns:
--   dag_id     varchar
--   runs       bigint       lost since the newest run that was not
--   week_runs  bigint       of those, begun in the week
--   days       bigint       UTC days on which they began
--   task_ids   varchar[]    tasks that lost them, the one that lost most first
--   maps_lost  bigint[]     of each of those tasks, map indexes that lost one of the runs; 0: it is not mapped
--   maps       bigint[]     of each of those tasks, map indexes that had a final try in one of the runs
--   since      timestamptz  the first of them began
--   last_at    timestamptz  the last of them began
--   until_at   timestamptz  the newest run that was not lost, so far as is known, began
--   well_at    timestamptz  the newest run that is known not to have been lost began
--   hours      double       hours that the tries of the lost ones ran
--   runs_prev  bigint       runs up to `until_at` with a known end, in the 8 weeks before and the week
--   lost_prev  bigint       of those, lost
--   gap_s      double       from the begin of a run to that of the next, the median; null: one run
with runs as (
    select
        dag_id,
        run_id,
        min(week) as week,
        min(coalesce(started_at, queued_at, scheduled_at)) as began_at,
        coalesce(sum(duration_s), 0) / 3600 as hours,
        coalesce(bool_or(loses_run), false) as is_lost,
        coalesce(bool_or(final_try and not has_end(state) and week <= report_week()), false) as is_open
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week() + 7
        and is_judged
    group by dag_id, run_id
    having min(week) <= report_week()
),
ordered as (
    select
        *,
        max(began_at) filter (where not is_lost) over (partition by dag_id) as until_at,
        max(began_at) filter (where not is_lost and not is_open) over (partition by dag_id) as well_at,
        epoch(began_at - lag(began_at) over (partition by dag_id order by began_at, run_id)) as gap_s
    from runs
    where began_at is not null
),
placed as (
    select *, until_at is null or began_at > until_at as is_since
    from ordered
),
lost_tasks as (
    select
        dag_id,
        list(task_id order by runs desc, task_id) as task_ids,
        list(maps_lost order by runs desc, task_id) as maps_lost,
        list(maps order by runs desc, task_id) as maps
    from (
        select
            tries.dag_id,
            tries.task_id,
            count(distinct tries.run_id) filter (where tries.loses_run) as runs,
            count(distinct tries.map_index) filter (where tries.loses_run and tries.map_index >= 0) as maps_lost,
            count(distinct tries.map_index) filter (where tries.map_index >= 0) as maps
        from task_tries as tries
        semi join placed on placed.is_since and tries.dag_id = placed.dag_id and tries.run_id = placed.run_id
        where tries.is_judged
            and tries.final_try
            and tries.week >= weeks_ago(8)
            and tries.week <= report_week() + 7
        group by tries.dag_id, tries.task_id
        having bool_or(tries.loses_run)
    ) as each_task
    group by dag_id
)
select
    placed.dag_id,
    count(*) filter (where is_since) as runs,
    count(*) filter (where is_since and week = report_week()) as week_runs,
    count(distinct cast(began_at as date)) filter (where is_since) as days,
    any_value(task_ids) as task_ids,
    any_value(maps_lost) as maps_lost,
    any_value(maps) as maps,
    min(began_at) filter (where is_since) as since,
    max(began_at) filter (where is_since) as last_at,
    any_value(until_at) as until_at,
    any_value(well_at) as well_at,
    sum(hours) filter (where is_since) as hours,
    count(*) filter (where not is_since and (is_lost or not is_open)) as runs_prev,
    count(*) filter (where not is_since and is_lost) as lost_prev,
    median(gap_s) as gap_s
from placed
left join lost_tasks on placed.dag_id = lost_tasks.dag_id
group by placed.dag_id
having count(*) filter (where is_since and week = report_week()) > 0
order by placed.dag_id
