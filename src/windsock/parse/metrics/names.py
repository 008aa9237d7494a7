"""What a metric is called: every spelling of a name → Airflow's dotted name, and its ids as labels.

Airflow sends a metric with ids under two names: with the ids inside (`pool.open_slots.db`, "legacy") and without.
The second one carries the ids as tags where tags are on; where they are off it mixes all pools, files and tasks.
Names by version: Airflow's `metrics_template.yaml` and docs (2.0 to 3.3), its Helm chart's statsd-mappings.yml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from windsock.parse.metrics.known import Known, underscored

TAGGED, LEGACY, PLAIN, MIXED = 3, 2, 1, 0
"""Forms of a name, the best first. PLAIN has no ids at all; MIXED should have some and has none."""

GAUGE, COUNTER, TIMER = "gauge", "counter", "timer"


def _table() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name → its kind and the labels that its legacy spelling appends, in order."""
    spec = {
        (GAUGE, "pool_name"): "pool.open_slots pool.queued_slots pool.running_slots pool.deferred_slots "
        "pool.scheduled_slots pool.used_slots pool.starving_tasks",
        (GAUGE, "executor"): "executor.open_slots executor.queued_tasks executor.running_tasks",
        (GAUGE, "file_name"): "dag_processing.last_run.seconds_ago dag_processing.last_num_of_db_queries",
        (TIMER, "file_name"): "dag_processing.last_duration dag_processing.last_runtime",
        (COUNTER, "dag_id task_id"): "ti.start",
        (COUNTER, "dag_id task_id state"): "ti.finish",
        (GAUGE, "queue dag_id task_id"): "ti.scheduled ti.queued ti.running ti.deferred",
        (GAUGE, "dag_id task_id"): "task.cpu_usage task.mem_usage",
        (TIMER, "dag_id task_id"): "task.duration task.queued_duration task.scheduled_duration",
        (TIMER, "dag_id"): "dagrun.duration.success dagrun.duration.failed dagrun.schedule_delay "
        "dagrun.dependency-check dagrun.first_task_scheduling_delay dagrun.first_task_start_delay",
        (GAUGE, "hostname"): "triggers.running triggerer.capacity_left",
        (
            GAUGE,
            "worker_name",
        ): "edge_worker.status edge_worker.connected edge_worker.maintenance edge_worker.jobs_active "
        "edge_worker.concurrency edge_worker.free_concurrency edge_worker.num_queues",
        (COUNTER, "operator"): "operator_failures operator_successes task_instance_created",
        (COUNTER, ""): "scheduler_heartbeat triggerer_heartbeat dag_processor_heartbeat job_start job_end "
        "job_heartbeat_failure ti_failures ti_successes previously_succeeded zombies_killed "
        "task_instances_without_heartbeats_killed sla_missed sla_callback_notification_failure "
        "sla_email_notification_failure dag.callback_exceptions dag_processing.processes "
        "dag_processing.file_path_queue_update_count dag_processing.callback_only_count "
        "dag_processing.other_callback_count dag_processing.sla_callback_count dag_processing.processor_timeouts "
        "dag_processing.manager_stalls scheduler.tasks.killed_externally scheduler.orphaned_tasks.adopted "
        "scheduler.orphaned_tasks.cleared scheduler.critical_section_busy scheduler.dag_bag.cache_hit "
        "scheduler.dag_bag.cache_miss api_server.dag_bag.cache_hit api_server.dag_bag.cache_miss "
        "triggers.succeeded triggers.failed triggers.blocked_main_thread dataset.updates "
        "dataset.triggered_dagruns asset.updates asset.triggered_dagruns deadline_alerts.deadline_created "
        "deadline_alerts.deadline_missed deadline_alerts.deadline_not_missed celery.task_timeout_error "
        "celery.execute_command.failure task_removed_from_dag task_restored_to_dag",
        (GAUGE, ""): "dagbag_size dag_processing.import_errors dag_processing.total_parse_time "
        "dag_processing.file_path_queue_size scheduler.tasks.starving scheduler.tasks.executable "
        "scheduler.tasks.running scheduler.tasks.without_dagrun scheduler.dagruns.running dataset.orphaned "
        "asset.orphaned connection_test.active connection_test.pending scheduler.dag_bag.cache_size "
        "api_server.dag_bag.cache_size",
        (TIMER, ""): "scheduler.scheduler_loop_duration scheduler.critical_section_duration "
        "scheduler.critical_section_query_duration scheduler.executor_heartbeat_duration "
        "serde.load_serializers collect_db_dags kubernetes_executor.clear_not_launched_queued_tasks.duration "
        "kubernetes_executor.adopt_task_instances.duration",
    }
    return {
        name: (kind, tuple(labels.split()))
        for (kind, labels), names in spec.items()
        for name in names.split()
    }


NAMES = _table()
_UNDERSCORED = {underscored(name): name for name in NAMES} | {
    # the Helm chart's own names, before and after Airflow 3.0
    "dagrun_duration": "dagrun.duration.success",
    "dagrun_failed": "dagrun.duration.failed",
}
_DURATIONS = ("queued_duration", "scheduled_duration", "duration")
_FIRST_TASK = ("first_task_scheduling_delay", "first_task_start_delay")
# other names of the same label: the Helm chart's, and those of single Airflow versions
_LABELS = {"pool": "pool_name", "dag_file": "file_name"}
_EXECUTOR = dict.fromkeys(("executor_class_name", "name", "executor_name"), "executor")
_OPERATOR = dict.fromkeys(("operator_name", "task_type"), "operator")
# one process, one counter: an executor or a host alone sends no ids, and then its bare name mixes nothing
_ALONE = ("executor.", "triggers.", "triggerer.")


