-- Which tries left their worker to wait, and have not come back?
--
-- A task that defers waits for its trigger, a sensor in reschedule mode for its next poke; a triggerer or a scheduler that is
-- gone never calls them back: they do not fail, and no log line follows. Such a try is open by every input. How long it has
-- waited is known up to the newest record of any log. Tasks are told with their habit: the longest time away after which a try
-- of theirs did come back. A task that its trigger ends without coming back (2.10 and later) never has such a habit.
--
-- grain:    dag_id, task_id
-- reads:    task_tries
-- columns:
--   dag_id          varchar
--   task_id         varchar
--   kind            varchar      deferred, up_for_reschedule: how the newest of them left
--   waiting         bigint       tries of the week that left and have not come back
--   runs            bigint       runs that they hold
--   first_at        timestamptz  the first of them left
--   last_at         timestamptz  the last of them left
--   waited_s        double       the longest of them so far, seconds
--   waited_hours    double       all of them
--   resumed         bigint       tries of the week that came back
--   resumed_since   bigint       tries that began after the first of those waiting, and came back
--   resumed_prev    bigint       the 8 weeks before
--   waiting_prev    bigint       the 8 weeks before
--   longest_away_s  double       longest time away of a try that came back, in nine weeks; null: none did
with newest as (
    select max(coalesce(ended_at, started_at)) as seen_until from task_tries where has_log
),
tries as (
    select
        *,
        ended_at is not null  -- a log without stamps does not tell since when
            and log_state in ('deferred', 'up_for_reschedule')
            and state in ('deferred', 'up_for_reschedule', 'running', 'queued', 'scheduled') as is_waiting,
        coalesce(deferred_s, 0) + coalesce(rescheduled_s, 0) as away_s
    from task_tries
    where has_log and try_number > 0 and not is_excluded and not is_quiet and week >= weeks_ago(8) and week <= report_week()
),
waiting as (
    select dag_id, task_id, min(ended_at) as first_at
    from tries
    where is_waiting and week = report_week()
    group by dag_id, task_id
)
select
    tries.dag_id,
    tries.task_id,
    arg_max(log_state, ended_at) filter (where is_waiting and week = report_week()) as kind,
    count(*) filter (where is_waiting and week = report_week()) as waiting,
    count(distinct run_id) filter (where is_waiting and week = report_week()) as runs,
    min(waiting.first_at) as first_at,
    max(ended_at) filter (where is_waiting and week = report_week()) as last_at,
    max(epoch(seen_until) - epoch(ended_at)) filter (where is_waiting and week = report_week()) as waited_s,
    sum(epoch(seen_until) - epoch(ended_at) order by ended_at) filter (where is_waiting and week = report_week()) / 3600 as waited_hours,
    count(*) filter (where not is_waiting and away_s > 0 and week = report_week()) as resumed,
    count(*) filter (where not is_waiting and away_s > 0 and week = report_week() and started_at > waiting.first_at)
        as resumed_since,
    count(*) filter (where not is_waiting and away_s > 0 and week < report_week()) as resumed_prev,
    count(*) filter (where is_waiting and week < report_week()) as waiting_prev,
    max(away_s) filter (where not is_waiting and away_s > 0) as longest_away_s
from tries
join waiting on tries.dag_id = waiting.dag_id and tries.task_id = waiting.task_id
cross join newest
group by tries.dag_id, tries.task_id
order by waited_hours desc, tries.dag_id, tries.task_id
