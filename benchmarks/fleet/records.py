"""The bytes of task logs, as Airflow 3.3.2 and 2.11.2 write them (record shapes taken from real runs)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to be written. `ending` is success, failed, retry, killed, cut: its log stops in the middle of its work, or lost: with its
    machine, so that nothing is written."""

    dag_id: str
    run_id: str
    task_id: str
    try_number: int
    max_tries: int
    started_at: datetime
    seconds: float
    ending: str
    error: tuple[str, str] = ("", "")  # exception type, message
    bundle_version: str = ""
    parse_ms: int = 300
    dag_file: str = ""
    host: str = ""
    pool: str = "default_pool"
    queue: str = "default"
    queued_at: datetime | None = None
    run_started_at: datetime | None = None
    map_index: int = -1
    connection: str = ""  # that its hook takes
    pool_slots: int = 1

    @property
    def key(self) -> str:
        mapped = f"map_index={self.map_index}/" if self.map_index >= 0 else ""
        return (
            f"dag_id={self.dag_id}/run_id={self.run_id}/task_id={self.task_id}/{mapped}"
            f"attempt={self.try_number}.log"
        )

    @property
    def ended_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.seconds)


def host_of(dag_id: str) -> str:
    """The worker that a DAG of Airflow 2 runs on."""
    return f"worker-{len(dag_id) % 3}"


def airflow3(one: Attempt) -> bytes:
    """JSON lines. Head order `timestamp, level, event` is Airflow's own."""
    ids = {
        "map_index": one.map_index, "task_id": one.task_id, "run_id": one.run_id, "dag_id": one.dag_id,
        "ti_id": "01a20900-e7e3-7f1e-8f16-ec9320bf7f07", "try_number": one.try_number,
    }  # fmt: skip
    lines: list[str] = []

    def add(seconds: float, level: str, event: str, **rest: object) -> None:
        at = (one.started_at + timedelta(seconds=seconds)).astimezone(UTC)
        stamp = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        lines.append(
            json.dumps({"timestamp": stamp, "level": level, "event": event, **rest}, separators=(",", ":"))
        )

    file = one.dag_file or f"{one.dag_id}.py"
    add(0, "info", "::group::Pre Execute", logger="task", filename="task_runner.py", lineno=2412)
    add(
        0.4, "info", f"Filling up the DagBag from /opt/airflow/dags/{file}", **ids,
        logger="airflow.dag_processing.dagbag.DagBag", filename="dagbag.py", lineno=410,
    )  # fmt: skip
    add(
        0.5, "info", "Worker startup parse complete", bundle_name="dags-git", bundle_version=one.bundle_version,
        dag_file=file, bundle_prepare_ms=410, dag_file_parse_ms=one.parse_ms, **ids, logger="task",
        filename="task_runner.py", lineno=1073,
    )  # fmt: skip
    add(0.6, "info", "::endgroup::", **ids, logger="task", filename="task_runner.py", lineno=2232)
    add(1.0, "info", f"loading {one.task_id} for {one.run_id}", logger="task.stdout")
    if one.connection:  # at info in 3.0
        add(1.1, "info", f"Connection Retrieved '{one.connection}'", logger="airflow.sdk.bases.hook")
    end = max(one.seconds, 1.2)
    if one.ending == "cut":
        return ("\n".join(lines) + "\n").encode()
    if one.ending == "killed":
        add(
            end, "critical",
            "Process terminated by signal. Likely out of memory error (OOM). For more information, see "
            "https://airflow.apache.org/docs/apache-airflow/stable/troubleshooting.html#process-terminated-by-signal.",
            signal=-9, signal_name="SIGKILL", logger="task",
        )  # fmt: skip
        return ("\n".join(lines) + "\n").encode()
    if one.ending == "success":
        add(
            end, "info", "::group::Post Execute", **ids, logger="task", filename="task_runner.py", lineno=1580
        )
    else:
        frames = [
            {
                "filename": "/usr/lib/python3/site-packages/airflow/sdk/execution_time/task_runner.py",
                "lineno": 1224,
                "name": "run",
            },
            {"filename": f"/opt/airflow/dags/{file}", "lineno": 37, "name": one.task_id},
        ]
        detail = [
            {"exc_type": one.error[0], "exc_value": one.error[1], "exc_notes": [], "syntax_error": None,
             "is_cause": False, "frames": frames, "is_group": False, "exceptions": []}
        ]  # fmt: skip
        add(
            end - 0.1, "error", "Task failed with exception", error_detail=detail, **ids, logger="task",
            filename="task_runner.py", lineno=1663,
        )  # fmt: skip
        add(
            end, "info", "::group::Post Execute", **ids, logger="task", filename="task_runner.py", lineno=1677
        )
    add(end + 0.02, "info", "::endgroup::", **ids, logger="task", filename="task_runner.py", lineno=2379)
    return ("\n".join(lines) + "\n").encode()


