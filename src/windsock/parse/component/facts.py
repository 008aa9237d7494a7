"""What one object told, collected: rows by table, each fact once.

Holds ("0 open slots", "max_active_tasks") are repeated by each pass of the scheduler, once a second. They are kept once
per minute, at the minute's start: that counts minutes held, and is the same from every rotated copy of the log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from windsock.model import Row
from windsock.parse.component.ids import Who, parted

TryKey = tuple[str, str, str, int, int]
KNOWN_TRIES = 20_000
"""What a log says of a try it says within hours: older ones than so many are forgotten, so that memory does not follow
the log."""

EVENTS: dict[str, str] = {
    "pool_full": "hold: no open slot in the pool",
    "pool_slots_short": "hold: the task wants more slots (value) than the pool has open (limit_value)",
    "pool_too_small": "hold: the task wants more slots (value) than the pool has at all (limit_value): it waits for ever",
    "pool_missing": "hold: the pool does not exist",
    "max_active_tasks": "hold: the DAG's running and queued tasks are at the limit",
    "max_active_tis_per_dag": "hold: the task's own concurrency over all runs is reached",
    "max_active_tis_per_dagrun": "hold: the task's own concurrency within a run is reached",
    "max_active_runs": "hold: the DAG's active runs (value) are at the limit",
    "executor_full": "hold: the executor has no open slot",
    "dag_task_count": "the most running and queued tasks (value) of a DAG in a minute, beside its limit",
    "state_mismatch": "the executor is done with a try that the database calls queued or running; detail: both states",
    "heartbeat_timeout": "the try's process was not heard of: worker lost, or killed",
    "state_marked": "a component set the state of a try (reason); started_at tells which one",
    "stuck_in_queued": "the try was put back after waiting in the executor's queue for too long",
    "queue_timeout": "the try failed in the executor's queue",
    "orphan_reset": "a try whose scheduler is gone was reset",
    "run_timeout": "dagrun_timeout: unfinished tasks become skipped",
    "dag_paused": "the DAG was paused after as many failed runs (limit_value) in a row",
    "deferral_timeout": "deferred tasks (value) whose triggers did not fire in time",
    "pod_failed": "a worker pod failed; reason and exit_code of pod or container",
    "pod_not_started": "a worker pod never ran; reason (ImagePullBackOff …)",
    "pod_deleted": "a worker pod was deleted before its task could end (eviction, scale-down, preemption)",
    "pod_requeued": "a worker pod failed before its task began, and was launched again",
    "pod_refused": "Kubernetes did not take a worker pod (quota, admission), or could not be reached; it is tried again",
    "pod_not_launched": "a try was queued and no pod of it is there: it is scheduled again (provider 10.1 and older)",
    "worker_ready": "a Celery worker (hostname) began to take tasks",
    "worker_missed": "a worker (hostname) was not heard of any more, by other Celery workers or the EdgeExecutor",
    "worker_process_lost": "a process of a Celery worker was killed with its task; reason: the signal",
    "parse_timeout": "the process that parsed a DAG file was killed by the timeout",
    "processor_failed": "the process that parsed a DAG file ended with exit_code",
    "processor_restarted": "the embedded dag-processor died or hung and was started again",
    "bundle_changed": "a DAG bundle (reason) got a new version (detail)",
    "bundle_failed": "a DAG bundle (reason) could not be set up or refreshed; detail: the error",
    "callback_ran": "the dag-processor ran a DAG's callback, or that of a task whose process was gone",
    "callback_failed": "a callback that the dag-processor ran failed; reason: its exception",
    "trigger_failed": "a trigger ended with an error: the waiting task fails",
    "triggerer_blocked": "code in a trigger blocked all others; detail: seconds",
    "executor_loaded": "the component began to use an executor (reason); of several the first one is the default",
    "started": "the component started",
    "stopping": "the component was told to end; detail: the signal",
}
HOLDS = frozenset(name for name, meaning in EVENTS.items() if meaning.startswith("hold"))


@dataclass(slots=True)
class Facts:
    """Rows by table. `dag_ids` are those that the log names beyond doubt; they part `dag.task` at the end.

    `tries` is all that is known of them so far, for later lines to refer to; `told_tries` what is to be handed on.
    """

    events: dict[tuple[Any, ...], Row] = field(default_factory=dict)
    tries: dict[TryKey, Row] = field(default_factory=dict)
    told_tries: dict[TryKey, Row] = field(default_factory=dict)
    runs: dict[tuple[str, str], Row] = field(default_factory=dict)
    parses: dict[tuple[Any, ...], Row] = field(default_factory=dict)
    import_errors: dict[tuple[Any, ...], Row] = field(default_factory=dict)
    dag_ids: set[str] = field(default_factory=set)
    latest: dict[tuple[str, str, str, int], TryKey] = field(default_factory=dict)
    closed: dict[TryKey, datetime] = field(default_factory=dict)
    worker: str | None = None  # whose output this is, once a worker has said so
    lost: dict[tuple[Any, ...], None] = field(default_factory=dict)
    files: dict[str, dict[str, int]] = field(default_factory=dict)
    bundles: dict[str, list[tuple[datetime | None, str]]] = field(default_factory=dict)

    def event(
        self, at: datetime | None, component: str, event: str, who: Who | None = None, **more: Any
    ) -> None:
        """Keep an event once; a hold once per minute."""
        row: Row = {"event_at": at, "component": component, "event": event}
        if who:
            row |= {
                "dag_id": who.dag_id,
                "run_id": who.run_id,
                "task_id": who.task_id,
                "map_index": who.map_index,
                "try_number": who.try_number,
                "hostname": who.hostname,
                "queue": who.queue,
            }
            if who.joined:
                row["dag_id"] = who.joined
                more["_joined"] = True
        row |= more
        if at and (event in HOLDS or event == "dag_task_count"):
            row["event_at"] = at.replace(second=0, microsecond=0)
        if event == "dag_task_count":
            key = (event, row["event_at"], row["dag_id"], row["limit_value"])
            if key not in self.events or self.events[key]["value"] < row["value"]:
                self.events[key] = row
            return
        self.events.setdefault(tuple(row.items()), row)

    def told(self, key: TryKey, row: Row, at: datetime | None) -> None:
        """What the log says of a try; the newest telling wins."""
        before = self.tries.get(key)
        if before is None or not (at and before["told_at"] and at < before["told_at"]):
            self.tries.pop(key, None)
            self.tries[key] = self.told_tries[key] = row | {"told_at": at}
            if len(self.tries) > KNOWN_TRIES:
                self._forget(next(iter(self.tries)))

    def _forget(self, key: TryKey) -> None:
        """The try of which nothing was said for the longest time."""
        del self.tries[key]
        self.closed.pop(key, None)
        if self.latest.get(key[:4]) == key:
            del self.latest[key[:4]]

    def is_lost_anew(self, once: tuple[Any, ...]) -> bool:
        """Whether a lost try was not told yet: it is repeated every ten seconds until its callback has run."""
        if once in self.lost:
            return False
        self.lost[once] = None
        if len(self.lost) > KNOWN_TRIES:
            del self.lost[next(iter(self.lost))]
        return True

    def known_try(self, who: Who, started_at: datetime | None = None) -> TryKey | None:
        """The latest try known of a task instance; with `started_at` the one that began in that second."""
        dag, task = (who.dag_id, who.task_id)
        if who.joined:
            dag, task = parted(who.joined, self.dag_ids)
        latest = self.latest.get(
            (dag or "", who.run_id or "", task or "", -1 if who.map_index is None else who.map_index)
        )
        if latest is None or (who.try_number is not None and latest[4] != who.try_number):
            return None
        if started_at is not None:
            began = self.tries[latest].get("started_at")
            return (
                latest
                if began and began.replace(microsecond=0) == started_at.replace(microsecond=0)
                else None
            )
        return latest

    def close(self, key: TryKey, at: datetime | None) -> None:
        """From here on a process of this try is one of a later try."""
        if at:
            self.closed.setdefault(key, at)

    def take(self) -> dict[str, list[Row]]:
        """Everything told since the last taking, with `dag.task` parted by what is known by now."""
        events: list[Row] = []
        for row in self.events.values():
            if row.pop("_joined", False):
                row["dag_id"], row["task_id"] = parted(row["dag_id"], self.dag_ids)
            events.append(row)
        tables = {
            "task_instances": [dict(row) for row in self.told_tries.values()],
            "dag_runs": list(self.runs.values()),
            "parse_samples": list(self.parses.values()),
            "import_errors": list(self.import_errors.values()),
            "component_events": events,
        }
        self.events, self.told_tries, self.runs, self.parses, self.import_errors = {}, {}, {}, {}, {}
        return tables
