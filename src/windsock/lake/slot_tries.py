"""The view `slot_tries`: when each try was ready, took its slot and gave it back.

`scheduled_at` is the ready time, and only Airflow 3 keeps it. For 2.x it is rebuilt, and what was rebuilt says so in
`ready_from`: a retry is ready its task's shortest known distance after the try before; a first try when its run began,
or when the last of the tasks ended that may be upstream of it. No input tells the graph, so what may be upstream is
learned: in the last twenty runs it always ended before, and its priority weight is another one (weight rules
`downstream` and `upstream` give neighbours different weights; a DAG with one weight everywhere tells nothing). Too many
candidates make a try ready too late, so the waiting rebuilt is rather too short than too long.
"""

SLOT_TRIES = """
-- One row per try that was queued or started, of this week and the one before: when it was ready (`ready_from`: told,
-- retry, upstream, run; the last three are rebuilt), when it took its slot and gave it back. A try that is open by
-- API or database holds its slot until the end of the week; a deferred one only where the pool counts deferred tasks.
create or replace temp view slot_tries as
with deferring as (
    select
        regexp_extract(key, '^pool[.](.*)[.]include_deferred$', 1) as pool,
        arg_max(lower(value), seen_at) = 'true' as counts_deferred
    from deployments
    where key like 'pool.%.include_deferred'
    group by pool
),
runs as (
    select dag_id, run_id, min(started_at) as run_started_at
    from dag_runs
    group by dag_id, run_id
),
tries as (
    select
        task_tries.*,
        deferring.counts_deferred,
        coalesce(queued_at, task_tries.started_at) as taken_at,
        coalesce(
            ended_at,
            case
                when is_asked
                    and (state in ('running', 'queued', 'restarting') or (state = 'deferred' and counts_deferred))
                    then greatest(week_end(), coalesce(queued_at, task_tries.started_at))
            end
        ) as given_back_at,
        -- what a person cleared days later did not wait for a retry
        case when not is_cleared then lag(ended_at) over attempts end as prev_ended_at
    from task_tries
    left join deferring on task_tries.pool = deferring.pool
    where week >= weeks_ago(1)
        and week <= report_week()
        and try_number > 0
        and coalesce(queued_at, task_tries.started_at) is not null
    window attempts as (partition by dag_id, run_id, task_id, map_index order by try_number)
),
untold as (
    select dag_id, run_id, task_id, map_index, try_number, taken_at
    from tries
    where scheduled_at is null and queued_at is not null and try_number = 1
),
spans as (
    select
        dag_id,
        run_id,
        task_id,
        min(taken_at) as first_taken_at,
        max(ended_at) as last_ended_at,
        max(priority_weight) as weight
    from tries
    where not is_cleared and dag_id in (select dag_id from untold)
    group by dag_id, run_id, task_id
),
recent as (
    select dag_id, run_id
    from spans
    group by dag_id, run_id
    qualify row_number() over (partition by dag_id order by max(first_taken_at) desc, run_id) <= 20
),
weighted as (
    select dag_id, count(distinct weight) > 1 as has_weights from spans group by dag_id
),
upstream as (
    select first.dag_id, first.task_id as upstream_id, later.task_id
    from recent
    join spans as first on recent.dag_id = first.dag_id and recent.run_id = first.run_id
    join spans as later on recent.dag_id = later.dag_id and recent.run_id = later.run_id
    join weighted on recent.dag_id = weighted.dag_id
    where first.task_id <> later.task_id and (not has_weights or first.weight is distinct from later.weight)
    group by first.dag_id, first.task_id, later.task_id
    having coalesce(bool_and(first.last_ended_at <= later.first_taken_at), false)
),
upstream_ends as (
    select untold.dag_id, untold.run_id, untold.task_id, untold.map_index, max(spans.last_ended_at) as upstream_ended_at
    from untold
    join upstream on untold.dag_id = upstream.dag_id and untold.task_id = upstream.task_id
    join spans
        on spans.dag_id = untold.dag_id
        and spans.run_id = untold.run_id
        and spans.task_id = upstream.upstream_id
        and spans.last_ended_at <= untold.taken_at
    group by untold.dag_id, untold.run_id, untold.task_id, untold.map_index
),
delays as (
    select dag_id, task_id, min(taken_at - prev_ended_at) as least_delay
    from tries
    where scheduled_at is null
        and queued_at is not null
        and try_number > 1
        and not is_cleared
        and taken_at >= prev_ended_at
    group by dag_id, task_id
),
rebuilt as (
    select
        tries.*,
        run_started_at,
        upstream_ended_at,
        case
            when scheduled_at is not null then 'told'
            -- queued again after it began: it came back from a deferral, and when it was ready for that nobody tells
            when queued_at is null or queued_at > tries.started_at then null
            when is_cleared then null
            when try_number > 1 and prev_ended_at is not null and least_delay is not null then 'retry'
            when try_number > 1 then null
            when upstream_ended_at is not null and upstream_ended_at >= coalesce(run_started_at, upstream_ended_at)
                then 'upstream'
            when run_started_at is not null then 'run'
        end as ready_from,
        prev_ended_at + least_delay as retry_at
    from tries
    left join runs on tries.dag_id = runs.dag_id and tries.run_id = runs.run_id
    left join upstream_ends
        on tries.dag_id = upstream_ends.dag_id
        and tries.run_id = upstream_ends.run_id
        and tries.task_id = upstream_ends.task_id
        and tries.map_index = upstream_ends.map_index
        and tries.try_number = 1
    left join delays on tries.dag_id = delays.dag_id and tries.task_id = delays.task_id
)
select
    dag_id,
    run_id,
    task_id,
    map_index,
    try_number,
    state,
    pool,
    queue,
    cast(coalesce(pool_slots, 1) as bigint) as slots,
    cast(coalesce(priority_weight, 1) as bigint) as priority,
    case ready_from
        when 'told' then least(scheduled_at, taken_at)
        when 'retry' then least(retry_at, taken_at)
        when 'upstream' then least(upstream_ended_at, taken_at)
        when 'run' then least(run_started_at, taken_at)
    end as ready_at,
    ready_from,
    queued_at,
    taken_at,
    started_at,
    given_back_at,
    run_started_at,
    prev_ended_at,
    is_excluded,
    week,
    operator,
    away,
    coalesce(counts_deferred, false) as counts_deferred,
    coalesce(regexp_matches(operator, '(?i)sensor$') and process_starts = 1, false) as is_poking
from rebuilt;
"""

