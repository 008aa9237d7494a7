-- Did the whole fleet stop starting tasks before the week was over, or before it was last looked at?
--
-- From the newest start of any try to the end of the week, or to the newest pull where that came first; beside it what each
-- of the four weeks before started in the same hours, and the longest time in which they started nothing. Hours of a quiet
-- window are no silence, nor are starts in these hours usual. A pull that finds nothing new writes nothing: when it looked
-- is the variable `listed_until`. A DAG that had stopped before the others did (paused, removed) says nothing of the silence: its
-- last start of the week is longer ago than in any of the four weeks, of which each had one in between. An hour more or less is
-- no stop.
--
-- grain:    newest_at
-- reads:    task_tries, objects
-- columns:
--   newest_at      timestamptz  newest start of the week
--   until_at       timestamptz  end of the week, or the newest pull; null where no pull is known
--   silent_s       double       seconds between them, without quiet windows
--   usual_tries    bigint       starts in the same hours of that one of the four weeks which had fewest
--   going_tries    bigint       the same, of DAGs that had not stopped before the others
--   dags           bigint       DAGs that started something in the four weeks
--   stopped_dags   bigint       of those, such as had stopped before the others
--   weeks_seen     bigint       of the four weeks, those with a start
--   longest_gap_s  double       longest time between two starts in those weeks, seconds
with starts as (
    select dag_id, started_at, is_quiet(started_at + to_days(cast(report_week() - week as integer))) as is_quiet_now, week
    from task_tries
    where started_at is not null
        and week >= weeks_ago(4)
        and week <= report_week()
        and not is_excluded
),
newest as (
    select
        max(started_at) as newest_at,
        least(
            week_end(),
            greatest(cast(getvariable('listed_until') as timestamptz), (select max(read_at) from objects))
        ) as until_at
    from starts
    where week = report_week() and started_at < week_end()
),
quiet as (
    select coalesce(sum(epoch(least(quiet_windows.until_at, newest.until_at)) - epoch(greatest(from_at, newest_at))), 0) as quiet_s
    from newest
    join quiet_windows on from_at < newest.until_at and quiet_windows.until_at > newest_at
),
gaps as (
    select max(epoch(next_at) - epoch(started_at)) as longest_gap_s
    from (
        select started_at, lead(started_at) over (order by started_at) as next_at
        from starts
        where started_at < week_start()
    ) as pairs
),
own_last as (
    select dag_id, coalesce(max(started_at) filter (where week = report_week()), week_start()) as own_last_at
    from starts
    where started_at < week_end()
    group by dag_id
    having count(*) filter (where week < report_week()) > 0
),
stopped as (
    select dag_id
    from own_last
    cross join newest
    join starts using (dag_id)
    where starts.week < report_week()
        and starts.started_at + to_days(cast(report_week() - starts.week as integer)) > own_last_at + to_hours(1)
        and starts.started_at + to_days(cast(report_week() - starts.week as integer)) <= newest_at - to_hours(1)
    group by dag_id
    having count(distinct starts.week) = 4
),
weeks as (
    select unnest([1, 2, 3, 4]) as back
),
usual as (
    select
        back,
        count(starts.started_at) as tries,
        count(starts.started_at) filter (
            where starts.started_at > newest_at - to_days(cast(7 * back as integer))
                and starts.started_at < until_at - to_days(cast(7 * back as integer))
                and not is_quiet_now
        ) as same_hours,
        count(starts.started_at) filter (
            where starts.started_at > newest_at - to_days(cast(7 * back as integer))
                and starts.started_at < until_at - to_days(cast(7 * back as integer))
                and not is_quiet_now
                and starts.dag_id not in (select dag_id from stopped)
        ) as going_hours
    from weeks
    cross join newest
    left join starts on starts.week = weeks_ago(back)
    group by back
)
select
    newest.newest_at,
    newest.until_at,
    epoch(newest.until_at) - epoch(newest.newest_at) - quiet.quiet_s as silent_s,
    (select min(same_hours) from usual) as usual_tries,
    (select min(going_hours) from usual) as going_tries,
    (select count(*) from own_last) as dags,
    (select count(*) from stopped) as stopped_dags,
    (select count(*) from usual where tries > 0) as weeks_seen,
    gaps.longest_gap_s
from newest
cross join quiet
cross join gaps
where newest.newest_at is not null
