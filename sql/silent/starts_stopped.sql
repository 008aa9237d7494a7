-- Did the whole fleet stop starting tasks before the week was over, or before it was last looked at?
--
-- From the newest start of any try to the end of the week, or to the newest pull where that came first; beside it what each
-- of the four weeks before started in the same hours, and the longest time in which they started nothing. Hours of a quiet
-- window are no silence: the newest start counts as at its end. A pull that finds nothing new writes nothing: when it looked
-- is the variable `listed_until`.
--
-- grain:    newest_at
-- reads:    task_tries, objects
-- columns:
--   newest_at      timestamptz  newest start of the week, or the end of a quiet window after it
--   until_at       timestamptz  end of the week, or the newest pull; null where no pull is known
--   silent_s       double       seconds between them
--   usual_tries    bigint       starts in the same hours of that one of the four weeks which had fewest
--   weeks_seen     bigint       of the four weeks, those with a start
--   longest_gap_s  double       longest time between two starts in those weeks, seconds
with starts as (
    select distinct started_at
    from task_tries
    where started_at is not null
        and started_at >= cast(weeks_ago(4) as timestamptz)
        and started_at < week_end()
        and not is_excluded
),
newest as (
    select
        greatest(max(started_at), (
            select max(until_at) from quiet_windows
            where until_at < week_end() and from_at <= (select max(started_at) + interval 1 hour from starts)
        )) as newest_at,
        least(
            week_end(),
            greatest(cast(getvariable('listed_until') as timestamptz), (select max(read_at) from objects))
        ) as until_at
    from starts
    where started_at >= week_start()
),
gaps as (
    select max(epoch(next_at) - epoch(started_at)) as longest_gap_s
    from (select started_at, lead(started_at) over (order by started_at) as next_at from starts) as pairs
    where started_at < week_start()
),
weeks as (
    select unnest([1, 2, 3, 4]) as back
),
usual as (
    select
        back,
        count(task_tries.started_at) as tries,
        count(task_tries.started_at) filter (
            where task_tries.started_at > newest_at - to_days(cast(7 * back as integer))
                and task_tries.started_at < until_at - to_days(cast(7 * back as integer))
        ) as same_hours
    from weeks
    cross join newest
    left join task_tries
        on task_tries.week = weeks_ago(back) and not task_tries.is_excluded
    group by back
)
select
    newest.newest_at,
    newest.until_at,
    epoch(newest.until_at) - epoch(newest.newest_at) as silent_s,
    (select min(same_hours) from usual) as usual_tries,
    (select count(*) from usual where tries > 0) as weeks_seen,
    gaps.longest_gap_s
from newest
cross join gaps
where newest.newest_at is not null
