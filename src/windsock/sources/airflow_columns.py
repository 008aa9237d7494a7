"""Columns of Airflow's metadata database under the names of REST API v2; what a release lacks is read as null."""

from __future__ import annotations

TRIES = {
    "dag_id": "ti.dag_id", "dag_run_id": "ti.run_id", "task_id": "ti.task_id", "map_index": "ti.map_index::int4",
    "try_number": "ti.try_number::int4", "state": "ti.state", "max_tries": "ti.max_tries::int4",
    "operator": "ti.operator", "pool": "ti.pool", "pool_slots": "ti.pool_slots::int4", "queue": "ti.queue",
    "executor": "ti.executor", "priority_weight": "ti.priority_weight::int8", "hostname": "ti.hostname",
    "scheduled_when": "ti.scheduled_dttm", "queued_when": "ti.queued_dttm", "start_date": "ti.start_date",
    "end_date": "ti.end_date",
}  # fmt: skip
RUNS = {
    "dag_id": "dr.dag_id", "dag_run_id": "dr.run_id", "run_type": "dr.run_type", "state": "dr.state",
    "logical_date": "dr.logical_date", "execution_date": "dr.execution_date", "run_after": "dr.run_after",
    "data_interval_end": "dr.data_interval_end", "queued_at": "dr.queued_at", "start_date": "dr.start_date",
    "end_date": "dr.end_date", "bundle_version": "dr.bundle_version",
}  # fmt: skip
DAGS = {
    "dag_id": "d.dag_id", "fileloc": "d.fileloc", "relative_fileloc": "d.relative_fileloc",
    "bundle_name": "d.bundle_name", "bundle_version": "d.bundle_version", "last_parsed_time": "d.last_parsed_time",
    "last_parse_duration": "d.last_parse_duration::float8", "max_active_tasks": "d.max_active_tasks::int4",
    "max_active_runs": "d.max_active_runs::int4", "owners": "d.owners",
    "is_paused": "d.is_paused", "is_stale": "d.is_stale", "is_active": "d.is_active",
    "has_import_errors": "d.has_import_errors", "next_dagrun_create_after": "d.next_dagrun_create_after",
}  # fmt: skip
EVENTS = {
    "when": "l.dttm", "event": "l.event", "dag_id": "l.dag_id", "run_id": "l.run_id", "task_id": "l.task_id",
    "map_index": "l.map_index::int4", "try_number": "l.try_number::int4", "extra": "l.extra",
}  # fmt: skip
ERRORS = {
    "timestamp": 'e."timestamp"', "filename": "e.filename", "bundle_name": "e.bundle_name",
    "stack_trace": "e.stacktrace",
}  # fmt: skip
VERSIONS = {
    "dag_id": "v.dag_id", "version_number": "v.version_number::int4", "bundle_name": "v.bundle_name",
    "bundle_version": "v.bundle_version", "created_at": "v.created_at",
}  # fmt: skip
SERIALIZED = {"dag_id": "s.dag_id", "data": "s.data::text", "data_compressed": "s.data_compressed"}
SERIALIZED_WITHIN = """
select
    dag_id,
    coalesce(octet_length(data_compressed), octet_length(data)) as size,
    case when octet_length(data) <= {limit} then data end as data,
    case when octet_length(data_compressed) <= {limit} then data_compressed end as data_compressed
from ({rows} offset 0) as s
"""
"""`offset 0`: each is read and made text once, not once for each time it is named."""
POOLS = """
select
    p.pool as name,
    p.slots::int4 as slots,
    {deferred_counts} as include_deferred,
    coalesce(sum(ti.pool_slots) filter (where ti.state = 'running'), 0)::int4 as running_slots,
    coalesce(sum(ti.pool_slots) filter (where ti.state = 'queued'), 0)::int4 as queued_slots,
    coalesce(sum(ti.pool_slots) filter (where ti.state = 'scheduled'), 0)::int4 as scheduled_slots,
    coalesce(sum(ti.pool_slots) filter (where ti.state = 'deferred'), 0)::int4 as deferred_slots
from slot_pool as p
left join task_instance as ti
    on ti.pool = p.pool
    and ti.state in ('running', 'queued', 'scheduled', 'deferred')
group by 1, 2, 3
order by 1
"""
TIMES_CHANGED = ("updated_at", "end_date", "start_date", "queued_dttm", "scheduled_dttm", "queued_at")
