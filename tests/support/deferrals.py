"""Logs of tasks that defer, as Airflow 3.3.2 and 2.11.2 write them: one object, a process that pauses and one that resumes."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.fleet.records import Attempt, airflow2, airflow3

from tests.support.weeks import put

TIMEOUT3, TIMEOUT2 = ("TaskDeferralTimeout", "Trigger timeout"), ("airflow.exceptions.TaskDeferralError", "Trigger/execution timeout")  # fmt: skip
FAILURE3, FAILURE2 = ("TaskDeferralError", "Trigger failure"), ("airflow.exceptions.TaskDeferralError", "Trigger failure")  # fmt: skip
SUBMIT_S = 5.0
"""How long the first process works: it submits."""


@dataclass(frozen=True, slots=True)
class Deferral:
    """One try that defers once. `attempt` tells its start, its ending and its error; the second process works for its
    `seconds`. Where `trigger` is given, the trigger raised it, and the try fails by that. `never`: nothing resumes it."""

    attempt: Attempt
    away_s: float
    trigger: tuple[str, str] | None = None
    is_timeout: bool = False
    never: bool = False

    @property
    def back_at(self) -> datetime:
        return self.attempt.started_at + timedelta(seconds=SUBMIT_S + self.away_s)

    @property
    def ended_at(self) -> datetime:
        if self.never:
            return self.attempt.started_at + timedelta(seconds=SUBMIT_S)
        return self.back_at + timedelta(seconds=self.attempt.seconds)


def deferral3(one: Deferral) -> bytes:
    """JSON lines of Airflow 3."""
    first = airflow3(replace(one.attempt, ending="cut")) + _line(
        one.attempt.started_at + timedelta(seconds=SUBMIT_S), "info", "::group::Post Execute", lineno=1614
    )
    first += _line(
        one.attempt.started_at + timedelta(seconds=SUBMIT_S),
        "info",
        "Pausing task as DEFERRED. ",
        lineno=1466,
    )
    if one.never:
        return first
    attempt = replace(one.attempt, started_at=one.back_at)
    if one.trigger or one.is_timeout:
        attempt = replace(attempt, error=TIMEOUT3 if one.is_timeout else FAILURE3)
    head, mark, tail = airflow3(attempt).partition(b'"event":"::endgroup::"')
    if one.trigger:
        line, rest = tail.split(b"\n", 1)
        told = _line(one.back_at, "error", _traceback(one.trigger), logger="airflow.task.operators.acme.Wait")
        return first + head + mark + line + b"\n" + told + rest
    return first + head + mark + tail


def deferral2(one: Deferral) -> bytes:
    """Text of Airflow 2."""
    at = one.attempt.started_at + timedelta(seconds=SUBMIT_S)
    first = airflow2(replace(one.attempt, ending="cut")).decode()
    first += _record(at, "taskinstance.py:297", "INFO", f"Pausing task as DEFERRED. {_ids(one.attempt)}")
    first += _record(
        at, "local_task_job_runner.py:260", "INFO", "Task exited with return code 100 (task deferral)"
    )
    if one.never:
        return first.encode()
    attempt = replace(one.attempt, started_at=one.back_at)
    if one.trigger or one.is_timeout:
        attempt = replace(attempt, error=TIMEOUT2 if one.is_timeout else FAILURE2)
    again = airflow2(attempt).decode()
    number = f"Starting attempt {attempt.try_number} of {attempt.max_tries}"
    again = again.replace(number, "Resuming after deferral")
    if one.trigger:
        told = _record(one.back_at, "baseoperator.py:1814", "ERROR", _traceback(one.trigger))
        head, mark, tail = again.partition("::endgroup::\n")
        again = head + mark + told + tail
    return (first + again).encode()


def put_deferrals(root: Path, tries: list[Deferral], *, airflow: int = 3) -> None:
    """The log of each below `root`/logs."""
    for one in tries:
        body = deferral3(one) if airflow == 3 else deferral2(one)
        put(root / "logs" / one.attempt.key, body, one.ended_at)


def _traceback(raised: tuple[str, str]) -> str:
    return (
        "Trigger failed:\nTraceback (most recent call last):\n\n"
        '  File "/home/airflow/lib/python3.12/site-packages/airflow/jobs/triggerer_job_runner.py", line 1400, in run_trigger\n'
        "    async for event in trigger.run():\n\n"
        f'  File "/opt/airflow/plugins/triggers.py", line 8, in run\n    raise\n\n{raised[0]}: {raised[1]}\n'
    )


def _line(at: datetime, level: str, event: str, *, logger: str = "task", lineno: int = 1815) -> bytes:
    stamp = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    body = {"timestamp": stamp, "level": level, "event": event, "logger": logger, "lineno": lineno}
    return (json.dumps(body, separators=(",", ":")) + "\n").encode()


def _record(at: datetime, file: str, level: str, text: str) -> str:
    return f"[{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000] {{{file}}} {level} - {text}\n"


def _ids(one: Attempt) -> str:
    return f"dag_id={one.dag_id}, task_id={one.task_id}, run_id={one.run_id}"
