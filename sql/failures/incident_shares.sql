-- What do the tries that failed with one error share, and how common is that in the week's other tries?
--
-- Per error the most frequent DAG, host, hour, operator, pool, queue, executor, bundle version, DAG file, and connection that
-- was taken last (empty: its log names none). A value that
-- most of the week's tries have, too, says nothing.
--
-- grain:    cause, attribute
-- reads:    task_tries, error_causes
-- columns:
--   cause         varchar  login, connection or host by name, else the signature without its frame
--   attribute     varchar  dag, hostname, hour, operator, pool, queue, executor, bundle_version, dag_file,
--                          connection
--   value         varchar  the most frequent one; an hour as its start, UTC
--   tries         bigint   failed tries with this value
--   known         bigint   failed tries of the cause that tell the attribute
--   all_tries     bigint   the week's judged tries with this value, whatever their end
--   all_known     bigint   the week's judged tries that tell the attribute
with judged as (
    select
        case when state in ('failed', 'up_for_retry') then cause end as cause,
        unnest(
            [
                {'attribute': 'dag', 'value': dag_id},
                {'attribute': 'hostname', 'value': hostname},
                {'attribute': 'hour', 'value': strftime(date_trunc('hour', started_at), '%Y-%m-%dT%H:00Z')},
                {'attribute': 'operator', 'value': operator},
                {'attribute': 'pool', 'value': pool},
                {'attribute': 'queue', 'value': queue},
                {'attribute': 'executor', 'value': executor},
                {'attribute': 'bundle_version', 'value': bundle_version},
                {'attribute': 'dag_file', 'value': dag_file},
                {'attribute': 'connection', 'value': case when has_log then coalesce(connections[-1], '') end}
            ],
            recursive := true
        )
    from task_tries
    left join error_causes on bare_signature = without_frame(error_signature)
    where week = report_week() and is_judged
),
counted as (
    select
        attribute,
        value,
        cause,
        count(*) as tries
    from judged
    where value is not null
    group by all
),
everywhere as (
    select attribute, value, sum(tries) as all_tries
    from counted
    group by all
)
select
    cause,
    attribute,
    value,
    tries,
    cast(sum(tries) over (partition by cause, attribute) as bigint) as known,
    cast(all_tries as bigint) as all_tries,
    cast((select sum(all_tries) from everywhere as other where other.attribute = counted.attribute) as bigint) as all_known
from counted
join everywhere using (attribute, value)
where cause is not null
qualify row_number() over (partition by cause, attribute order by tries desc, value) = 1
order by cause, attribute