SLOT_LEGS = """
-- One row per time that a try held its slot: `slot_tries`, but where its log tells when it was deferred or rescheduled, a
-- row for each process. A pool that counts deferred tasks keeps the slot while they are. The ready time belongs to the last
-- leg, as do `scheduled_at` and `queued_at`; earlier ones begin with their process. `is_last_leg` is true once per try.
create or replace temp view slot_legs as
with spans as (
    select
        *,
        list_filter(away, lambda span: split_part(span, '/', 1) <> 'deferred' or not counts_deferred) as gaps
    from slot_tries
),
bounds as (
    select
        *,
        list_concat([started_at], [cast(split_part(gap, '/', 3) as timestamptz) for gap in gaps]) as begins,
        list_concat([cast(split_part(gap, '/', 2) as timestamptz) for gap in gaps], [given_back_at]) as ends
    from spans
    where len(gaps) > 0 and started_at is not null
),
numbered as (
    select *, unnest(range(1, len(begins) + 1)) as leg from bounds
),
placed as (
    select
        * replace (
            ends[leg] as given_back_at,
            -- the last process was queued after the one before had left
            case
                when leg = len(begins) and queued_at between ends[leg - 1] and begins[leg] then queued_at
                else begins[leg]
            end as taken_at
        )
    from numbered
)
select
    * exclude (gaps, begins, ends, leg) replace (
        case
            when leg = len(begins) and ready_at >= ends[leg - 1] then least(ready_at, taken_at)
        end as ready_at,
        case when leg = len(begins) and ready_at >= ends[leg - 1] then ready_from end as ready_from
    ),
    leg = len(begins) as is_last_leg
from placed
union all by name
select
    * exclude (gaps) replace (
        -- deferred without a gap: the slot was kept from the first process on
        case when len(away) > 0 then least(taken_at, started_at) else taken_at end as taken_at,
        case when len(away) > 0 and ready_at > started_at then null else ready_at end as ready_at,
        case when len(away) > 0 and ready_at > started_at then null else ready_from end as ready_from
    ),
    true as is_last_leg
from spans
where coalesce(len(gaps), 0) = 0 or started_at is null;
"""