def airflow2(one: Attempt) -> bytes:
    """Text records of 2.11."""
    lines: list[str] = []

    def add(seconds: float, file: str, level: str, text: str) -> None:
        at = one.started_at + timedelta(seconds=seconds)
        lines.append(
            f"[{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000] {{{file}}} {level} - {text}"
        )

    ti = f"{one.dag_id}.{one.task_id} {one.run_id}"
    logical = one.run_id.partition("__")[2]
    stamp = datetime.fromisoformat(logical)
    ids = f"dag_id={one.dag_id}, task_id={one.task_id}, run_id={one.run_id}, execution_date={stamp:%Y%m%dT%H%M%S}, "
    ids += f"start_date={one.started_at:%Y%m%dT%H%M%S}, end_date={one.ended_at:%Y%m%dT%H%M%S}"
    add(0, "local_task_job_runner.py:123", "INFO", "::group::Pre task execution logs")
    add(
        0.1,
        "taskinstance.py:2632",
        "INFO",
        f"Dependencies all met for dep_context=non-requeueable deps ti=<TaskInstance: {ti} [queued]>",
    )
    add(0.2, "taskinstance.py:2885", "INFO", f"Starting attempt {one.try_number} of {one.max_tries}")
    add(
        0.3,
        "taskinstance.py:2908",
        "INFO",
        f"Executing <Task(PythonOperator): {one.task_id}> on {stamp.isoformat(sep=' ')}",
    )
    add(0.4, "standard_task_runner.py:72", "INFO", "Started process 7798 to run task")
    add(
        0.6,
        "task_command.py:467",
        "INFO",
        f"Running <TaskInstance: {ti} [running]> on host {one.host or host_of(one.dag_id)}",
    )
    add(0.8, "taskinstance.py:740", "INFO", "::endgroup::")
    add(1.0, "logging_mixin.py:190", "INFO", f"loading {one.task_id} for {one.run_id}")
    if one.connection:
        add(1.1, "base.py:84", "INFO", f"Retrieving connection '{one.connection}'")
    end = max(one.seconds, 1.2)
    if one.ending == "cut":
        return ("\n".join(lines) + "\n").encode()
    if one.ending == "killed":
        url = "https://airflow.apache.org/docs/apache-airflow/stable/troubleshooting.html#LocalTaskJob-killed"
        add(
            end,
            "local_task_job_runner.py:266",
            "INFO",
            f"Task exited with return code -9. For more information, see {url}",
        )
        return ("\n".join(lines) + "\n").encode()
    if one.ending == "success":
        add(end - 0.1, "local_task_job_runner.py:245", "INFO", "::group::Post task execution logs")
        add(end, "taskinstance.py:1242", "INFO", f"Marking task as SUCCESS. {ids}")
        add(end + 0.05, "local_task_job_runner.py:266", "INFO", "Task exited with return code 0")
        return ("\n".join(lines) + "\n").encode()
    trace = (
        "Traceback (most recent call last):\n"
        '  File "/home/airflow/.local/lib/python3.11/site-packages/airflow/models/taskinstance.py", line 776, in _execute_task\n'
        "    result = _execute_callable(context=context, **execute_callable_kwargs)\n"
        f'  File "/opt/airflow/dags/{one.dag_id}.py", line 37, in {one.task_id}\n'
        f"    {one.task_id}_impl()\n"
        f"{one.error[0]}: {one.error[1]}"
    )
    state = "UP_FOR_RETRY" if one.ending == "retry" else "FAILED"
    add(end - 0.2, "taskinstance.py:3337", "ERROR", f"Task failed with exception\n{trace}")
    add(end - 0.1, "taskinstance.py:1242", "INFO", f"Marking task as {state}. {ids}")
    add(end - 0.05, "local_task_job_runner.py:245", "INFO", "::group::Post task execution logs")
    failed = f"Failed to execute job 410 for task {one.task_id} ({one.error[1]}; 7798)"
    add(end, "standard_task_runner.py:124", "ERROR", f"{failed}\n{trace}")
    add(end + 0.05, "local_task_job_runner.py:266", "INFO", "Task exited with return code 1")
    return ("\n".join(lines) + "\n").encode()
