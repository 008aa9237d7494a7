"""What Airflow's API or database tells of the deployment itself → rows of `deployments`, by an allow-list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from windsock.model import Row
from windsock.parse.reading import DEFAULT_OWNER
from windsock.parse.told.rows import Teller, moment, number, text
from windsock.redaction import redact

MAX_VALUE = 300
SETTINGS: dict[str, frozenset[str]] = {
    section: frozenset(keys.split())
    for section, keys in {
        "core": "executor parallelism dag_concurrency max_active_tasks_per_dag max_active_runs_per_dag dagbag_import_timeout "
        "dag_file_processor_timeout default_pool_task_slot_count default_task_retries default_task_retry_delay "
        "default_task_execution_timeout max_consecutive_failed_dag_runs_per_dag min_serialized_dag_update_interval "
        "default_timezone load_examples dag_discovery_safe_mode multi_team killed_task_cleanup_time",
        "scheduler": "scheduler_heartbeat_sec scheduler_idle_sleep_time job_heartbeat_sec min_file_process_interval "
        "dag_dir_list_interval parsing_processes file_parsing_sort_mode standalone_dag_processor max_tis_per_query "
        "max_dagruns_per_loop_to_schedule max_dagruns_to_create_per_loop pool_metrics_interval task_queued_timeout "
        "scheduler_zombie_task_threshold task_instance_heartbeat_timeout scheduler_health_check_threshold "
        "local_task_job_heartbeat_sec task_instance_heartbeat_sec task_queued_timeout_check_interval "
        "create_cron_data_intervals create_delta_data_intervals "
        "dag_stale_not_seen_duration stale_dag_threshold catchup_by_default print_stats_interval "
        "orphaned_tasks_check_interval schedule_after_task_execution",
        "dag_processor": "parsing_processes min_file_process_interval dag_file_processor_timeout refresh_interval "
        "file_parsing_sort_mode stale_dag_threshold print_stats_interval max_callbacks_per_loop "
        "parsing_pre_import_modules disable_bundle_versioning health_check_threshold",
        "triggerer": "default_capacity capacity job_heartbeat_sec triggerer_health_check_threshold",
        "celery": "stalled_task_timeout task_adoption_timeout worker_concurrency worker_autoscale worker_prefetch_multiplier sync_parallelism task_acks_late",
        "kubernetes_executor": "worker_pods_creation_batch_size worker_pods_queued_check_interval "
        "worker_pods_pending_timeout delete_worker_pods delete_worker_pods_on_failure",
        "database": "sql_alchemy_pool_size sql_alchemy_max_overflow sql_alchemy_pool_enabled",
        "operators": "default_deferrable",
        "logging": "remote_logging delete_local_logs logging_level",
        "metrics": "statsd_on otel_on statsd_prefix legacy_names_on timer_unit_consistency statsd_datadog_enabled "
        "statsd_influxdb_enabled metrics_use_pattern_match",
        "api": "maximum_page_limit workers",
    }.items()
}
"""Sizes and limits that may enter the lake, by section. Nothing that names a host, a user or a secret."""

_VARYING = re.compile(r"Line (?P<line>\d{1,9}), Col \d+\nCode: .*\nIssue: (?P<issue>[^\n]{1,300})")


def fact(key: str, value: Any, teller: Teller, at: datetime | None = None) -> Row:
    """One row of `deployments`."""
    shown = redact(value if isinstance(value, str) else _fitting(value))
    return {
        "seen_at": at or teller.at,
        "key": key,
        "value": shown[:MAX_VALUE],
        "object_url": teller.object_url,
    }


def _fitting(value: Any) -> str:
    """JSON of at most `MAX_VALUE` characters where lists may give way: half a list can be read, half a text of one cannot."""
    shown = json.dumps(value, sort_keys=True, default=str)
    while len(shown) > MAX_VALUE and isinstance(value, dict):
        lists = {key: one for key, one in value.items() if isinstance(one, list) and one}
        if not lists:
            break
        longest = max(lists, key=lambda key: len(json.dumps(lists[key], default=str)))
        value = value | {longest: lists[longest][: len(lists[longest]) // 2]}
        shown = json.dumps(value, sort_keys=True, default=str)
    return shown


def setting_facts(config: Mapping[str, Any], teller: Teller) -> list[Row]:
    """The configuration's sizes and limits, by the allow-list."""
    rows = []
    for section in _dicts(config.get("sections")):
        name = text(section.get("name")) or ""
        for option in _dicts(section.get("options")):
            key, value = text(option.get("key")), option.get("value")
            if (
                key in SETTINGS.get(name, ())
                and isinstance(value, str)
                and value
                and not value.startswith("< ")
            ):
                rows.append(fact(f"config.{name}.{key}", value, teller))
    return rows


