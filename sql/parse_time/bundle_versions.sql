-- When did each version of each bundle first appear?
--
-- In task logs and in measured parses. A local bundle has no versions and no row here.
--
-- grain:    bundle_name, bundle_version
-- reads:    task_tries, parse_samples
-- columns:
--   bundle_name     varchar      empty where no source tells it
--   bundle_version  varchar
--   first_at        timestamptz
with seen as (
    select bundle_name, bundle_version, started_at as seen_at from task_tries
    union all
    select bundle_name, bundle_version, parsed_at from parse_samples
)
select
    coalesce(bundle_name, '') as bundle_name,
    bundle_version,
    min(seen_at) as first_at
from seen
where bundle_version is not null and bundle_version <> '' and seen_at is not null and seen_at < week_end()
group by coalesce(bundle_name, ''), bundle_version
order by bundle_name, bundle_version
