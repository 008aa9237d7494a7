"""One of each trouble that a healthy fleet has now and then: below every threshold, and true to what else is told of the try.

Rules that judge nothing but bad events (a pod that was killed, a pause) would have nothing to judge in a week without any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from benchmarks.judging.quiet_fleet import (
    BUNDLE,
    CELERY,
    HOUR,
    MINUTE,
    PODS,
    WEEK,
    Dag,
    Fleet,
    run,
)

DAY = timedelta(days=1)
Row = dict[str, Any]


def stray(fleet: Fleet, dags: dict[str, Dag]) -> None:
    """All of them in the last week, and some of them in weeks before."""
    for weeks_ago in (0, 2, 5):
        from_at = WEEK.minus(weeks_ago).from_at
        _endings(fleet, _retried(fleet, from_at, CELERY), _retried(fleet, from_at, PODS))
        _of_tasks(fleet, from_at)
        _hanging(fleet, dags["hourly_check"], from_at)
        _of_files(fleet, from_at)


def _retried(fleet: Fleet, from_at: datetime, executor: str) -> Iterator[tuple[Row, Row]]:
    """Log and ledger row of first tries of the week that failed and were tried again, each of another DAG."""
    logs = {row["object_url"]: row for row in fleet.tables["task_logs"]}
    again = {
        (r["dag_id"], r["run_id"], r["task_id"])
        for r in fleet.tables["task_instances"]
        if r["try_number"] == 2 and r["state"] == "success"
    }
    seen = set[str]()
    for row in fleet.tables["task_instances"]:
        key = (row["dag_id"], row["run_id"], row["task_id"])
        if (
            row["executor"] != executor
            or row["try_number"] != 1
            or row["state"] != "failed"
            or key not in again
        ):
            continue
        if row["dag_id"] in seen or not from_at <= row["started_at"] < from_at + 7 * DAY - 2 * HOUR:
            continue
        if not row["run_id"].startswith("scheduled"):
            continue
        seen.add(row["dag_id"])
        yield logs[f"s3://b/{row['dag_id']}/{row['run_id']}/{row['task_id']}/-1/1"], row


def _endings(fleet: Fleet, of_workers: Iterator[tuple[Row, Row]], of_pods: Iterator[tuple[Row, Row]]) -> None:
    """Failed first tries that ended otherwise than by their own error. A week that has too few of them has fewer troubles."""
    untold = {"exception_type": None, "exception_message": None, "error_count": 0}
    for kind, (log, row) in zip(
        ("signal", "heartbeat", "connection", "callback", "mismatch"), of_workers, strict=False
    ):
        at, host = row["ended_at"], row["hostname"]
        if kind == "signal":
            log |= untold | {"state_reason": "signal", "error_signature": "SIGKILL"}
            fleet.event(at, "worker_process_lost", component="worker", reason="SIGKILL", hostname=host)
        elif kind == "heartbeat":
            log |= untold | {"state_reason": None, "state": "unknown", "error_signature": None}
            fleet.event(
                at + 5 * MINUTE,
                "heartbeat_timeout",
                row,
                hostname=host,
                queue="default",
                started_at=row["started_at"],
            )
        elif kind == "connection":
            log["error_signature"] = "AirflowNotFoundException: The conn_id `warehouse` isn't defined"
        elif kind == "callback":
            fleet.add("log_events", **{name: log[name] for name in ("dag_id", "run_id", "task_id", "map_index", "try_number")},
                      logged_at=at, record_no=41, level="error", logger="task", message="Failed to run task callback",
                      error_signature="ConnectTimeout: <>", exception_type="ConnectTimeout", object_url=log["object_url"])  # fmt: skip
        else:
            fleet.event(at, "state_mismatch", row, reason="task", detail="executor failed, state queued")
    for log, row in of_pods:
        fleet.tables["task_logs"] = [one for one in fleet.tables["task_logs"] if one is not log]
        fleet.tables["objects"] = [
            one for one in fleet.tables["objects"] if one["object_url"] != log["object_url"]
        ]
        fleet.event(
            row["ended_at"],
            "pod_failed",
            row,
            reason="OOMKilled",
            exit_code=137,
            detail=f"airflow/{row['hostname']}",
        )
        break


def _of_tasks(fleet: Fleet, from_at: datetime) -> None:
    """Holds and waits of a few minutes: a limit that was met, a task put back in the queue, a run that ran out of time."""
    busy = [
        row
        for row in fleet.tables["task_instances"]
        if row["dag_id"] == "wait_and_load"
        and row.get("queued_at")
        and from_at <= row["queued_at"] < from_at + 7 * DAY
    ]
    for row in busy:
        at = row["scheduled_at"].replace(second=0, microsecond=0)
        while at < row["queued_at"]:
            fleet.event(at, "max_active_tis_per_dag", row, limit_value=1)
            at += MINUTE
    for minute in range(5):
        fleet.event(
            from_at + DAY + minute * MINUTE,
            "max_active_runs",
            dag_id="wait_and_load",
            limit_value=16,
            value=16,
        )
        fleet.event(from_at + 2 * DAY + minute * MINUTE, "pool_full", pool="warehouse")
    first = busy[0]
    fleet.event(from_at + DAY, "pool_too_small", first, pool="warehouse", value=14, limit_value=12)
    # put back once, and taken by a worker afterwards: nothing that a queue lacks; another one stood too long, and failed
    fleet.event(first["queued_at"], "stuck_in_queued", first)
    late = next(row for row in busy if row["task_id"] == "sift" and row["state"] == "success")
    fleet.event(late["started_at"], "queue_timeout", {**late, "run_id": late["run_id"] + "x"})


def _of_run(dag_id: str, run_id: str) -> Callable[[Row], bool]:
    return lambda row: row["dag_id"] == dag_id and row["run_id"] == run_id


def _hanging(fleet: Fleet, dag: Dag, from_at: datetime) -> None:
    """A try that hung until its `execution_timeout` and did well afterwards, and a run that the `dagrun_timeout` ended."""
    for hours, saved in ((30, 1.0), (50, 0.0)):
        due = from_at + hours * HOUR + dag.place * MINUTE
        run_id = f"scheduled__{due.isoformat()}"
        fleet.drop(_of_run(dag.dag_id, run_id))
        made = run(fleet, replace(dag, saved=saved), "scheduled", due, 1.0, hangs_s=1800)
        if not saved:
            fleet.event(made["ended_at"], "run_timeout", dag_id=dag.dag_id, run_id=run_id)
            continue
        for log in fleet.tables["task_logs"]:
            if log["run_id"] == run_id and log["dag_id"] == dag.dag_id and log["state"] == "failed":
                log |= {
                    "state_reason": "timeout",
                    "exception_type": "AirflowTaskTimeout",
                    "error_signature": "AirflowTaskTimeout: <>",
                }


def _of_files(fleet: Fleet, from_at: datetime) -> None:
    """A file that was broken for twenty minutes, and one whose parse was killed once; both parse again."""
    at = from_at + 2 * DAY + 9 * HOUR
    fleet.add("import_errors", seen_at=at, dag_file="dag_05.py", bundle_name=BUNDLE, message="NameError: name 'x' is not defined",
              error_signature="NameError: name <>", source="processor_log")  # fmt: skip
    fleet.event(
        at,
        "parse_timeout",
        component="dag-processor",
        reason=BUNDLE,
        dag_file="dag_06.py",
        limit_value=50,
    )
