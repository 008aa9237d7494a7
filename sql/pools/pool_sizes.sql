-- How many slots did each pool have, and from when to when?
--
-- grain:    pool, from_at
-- reads:    pool_spans
-- columns:
--   pool              varchar
--   from_at           timestamptz  first sample of this size; the start of the week when it had it before
--   until_at          timestamptz  first sample of the next size, else the end of the week
--   slots             bigint       2147483647 where the pool has no limit
--   includes_deferred boolean      whether deferred tasks hold slots, by the gauges
select pool, from_at, until_at, slots, includes_deferred
from pool_spans
order by pool, from_at
