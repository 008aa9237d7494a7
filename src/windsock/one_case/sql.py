"""What `windsock why` asks beside the questions of `sql/`, because it needs the names of one case: `$dag_id` and the like are bound."""

MOST_TRIES = 2000  # of one case, the newest: what is older explains no week

HOLDS = """'pool_full', 'pool_slots_short', 'max_active_tasks', 'max_active_runs', 'max_active_tis_per_dag',
    'max_active_tis_per_dagrun', 'executor_full'"""

# the case's tries, where they stood until they began, and what the scheduler said most while they stood
TRIES = f"""
with tries as (
    select *, without_frame(error_signature) as bare_signature
    from task_tries
    where dag_id = $dag_id
        and ($task_id = '' or task_id = $task_id)
        and ($run_id = '' or run_id = $run_id)
        and ($run_id <> '' or week = report_week())
    order by coalesce(started_at, queued_at, scheduled_at) desc nulls last, run_id, task_id, map_index, try_number desc
    limit {MOST_TRIES}
),
slots as (
    select run_id, task_id, map_index, try_number, ready_at, ready_from from slot_tries where dag_id = $dag_id
),
stood as (
    select
        tries.*,
        slots.ready_at,
        slots.ready_from,
        getvariable('seen_until') as seen_until
    from tries
    left join slots using (run_id, task_id, map_index, try_number)
),
failures as (
    select run_id, list_sort(list(distinct task_id)) as failed_in_run
    from task_tries
    where dag_id = $dag_id and state = 'failed'
    group by run_id
),
holds as (
    select event, dag_id, task_id, pool, event_at
    from component_events
    where event in ({HOLDS})
)
select
    stood.*,
    (
        select mode(event order by event)
        from holds
        where holds.event_at >= date_trunc('minute', stood.ready_at)
            and holds.event_at < coalesce(stood.queued_at, stood.started_at, stood.seen_until)
            and (
                holds.event = 'executor_full'
                or holds.event = 'pool_full' and holds.pool = stood.pool
                or holds.dag_id = stood.dag_id and coalesce(holds.task_id, stood.task_id) = stood.task_id
            )
    ) as hold,
    failures.failed_in_run
from stood
left join failures on stood.run_id = failures.run_id
order by coalesce(started_at, queued_at, scheduled_at) desc nulls last, run_id, task_id, map_index, try_number desc
"""

NAMES = """
select distinct dag_id from task_logs where dag_id is not null
union
select distinct dag_id from task_instances where dag_id is not null
order by dag_id
"""

# the causes of this DAG's errors of the week, and every DAG that a log names with them
ELSEWHERE = """
with failed as (
    select dag_id, cause
    from task_logs
    join error_causes on bare_signature = without_frame(error_signature)
    where started_at >= week_start()
        and started_at < week_end()
        and state in ('failed', 'up_for_retry')
        and error_signature is not null
)
select distinct dag_id, cause
from failed
where cause in (select cause from failed where dag_id = $dag_id)
order by cause, dag_id
"""

# How all other DAGs together filled each pool, as rows of `try_waits`: they hold slots, and what held all of them shows in
# their waits. Taken and given back as `slot_tries` has it, without what only a DAG's own story needs (retries, clears, rebuilt
# ready times), which costs five times as much; a deferred try holds none. Of many waits every n-th speaks.
OTHERS = """
with told as (
    select
        hash(dag_id, run_id, task_id, coalesce(map_index, -1), try_number) as place,
        max(pool) as pool,
        max(pool_slots) as pool_slots,
        max(scheduled_at) as scheduled_at,
        max(queued_at) as queued_at,
        max(started_at) as started_at,
        max(case
            when ended_at is null
                and state in ('running', 'queued', 'restarting')
                and (object_url like 'db:%' or object_url like 'api:%')
                then week_end()
            else ended_at
        end) as ended_at
    from task_instances
    where try_number > 0 and dag_id <> $dag_id
    group by place
),
logged as (
    select
        hash(dag_id, run_id, task_id, coalesce(map_index, -1), try_number) as place,
        max(started_at) as started_at,
        max(ended_at) as ended_at
    from task_logs
    where try_number > 0 and dag_id <> $dag_id
    group by place
),
tries as (
    select
        coalesce(logged.place, told.place) as place,
        coalesce(pool, '') as pool,
        cast(coalesce(pool_slots, 1) as bigint) as slots,
        coalesce(queued_at, logged.started_at, told.started_at) as taken_at,
        coalesce(logged.ended_at, told.ended_at) as given_back_at,
        case when queued_at is not null then coalesce(logged.started_at, told.started_at) end as started_at,
        scheduled_at as ready_at
    from logged
    full join told on logged.place = told.place
),
speaking as (
    select * replace (
        case when is_heard and taken_at >= week_start() then least(ready_at, taken_at) end as ready_at,
        case when is_heard then started_at end as started_at
    )
    from (select *, place % greatest(1, count(*) over () // 20000) = 0 as is_heard from tries)
)
select
    '' as dag_id,
    '' as task_id,
    pool,
    0 as tries,
    false as is_per_run,
    0 as ready_told,
    0 as ready_rebuilt,
    0.0 as upstream_hours,
    0.0 as retry_hours,
    list(0) as run_no,
    list(slots) as slots,
    list(epoch_us(ready_at - week_start()) / 1e6) as ready_s,
    list(epoch_us(taken_at - week_start()) / 1e6) as taken_s,
    list(epoch_us(started_at - week_start()) / 1e6) as started_s,
    list(epoch_us(given_back_at - week_start()) / 1e6) as given_back_s
from speaking
where given_back_at >= week_start() and taken_at < week_end() and given_back_at >= taken_at
group by pool
order by pool
"""
