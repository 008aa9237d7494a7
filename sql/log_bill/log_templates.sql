-- Which lines fill the logs: templates of messages, by bytes?
--
-- A template is the signature of an error, else the message with numbers, ids and times blanked, its first 200 characters.
-- Only records that the pull kept: with `lines = "errors"` these are errors, with `lines = "all"` every record. The hundred
-- that take most, in the week.
--
-- grain:    template, logger
-- reads:    log_events
-- columns:
--   template       varchar
--   logger         varchar  empty where it is not told
--   level          varchar  of most of them
--   records        bigint
--   message_bytes  bigint   of their messages, as they were kept
--   share          double   of the bytes of all records that were kept in the week, fraction 0-1
--   dags           bigint
--   tries          bigint
with said as (
    select
        coalesce(
            error_signature,
            left(regexp_replace(
                message,
                '[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|0x[0-9a-fA-F]+|[0-9a-fA-F]{16,}|[0-9]+([.:,/T-][0-9]+)*',
                '#',
                'g'
            ), 200),
            ''
        ) as template,
        coalesce(logger, '') as logger,
        level,
        strlen(coalesce(message, '')) as said_bytes,
        dag_id,
        hash(dag_id, run_id, task_id, map_index, try_number) as attempt
    from log_events
    where logged_at >= week_start() and logged_at < week_end()
)
select
    template,
    logger,
    mode(level order by level) as level,
    count(*) as records,
    cast(sum(said_bytes) as bigint) as message_bytes,
    sum(said_bytes) / nullif(sum(sum(said_bytes)) over (), 0) as share,
    count(distinct dag_id) as dags,
    count(distinct attempt) as tries
from said
group by template, logger
qualify row_number() over (order by sum(said_bytes) desc, template, logger) <= 100
order by message_bytes desc, template, logger
