-- Which task looks like another one of its DAG under a new name?
--
-- By two readings of the DAG (`dag_tasks`): in one step one task went and another came, with the same operator, after the same
-- tasks and before the same. Neighbours that went or came in the same step count as such, whatever their names. Of a DAG that was not
-- read twice by its runs, which prove less: one task was in the runs up to one, another in those from the next one on, and
-- the tasks that always ended before it began, or began after it ended, are the same. Told where the new one's first start
-- lies after the old one's last. `[scope] renamed = {"dag_id/new" = "old"}` joins them, and the row goes.
--
-- grain:    dag_id, task_id, former_task_id
-- reads:    dag_tasks, task_tries
-- columns:
--   dag_id          varchar
--   task_id         varchar      the new one
--   former_task_id  varchar
--   told_by         varchar      readings, runs
--   operator        varchar      null: not told
--   kept            bigint       tasks beside it, before or after, that kept their names
--   alike           bigint       pairs of this step that are this one or rival it; 1: no other; where more than nine could be it, none is told
--   runs            bigint       judged runs that have the new one, until the week's end
--   former_runs     bigint
--   runs_since      bigint       judged runs of the DAG from the first to the newest that could have it
--   runs_before     bigint       the same of the old one, up to the last that has it
--   shared_runs     bigint       runs in which both began
--   former_until    timestamptz  last start of the old one
--   first_at        timestamptz  first start of the new one
--   work_s          double       median time of its tries that ended well
--   former_work_s   double
with tellers as (
    select dag_id, seen_at, max(source) as source
    from dag_tasks
    where seen_at < week_end() + interval 2 days
    group by dag_id, seen_at
),
read as (
    select
        dag_tasks.dag_id,
        dag_tasks.seen_at,
        dag_tasks.task_id,
        dag_tasks.operator,
        dag_tasks.downstream_task_ids
    from dag_tasks
    join tellers
        on dag_tasks.dag_id = tellers.dag_id
        and dag_tasks.seen_at = tellers.seen_at
        and dag_tasks.source is not distinct from tellers.source
),
steps as (
    select dag_id, seen_at, lead(seen_at) over (partition by dag_id order by seen_at) as next_at from tellers
),
lives as (
    select dag_id, task_id, min(seen_at) as first_at, max(seen_at) as last_at from read group by dag_id, task_id
),
-- what went is looked at in the last reading that has it, what came in the first one
moved as (
    select
        lives.dag_id,
        lives.task_id,
        steps.next_at as step_at,
        steps.seen_at,
        'old' as side
    from lives
    join steps on lives.dag_id = steps.dag_id and lives.last_at = steps.seen_at
    where steps.next_at is not null
    union all
    select lives.dag_id, lives.task_id, steps.next_at, steps.next_at, 'new'
    from lives
    join steps on lives.dag_id = steps.dag_id and lives.first_at = steps.next_at
),
edges as (
    select dag_id, seen_at, task_id, unnest(downstream_task_ids) as down_id
    from read
    where dag_id in (select dag_id from moved)
),
beside as (
    select moved.dag_id, moved.task_id, moved.seen_at, moved.side, 'up' as way, edges.task_id as other_id
    from moved
    join edges on moved.dag_id = edges.dag_id and moved.seen_at = edges.seen_at and moved.task_id = edges.down_id
    union all
    select moved.dag_id, moved.task_id, moved.seen_at, moved.side, 'down', edges.down_id
    from moved
    join edges on moved.dag_id = edges.dag_id and moved.seen_at = edges.seen_at and moved.task_id = edges.task_id
),
named as (
    select
        beside.dag_id,
        beside.task_id,
        beside.seen_at,
        beside.side,
        beside.way,
        case when others.task_id is null then beside.other_id end as kept_id
    from beside
    left join moved as others
        on beside.dag_id = others.dag_id
        and beside.seen_at = others.seen_at
        and beside.side = others.side
        and beside.other_id = others.task_id
),
placed as (
    select
        moved.dag_id,
        moved.task_id,
        moved.step_at,
        moved.side,
        any_value(read.operator) as operator,
        coalesce(list_sort(list(coalesce(named.kept_id, '/')) filter (where named.way = 'up')), []) as ups,
        coalesce(list_sort(list(coalesce(named.kept_id, '/')) filter (where named.way = 'down')), []) as downs
    from moved
    join read on moved.dag_id = read.dag_id and moved.seen_at = read.seen_at and moved.task_id = read.task_id
    left join named
        on moved.dag_id = named.dag_id
        and moved.seen_at = named.seen_at
        and moved.side = named.side
        and moved.task_id = named.task_id
    group by moved.dag_id, moved.task_id, moved.step_at, moved.side
),
-- counted before they are paired: a DAG may name hundreds of tasks anew each time
counted as (
    select
        *,
        count(*) over (partition by dag_id, step_at, side, operator) as of_kind,
        count(*) over (partition by dag_id, step_at, side, operator, ups, downs) as of_place
    from placed
),
-- a pair of the same place, and what could as well be one: with the same kept tasks on one side (a task that became two)
rivals as (
    select
        old.dag_id,
        new.task_id,
        old.task_id as former_task_id,
        new.operator,
        old.ups = new.ups and old.downs = new.downs as is_same_place,
        len(list_filter(list_concat(old.ups, old.downs), lambda one: one <> '/')) as kept,
        count(*) over (partition by old.dag_id, old.step_at, old.task_id) as of_old,
        count(*) over (partition by new.dag_id, new.step_at, new.task_id) as of_new
    from counted as old
    join counted as new on old.dag_id = new.dag_id and old.step_at = new.step_at and old.operator = new.operator
    where old.side = 'old'
        and new.side = 'new'
        and old.of_kind * new.of_kind <= 10000
        and (
            (old.ups = new.ups and old.downs = new.downs and old.of_place * new.of_place <= 9)
            or (old.ups = new.ups and old.downs <> new.downs and len(list_filter(old.ups, lambda one: one <> '/')) > 0)
            or (old.downs = new.downs and old.ups <> new.ups and len(list_filter(old.downs, lambda one: one <> '/')) > 0)
        )
),
by_readings as (
    select dag_id, task_id, former_task_id, operator, kept, greatest(of_old, of_new) as alike
    from rivals
    where is_same_place
),
tries as (
    select
        dag_id,
        task_id,
        run_id,
        operator,
        is_judged,
        started_at,
        coalesce(ended_at, started_at) as ended_at,
        case when state = 'success' then epoch_us(ended_at - started_at) / 1e6 end as work_s
    from task_tries
    where started_at < week_end() and week >= weeks_ago(8) and try_number > 0
),
here as (
    select dag_id, task_id, run_id, min(started_at) as began_at, max(ended_at) as ended_at
    from tries
    where is_judged
    group by dag_id, task_id, run_id
),
runs as (
    select
        dag_id,
        run_id,
        row_number() over (partition by dag_id order by min(began_at), run_id) as place
    from here
    group by dag_id, run_id
),
spans as (
    select here.dag_id, here.task_id, min(runs.place) as first_place, max(runs.place) as last_place
    from here
    join runs on here.dag_id = runs.dag_id and here.run_id = runs.run_id
    group by here.dag_id, here.task_id
),
-- these, too, are counted before they are paired
went as (
    select dag_id, last_place, count(*) as tasks from spans group by dag_id, last_place
),
came as (
    select dag_id, first_place, count(*) as tasks from spans group by dag_id, first_place
),
pairs as (
    select
        old.dag_id,
        new.task_id,
        old.task_id as former_task_id,
        old.last_place,
        went.tasks * came.tasks as alike
    from went
    join came on went.dag_id = came.dag_id and went.last_place + 1 = came.first_place
    join spans as old on went.dag_id = old.dag_id and went.last_place = old.last_place
    join spans as new on came.dag_id = new.dag_id and came.first_place = new.first_place
    where went.tasks * came.tasks <= 9
        and went.dag_id not in (select dag_id from steps where next_at is not null)
),
sides as (
    select dag_id, task_id as moved_id, task_id, former_task_id, last_place, alike from pairs
    union all
    select dag_id, former_task_id, task_id, former_task_id, last_place, alike from pairs
),
-- tasks of the same runs that were there before and after the step, by whether they always ended before or began after
ordered as (
    select
        sides.dag_id,
        sides.task_id,
        sides.former_task_id,
        sides.alike,
        sides.moved_id,
        others.task_id as other_id,
        case
            when bool_and(others.ended_at <= mine.began_at) then 'up'
            when bool_and(others.began_at >= mine.ended_at) then 'down'
        end as way
    from sides
    join here as mine on sides.dag_id = mine.dag_id and sides.moved_id = mine.task_id
    join here as others on mine.dag_id = others.dag_id and mine.run_id = others.run_id
    join spans
        on others.dag_id = spans.dag_id
        and others.task_id = spans.task_id
        and spans.first_place <= sides.last_place
        and spans.last_place > sides.last_place
    group by sides.dag_id, sides.task_id, sides.former_task_id, sides.alike, sides.moved_id, others.task_id
),
order_of as (
    select
        dag_id,
        task_id,
        former_task_id,
        moved_id,
        any_value(alike) as alike,
        count(way) as kept,
        string_agg(way || ' ' || other_id, chr(10) order by way, other_id) as place
    from ordered
    group by dag_id, task_id, former_task_id, moved_id
),
by_runs as (
    select new.dag_id, new.task_id, new.former_task_id, new.kept, new.alike
    from order_of as new
    join order_of as old
        on new.dag_id = old.dag_id
        and new.task_id = old.task_id
        and new.former_task_id = old.former_task_id
        and new.place = old.place
    where new.moved_id = new.task_id and old.moved_id = old.former_task_id
),
found as (
    select dag_id, task_id, former_task_id, 'readings' as told_by, operator, kept, alike from by_readings
    union all
    select dag_id, task_id, former_task_id, 'runs', null, kept, alike from by_runs
),
seen as (
    select
        dag_id,
        task_id,
        max_by(operator, started_at) filter (where operator is not null) as operator,
        list(distinct run_id) as run_ids,
        count(distinct run_id) filter (where is_judged) as runs,
        min(started_at) as first_at,
        max(started_at) as last_at,
        median(work_s) as work_s
    from tries
    where (dag_id, task_id) in (select (dag_id, task_id) from found)
        or (dag_id, task_id) in (select (dag_id, former_task_id) from found)
    group by dag_id, task_id
),
numbered as (
    select dag_id, max(place) as places from runs group by dag_id
)
select
    found.dag_id,
    found.task_id,
    found.former_task_id,
    found.told_by,
    coalesce(found.operator, new.operator) as operator,
    found.kept,
    found.alike,
    new.runs,
    old.runs as former_runs,
    coalesce(numbered.places - new_span.first_place + 1, 0) as runs_since,
    coalesce(old_span.last_place - old_span.first_place + 1, 0) as runs_before,
    len(list_intersect(new.run_ids, old.run_ids)) as shared_runs,
    old.last_at as former_until,
    new.first_at,
    new.work_s,
    old.work_s as former_work_s
from found
join seen as new on found.dag_id = new.dag_id and found.task_id = new.task_id
join seen as old on found.dag_id = old.dag_id and found.former_task_id = old.task_id
left join numbered on found.dag_id = numbered.dag_id
left join spans as new_span on found.dag_id = new_span.dag_id and found.task_id = new_span.task_id
left join spans as old_span on found.dag_id = old_span.dag_id and found.former_task_id = old_span.task_id
where old.last_at < new.first_at
    and (found.told_by = 'readings' or new.operator is not distinct from old.operator)
order by found.dag_id, found.task_id, found.former_task_id
