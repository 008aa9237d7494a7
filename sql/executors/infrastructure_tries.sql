-- Which tries did the infrastructure end, how, and how many retries did that burn?
--
-- From what the executors and the scheduler tell: pods killed for memory, evicted, never placed, with an image that cannot be
-- had; workers that were lost; tasks given up in a queue. One pod is told by several lines: it counts once, with the line
-- that knows most. A pod that was launched again by the executor (`pod_requeued`) cost no try. `memory_request` is what
-- Kubernetes itself said, where it did. Where no other input knows the try, one that came after it says that it was tried
-- again, and the run's end that it was lost, as in `lost_workers`.
--
-- grain:    trouble, dag_id, task_id
-- reads:    component_events, dag_runs, task_tries
-- columns:
--   trouble         varchar      out_of_memory, evicted, deleted, not_placed, image, pod_setup, refused, unreachable, not_launched,
--                                pod_failed, worker_lost, queued_too_long
--   dag_id          varchar      empty where nobody tells whose pod it was
--   task_id         varchar
--   tries           bigint       tries or pods ended or held so in the week
--   retried         bigint       of them, tries that were tried again
--   lost            bigint       of them, tries that were the last one
--   free            bigint       of them, pods launched again, refused or never launched, without a try used
--   reasons         varchar[]    in Kubernetes' words, with exit codes
--   memory_request  varchar      last one told: 1Gi, limits.memory=8Gi, 1073741824
--   detail          varchar      of the last one: pod and message
--   tries_prev      bigint       the same trouble of the task, the 4 weeks before
--   first_at        timestamptz
--   last_at         timestamptz
with told as (
    select
        *,
        case
            when event in ('heartbeat_timeout', 'worker_process_lost') then 'worker_lost'
            when event in ('queue_timeout', 'stuck_in_queued') then 'queued_too_long'
            when reason = 'OOMKilled' or (exit_code = 137 and event = 'pod_failed') then 'out_of_memory'
            when reason = 'Evicted' or detail like '%low on resource%' then 'evicted'
            when reason in ('ImagePullBackOff', 'ErrImagePull', 'InvalidImageName', 'ErrImageNeverPull',
                            'ImageInspectError', 'RegistryUnavailable')
                then 'image'
            when reason like 'OutOf%'
                or reason in ('pending', 'Unschedulable', 'NodeAffinity', 'UnexpectedAdmissionError', 'ProviderFailed')
                then 'not_placed'
            when reason in ('CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'StartError',
                            'ContainerCannotRun', 'PodMutationHook', 'InvalidExecutorConfig', 'PodReconciliation')
                then 'pod_setup'
            when event = 'pod_not_launched' then 'not_launched'
            when reason = 'KubernetesUnreachable' then 'unreachable'
            when event = 'pod_refused' or reason = 'Forbidden' then 'refused'
            when event = 'pod_deleted'
                or reason in ('Preempting', 'Preempted', 'NodeLost', 'NodeShutdown', 'Shutdown', 'Terminated')
                then 'deleted'
            else 'pod_failed'
        end as trouble,
        event in ('pod_requeued', 'pod_refused', 'pod_not_launched', 'stuck_in_queued') as is_free,
        -- the pod, without its namespace; all names of pods that Airflow makes have a hyphen
        case when event like 'pod_%' then regexp_extract(detail, '^(?:[^/;, ]+/)?([^/;, ]+-[^/;, ]+)', 1) end as pod
    from component_events
    where event in ('pod_failed', 'pod_deleted', 'pod_not_started', 'pod_requeued', 'pod_refused', 'pod_not_launched',
                    'heartbeat_timeout', 'queue_timeout', 'stuck_in_queued', 'worker_process_lost')
        and monday_of(event_at) >= weeks_ago(4)
        and event_at < week_end()
        and not is_quiet(event_at)
        and not exists (select 1 from excluded_dags where component_events.dag_id glob pattern)
),
-- several lines of one pod, or of one try: whose it was from any of them, and how it ended from the one that says most
marked as (
    select
        *,
        coalesce(
            case when event in ('pod_failed', 'pod_deleted', 'pod_not_started') then nullif(pod, '') end,
            -- the audit log tells it as well, a moment apart; of queues the scheduler's log names no try
            case
                when event in ('heartbeat_timeout', 'queue_timeout') and run_id is not null
                    then concat_ws(
                        ' ', event, dag_id, run_id, task_id, coalesce(map_index, -1),
                        case when event = 'heartbeat_timeout' then try_number end
                    )
            end,
            concat_ws(' ', event, dag_id, run_id, task_id, coalesce(map_index, -1), date_trunc('minute', event_at))
        ) as of_what
    from told
),
single as (
    select
        of_what,
        max(dag_id) as dag_id,
        max(run_id) as run_id,
        max(task_id) as task_id,
        max(map_index) as map_index,
        max(try_number) as try_number,
        arg_min(trouble, (trouble = 'pod_failed', reason is null, event_at)) as trouble,
        bool_and(is_free) as is_free,
        arg_min(reason, (trouble = 'pod_failed', event_at)) filter (where reason is not null) as reason,
        max(exit_code) as exit_code,
        arg_max(detail, (length(detail), event_at)) as detail,
        min(event_at) as told_at
    from marked
    group by of_what
),
later as (
    select dag_id, run_id, task_id, map_index, max(try_number) as try_number
    from task_tries
    where run_id in (select run_id from single)
    group by dag_id, run_id, task_id, map_index
),
joined as (
    select
        single.*,
        single.told_at >= week_start() as is_of_week,
        coalesce(tries.state = 'up_for_retry', later.try_number > single.try_number, false)
        and not single.is_free as is_retried,
        coalesce(tries.last_try and tries.state = 'failed', runs.state = 'failed' and later.try_number is null, false)
        and not single.is_free as is_lost,
        nullif(coalesce(
            nullif(regexp_extract(single.detail, 'request is ([0-9A-Za-z.]+)', 1), ''),
            nullif(regexp_extract(single.detail, 'requested: ([a-z.]*memory=[0-9A-Za-z.]+|[0-9]+)', 1), '')
        ), '') as memory_request
    from single
    left join task_tries as tries
        on single.dag_id = tries.dag_id
        and single.run_id = tries.run_id
        and single.task_id = tries.task_id
        and coalesce(single.map_index, -1) = tries.map_index
        and single.try_number = tries.try_number
    left join later
        on single.dag_id = later.dag_id
        and single.run_id = later.run_id
        and single.task_id = later.task_id
        and coalesce(single.map_index, -1) = later.map_index
    left join known_runs as runs on single.dag_id = runs.dag_id and single.run_id = runs.run_id
)
select
    trouble,
    coalesce(dag_id, '') as dag_id,
    coalesce(task_id, '') as task_id,
    count(*) filter (where is_of_week) as tries,
    count(*) filter (where is_of_week and is_retried) as retried,
    count(*) filter (where is_of_week and is_lost) as lost,
    count(*) filter (where is_of_week and is_free) as free,
    list_sort(coalesce(list(distinct reason || coalesce(' ' || exit_code, '')) filter (
        where is_of_week and reason is not null
    ), [])) as reasons,
    arg_max(memory_request, (told_at, of_what)) filter (where memory_request is not null) as memory_request,
    arg_max(detail, (told_at, of_what)) filter (where is_of_week) as detail,
    count(*) filter (where not is_of_week) as tries_prev,
    min(told_at) filter (where is_of_week) as first_at,
    max(told_at) filter (where is_of_week) as last_at
from joined
group by trouble, coalesce(dag_id, ''), coalesce(task_id, '')
having count(*) filter (where is_of_week) > 0
order by tries desc, trouble, coalesce(dag_id, ''), coalesce(task_id, '')
