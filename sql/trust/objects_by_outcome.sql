-- What became of the objects that were read?
--
-- grain:    kind, outcome, reject_reason
-- reads:    objects
-- columns:
--   kind           varchar
--   outcome        varchar   parsed, ignored, reject
--   reject_reason  varchar   empty for parsed ones
--   objects        bigint    modified in the week
--   bytes          bigint
select
    kind,
    outcome,
    coalesce(reject_reason, '') as reject_reason,
    count(*) as objects,
    cast(coalesce(sum(size), 0) as bigint) as bytes
from objects
where modified_at >= week_start() and modified_at < week_end()
group by kind, outcome, coalesce(reject_reason, '')
order by kind, outcome, reject_reason
