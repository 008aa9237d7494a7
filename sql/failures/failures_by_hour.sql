-- In which hours did more DAGs fail than their own past explains?
--
-- The unit is a DAG in an hour in which tries of it ended; it failed if one of them did. A DAG's own chance is the share of
-- its other hours of nine weeks in which it failed, drawn to the fleet's share by two hours. Where DAGs often fail
-- together (a nightly restart of a database), the past of that hour says so, and the spread of all earlier hours does.
--
-- grain:    hour_at
-- reads:    task_tries
-- columns:
--   hour_at       timestamptz  start of an hour of the week in which a judged try ended
--   dags          bigint       with a try that ended in the hour
--   failed_dags   bigint       of those, with one that failed
--   expected      double       sum of the DAGs' own chances to fail in an hour
--   variance      double       of the number of failed DAGs, did they fail independently
--   usual         double       failed DAGs at this hour before: mean by day, or by week at this weekday, whichever is more
--   spread        double       squared deviation of all hours before over the sum of `variance`; null without such hours
--   hosts         bigint       workers on which tries ended in the hour; 0 where logs tell none
with tries as (
    select
        dag_id,
        date_trunc('hour', coalesce(ended_at, started_at)) as hour_at,
        hostname,
        state in ('failed', 'up_for_retry') as is_failed
    from task_tries
    where week >= weeks_ago(8)
        and week <= report_week()
        and is_judged
        and state in ('success', 'failed', 'up_for_retry')
        and coalesce(ended_at, started_at) < week_end()
),
dag_hours as (
    select dag_id, hour_at, bool_or(is_failed)::integer as failed
    from tries
    group by dag_id, hour_at
),
chances as (
    select
        hour_at,
        failed,
        (
            sum(failed) over of_dag - failed + 2 * (select avg(failed) from dag_hours)
        ) / (count(*) over of_dag + 1) as chance
    from dag_hours
    window of_dag as (partition by dag_id)
),
hours as (
    select
        hour_at,
        count(*) as dags,
        sum(failed) as failed_dags,
        sum(chance) as expected,
        sum(chance * (1 - chance)) as variance
    from chances
    group by hour_at
),
past as (
    select
        sum((failed_dags - expected) ** 2) / nullif(sum(variance), 0) as spread,
        count(distinct cast(hour_at as date)) as days,
        count(distinct monday_of(hour_at)) as weeks
    from hours
    where hour_at < week_start()
),
by_day as (
    select hour(hour_at) as of_day, sum(failed_dags) as failed_dags
    from hours
    where hour_at < week_start()
    group by hour(hour_at)
),
by_week as (
    select hour(hour_at) as of_day, dayofweek(hour_at) as weekday, sum(failed_dags) as failed_dags
    from hours
    where hour_at < week_start()
    group by hour(hour_at), dayofweek(hour_at)
),
workers as (
    select hour_at, count(distinct hostname) as hosts
    from tries
    where hour_at >= week_start()
    group by hour_at
)
select
    hours.hour_at,
    hours.dags,
    cast(hours.failed_dags as bigint) as failed_dags,
    hours.expected,
    hours.variance,
    greatest(
        coalesce(by_day.failed_dags / past.days, 0), coalesce(by_week.failed_dags / past.weeks, 0)
    ) as usual,
    past.spread,
    workers.hosts
from hours
cross join past
join workers on workers.hour_at = hours.hour_at
left join by_day on by_day.of_day = hour(hours.hour_at)
left join by_week on by_week.of_day = hour(hours.hour_at) and by_week.weekday = dayofweek(hours.hour_at)
where hours.hour_at >= week_start()
order by hours.hour_at