def pool_facts(pools: Iterable[Mapping[str, Any]], teller: Teller) -> list[Row]:
    """Size of each pool, and whether deferred tasks hold slots of it."""
    rows = []
    for raw in pools:
        if (name := text(raw.get("name"))) is not None:
            rows.append(fact(f"pool.{name}.slots", str(number(raw.get("slots"))), teller))
            if isinstance(raw.get("include_deferred"), bool):
                rows.append(fact(f"pool.{name}.include_deferred", raw["include_deferred"], teller))
    return rows


def dag_warning_facts(warnings: Iterable[Mapping[str, Any]], teller: Teller) -> list[Row]:
    """Why a DAG differs at each parse (Airflow 3.2 and newer): the first place that Airflow names, without the code there,
    which may hold anything."""
    rows = []
    for raw in warnings:
        place = _VARYING.search(text(raw.get("message")) or "")
        if (
            raw.get("warning_type") == "runtime varying value"
            and place
            and (dag_id := text(raw.get("dag_id")))
        ):
            rows.append(
                fact(f"dag_warning.{dag_id}", f"line {place['line']}: {place['issue'].strip()}", teller)
            )
    return rows


def provider_facts(providers: Iterable[Mapping[str, Any]], teller: Teller) -> list[Row]:
    """Version of each provider that is installed beside the API server."""
    rows = []
    for raw in providers:
        name, version = text(raw.get("package_name")), text(raw.get("version"))
        if name and version:
            rows.append(fact(f"provider.{name}.version", version, teller))
    return rows


def dag_owner_facts(dags: Iterable[Mapping[str, Any]], teller: Teller) -> list[Row]:
    """Who owns each DAG, as its tasks say: a list in the API, one text in the database."""
    rows = []
    for raw in dags:
        told = raw.get("owners")
        names = told.split(",") if isinstance(told, str) else told if isinstance(told, list) else []
        owners = sorted({one.strip() for one in names if isinstance(one, str)} - {"", DEFAULT_OWNER})
        if owners and (dag_id := text(raw.get("dag_id"))) is not None:
            rows.append(fact(f"dag_owner.{dag_id}", ", ".join(owners), teller))
    return rows


def dag_limit_facts(dags: Iterable[Mapping[str, Any]], teller: Teller) -> list[Row]:
    """`max_active_tasks` (per DAG in 2.x, per run in 3.x) and `max_active_runs` of each DAG."""
    rows = []
    for raw in dags:
        limits = {name: number(raw.get(name)) for name in ("max_active_tasks", "max_active_runs")}
        if (dag_id := text(raw.get("dag_id"))) is not None and any(limits.values()):
            rows.append(fact(f"dag_limits.{dag_id}", limits, teller))
    return rows


def dag_state_facts(dags: Iterable[Mapping[str, Any]], teller: Teller) -> list[Row]:
    """Whether each DAG is paused, gone (`is_stale` in 3.x, not `is_active` in 2.x) or broken, and its file."""
    rows = []
    for raw in dags:
        if (dag_id := text(raw.get("dag_id"))) is None:
            continue
        gone = raw.get("is_stale") is True or raw.get("is_active") is False
        state = {"is_paused": raw.get("is_paused") is True, "is_gone": gone}
        rows.append(
            fact(f"dag_state.{dag_id}", state | {"is_broken": raw.get("has_import_errors") is True}, teller)
        )
        if file := text(raw.get("relative_fileloc")) or text(raw.get("fileloc")):
            told = {"dag_file": file, "bundle_name": text(raw.get("bundle_name")) or ""}
            rows.append(fact(f"dag_file.{dag_id}", told, teller))
    return rows


def next_run_facts(dags: Iterable[Mapping[str, Any]], teller: Teller) -> list[Row]:
    """When each DAG's next run is due. None is due at `max_active_runs`, and where there is no schedule."""
    rows = []
    for raw in dags:
        due = moment(raw.get("next_dagrun_run_after") or raw.get("next_dagrun_create_after"))
        if due is not None and (dag_id := text(raw.get("dag_id"))) is not None:
            rows.append(fact(f"dag_next_run.{dag_id}", due.isoformat(), teller))
    return rows


def health_facts(health: Mapping[str, Any], teller: Teller) -> list[Row]:
    """Status per component; an embedded dag-processor has none and is not told."""
    rows = []
    for component in ("metadatabase", "scheduler", "triggerer", "dag_processor"):
        told = health.get(component)
        if isinstance(told, dict) and (status := text(told.get("status"))):
            rows.append(fact(f"health.{component}", status, teller))
    return rows


def dag_version_rows(versions: Iterable[Mapping[str, Any]], teller: Teller) -> list[Row]:
    """Each DAG version at the time it appeared. Its `bundle_version` is overwritten by later commits that change only
    code (3.x): what a run used stands in `dag_runs.bundle_version`."""
    rows = []
    for raw in versions:
        dag_id, made_at = text(raw.get("dag_id")), moment(raw.get("created_at"))
        if dag_id is None or made_at is None:
            continue
        value = {name: raw.get(name) for name in ("version_number", "bundle_name", "bundle_version")}
        rows.append(fact(f"dag_version.{dag_id}", value, teller, made_at))
    return rows


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