@dataclass(frozen=True, slots=True)
class Name:
    """A resolved name. `kind` is what Airflow's registry says, None when it does not know the name."""

    name: str
    labels: tuple[tuple[str, str], ...]
    form: int
    kind: str | None


def dotted_name(raw: str, tags: Mapping[str, str], known: Known) -> Name:
    """A StatsD name without its prefix, and its tags."""
    return _resolve(raw, tags, known, ".")


def exported_name(raw: str, tags: Mapping[str, str], known: Known) -> Name:
    """A Prometheus family without its prefix, and its labels."""
    return _resolve(raw, tags, known, "_")


def is_kept(name: Name, best: int) -> bool:
    """Whether a series counts, `best` being the best form that its name was seen in: never a twin beside its better."""
    if name.form < best:
        return False
    return name.form != MIXED or name.kind == COUNTER or name.name.startswith(_ALONE)


def _resolve(raw: str, tags: Mapping[str, str], known: Known, separator: str) -> Name:
    base, tail = _base(raw, separator)
    if base is None:
        told = tags if separator == "." else {k: v for k, v in tags.items() if k != "quantile"}
        return Name(raw, tuple(sorted(told.items())), PLAIN, None)
    kind, ids = NAMES[base]
    labels = _renamed(base, tags)
    if separator == "_" and "dag_id" in labels:  # a mapping's label: 3.x writes the dots of an id as `__`
        labels["dag_id"] = known.dag_id(labels["dag_id"], ".")
    if not ids:
        if base == "scheduler_heartbeat" and labels.get("type") == "counter":
            del labels["type"]  # the Helm chart's constant
        return Name(base, tuple(sorted(labels.items())), PLAIN, kind)
    if not tail:
        has_ids = any(one in labels for one in ids)
        return Name(base, tuple(sorted(labels.items())), TAGGED if has_ids else MIXED, kind)
    return Name(base, tuple(sorted((_ids(base, tail, ids, known, separator) | labels).items())), LEGACY, kind)


def _base(raw: str, separator: str) -> tuple[str | None, str]:
    """The registry's name at the start of `raw`, and the ids behind (or inside) it."""
    table: Mapping[str, str] = _UNDERSCORED if separator == "_" else _DOTTED
    if raw in table:
        return table[raw], ""
    first, _, rest = raw.partition(separator)
    if first == "dag" and not rest.startswith(("processing", "callback")):
        for last in _DURATIONS:
            if rest.endswith(f"{separator}{last}"):
                return f"task.{last}", rest.removesuffix(f"{separator}{last}")
    if first == "dagrun":
        for last in _FIRST_TASK:
            if rest.endswith(f"{separator}{last}"):
                return f"dagrun.{last}", rest.removesuffix(f"{separator}{last}")
    at = len(raw)
    while (at := max(raw.rfind(one, 0, at) for one in (separator, "_", "-"))) > 0:
        base = table.get(raw[:at])
        if base is not None and NAMES[base][1] and (raw[at] == separator or "operator" in NAMES[base][1]):
            return base, raw[at + 1 :]
    return None, ""


_DOTTED = {name: name for name in NAMES}


def _renamed(base: str, tags: Mapping[str, str]) -> dict[str, str]:
    names = _LABELS
    if base.startswith("executor."):
        names = _LABELS | _EXECUTOR
    elif "operator" in NAMES[base][1]:
        names = _LABELS | _OPERATOR
    return {names.get(key, key): value for key, value in tags.items() if key not in ("quantile", "le")}


def _ids(base: str, tail: str, ids: tuple[str, ...], known: Known, separator: str) -> dict[str, str]:
    """The ids in a legacy name. What cannot be told apart stays together, as the label `ids`."""
    labels: dict[str, str] = {}
    if base == "dag_processing.last_duration" and separator == ".":
        bundle, _, stem = tail.rpartition(".")
        return {"bundle_name": bundle, "file_name": stem} if bundle else {"file_name": stem}
    if ids[0] == "queue":
        labels["queue"], _, tail = tail.partition(separator)
    if ids[-1] == "state":
        tail, labels["state"] = _state(tail, separator)
    if "task_id" not in ids:
        return {ids[0]: known.dag_id(tail, separator) if ids == ("dag_id",) else tail}
    split = known.split(tail, separator)
    return labels | ({"dag_id": split[0], "task_id": split[1]} if split else {"ids": tail})


STATES = (
    "up_for_reschedule", "upstream_failed", "up_for_retry", "restarting", "scheduled", "deferred", "awaiting_input",
    "success", "skipped", "removed", "running", "failed", "queued", "shutdown", "None",
)  # fmt: skip


def _state(tail: str, separator: str) -> tuple[str, str]:
    """States hold underscores, which an exporter's names separate by."""
    for state in STATES:
        if tail.endswith(f"{separator}{state}"):
            return tail.removesuffix(f"{separator}{state}"), state
    head, _, last = tail.rpartition(separator)
    return head, last
