-- Which DAG bundles could not be refreshed or set up this week, and since when?
--
-- From the dag-processor's log of Airflow 3. What is deployed meanwhile does not arrive, and a bundle that was never set up has no
-- DAG at all. A new version that the log tells of after the last failure mends it; a refresh that brings nothing new says nothing.
--
-- grain:    bundle_name
-- reads:    component_events
-- columns:
--   bundle_name  varchar
--   failures     bigint       in the week
--   first_at     timestamptz
--   last_at      timestamptz
--   error        varchar      of the last one; null where the log does not tell it
--   mended_at    timestamptz  first new version after the last failure; null: none
with failed as (
    select reason as bundle_name, event_at, detail
    from component_events
    where event = 'bundle_failed' and event_at >= week_start() and event_at < week_end() and reason is not null
),
sums as (
    select
        bundle_name,
        count(*) as failures,
        min(event_at) as first_at,
        max(event_at) as last_at,
        max_by(detail, event_at order by detail) as error
    from failed
    group by bundle_name
)
select
    sums.bundle_name,
    failures,
    first_at,
    last_at,
    error,
    (
        select min(event_at)
        from component_events
        where event = 'bundle_changed' and reason = sums.bundle_name and event_at > sums.last_at
    ) as mended_at
from sums
order by failures desc, sums.bundle_name
