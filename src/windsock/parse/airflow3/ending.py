"""How an attempt of Airflow 3 ended: what its runner (logger `task`) and its supervisor wrote, in order.

There is no "marking as" line. Texts: task_runner.py and supervisor.py of task-sdk 1.0.0 (Airflow 3.0), 1.1.0 (3.1) and
1.3.2 (3.3), facts of a real 3.3.2 run. From 3.3 on groups (`::group::Post Execute`) show how far a process came; before,
a process that says nothing bad ended well.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from windsock.parse.airflow3.lines import FAILED_EVENT, POST_EVENT
from windsock.parse.reading import (
    FAILED,
    SKIPPED,
    SUCCESS,
    UNKNOWN,
    Failure,
    Reading,
    Record,
    reason_of,
)
from windsock.schema import STATES

SILENT_SKIP_LINENO = 1620  # "::group::Post Execute" of AirflowSkipException without a message, in 3.3.2
_UNWANTED = "Server indicated the task shouldn't be running"
_TOLD_STATE = re.compile(r"'current_state': '(\w+)'")
# the runner ends the task as failed without an exception; the text is all there is to say
_FAILED_BY = (
    "Dag Run already exists, marking task as failed",
    "DagRun finished with failed state",
)
_NOT_FOUND = (
    "DAG not found during start up",
    "Dag not found during start up",
    "Task not found in DAG during start up",
    "Task not found in Dag during start up",
)
_INFO_ENDINGS = (
    ("Skipping task.", SKIPPED, "skip"),
    ("Dag Run already exists, skipping task", SKIPPED, "skip"),
    ("Pausing task as DEFERRED", "deferred", "deferral"),
    ("Rescheduling task, marking task as UP_FOR_RESCHEDULE", "up_for_reschedule", "reschedule"),
)
LEAVING = ("Pausing task as DEFERRED", "Rescheduling task, marking task as UP_FOR_RESCHEDULE")
"""How the words begin after which the attempt goes on in a later process."""
INFO_TEXTS = tuple(text for text, _state, _reason in _INFO_ENDINGS)


class Segment(msgspec.Struct, gc=False):
    """What one process of the attempt said about its ending. A later process speaks for the attempt."""

    state: str = ""
    reason: str = ""
    cause: str = ""
    failure: Failure | None = None
    import_failure: Failure | None = None  # of the DAG file, which the runner then does not find
    is_grouped: bool = False
    is_post_seen: bool = False
    is_silent_skip: bool = False
    is_begun: bool = False
    is_torn: bool = False
    external: str = ""

    def end(self, state: str, reason: str, failure: Failure | None = None, cause: str = "") -> None:
        """The last word counts; an exception once told is kept."""
        self.state, self.reason = state, reason
        self.failure, self.cause = failure or self.failure, cause or self.cause

    def see(self, record: Record, body: dict[str, Any]) -> None:
        """Take one record of the runner or of the supervisor's part of this log."""
        event = record.message
        if event == POST_EVENT:
            self.come_through(body.get("lineno"))
        elif record.level in ("error", "critical", "warning"):
            self._bad(record, body)
        else:
            self.inform(event)

    def come_through(self, lineno: Any) -> None:
        """The runner is done with the task's own code; from which of its lines it says so may tell a skip."""
        self.is_post_seen = True
        self.is_silent_skip = lineno == SILENT_SKIP_LINENO

    def inform(self, event: str) -> None:
        """The runner's word below a warning."""
        if event.startswith(INFO_TEXTS):
            for text, state, reason in _INFO_ENDINGS:
                if event.startswith(text):
                    self.end(state, reason)

    def supervised(self, record: Record, body: dict[str, Any]) -> None:
        """The supervisor's own log, where it is mixed in: a task that the server no longer wants, a process that it
        had to kill, and `Task finished` with the state it reported."""
        if record.message.startswith(_UNWANTED):
            self._stopped(body.get("detail"))
        elif record.message == "Process exited" and str(body.get("exit_code", "")).startswith("-"):
            if not self.state:
                self.end(FAILED, "signal", cause=f"exit code {body['exit_code']}")
        elif record.message == "Task finished":
            told = str(body.get("final_state") or "").lower()
            if told in STATES and not self.external and told != self.state:
                self.end(told, self.reason if self.state == FAILED else "")

    def _bad(self, record: Record, body: dict[str, Any]) -> None:
        event = record.message
        if event.startswith(FAILED_EVENT):
            self.end(FAILED, reason_of(record.failure), record.failure)
        elif event.startswith("Top level error"):
            if self.state != FAILED:  # else a mail or a callback failed after the task had
                self.end(FAILED, "exception", record.failure)
        elif event == "Task exited" and "exit_code" in body:
            self.end(FAILED, "exit_code", Failure("SystemExit", str(body["exit_code"])))
        elif event.startswith("Process exited abnormally"):
            if self.state != FAILED:
                self.end(FAILED, "exit_code", cause=self.cause or f"exit code {body.get('exit_code')}")
        elif event.startswith("Process terminated by signal"):
            name = str(body.get("signal_name") or body.get("signal") or "a signal")
            reason = "oom" if "out of memory" in event.lower() else "signal"
            self.end(FAILED, reason, cause=f"killed by {name}")
        elif record.level == "critical" and "Received SIGSEGV" in event:
            self.end(FAILED, "signal", cause="killed by SIGSEGV")
        elif event.startswith(_UNWANTED):
            self._stopped(body.get("detail"))
        elif event.startswith("Rescheduling task during startup"):
            self.end("up_for_reschedule", "reschedule")
        elif event.startswith(_NOT_FOUND):
            self.end(FAILED, "exception", self.import_failure, cause=event)
        elif event.startswith(_FAILED_BY):
            self.end(FAILED, "exception", cause=event)

    def _stopped(self, detail: Any) -> None:
        """The server's reason: another state was set, or the attempt is no longer known (its heartbeats were lost)."""
        told = detail if isinstance(detail, dict) else {}
        if isinstance(told.get("detail"), dict):
            told = told["detail"]
        state = str(told.get("current_state") or "")
        if told.get("reason") == "not_found" or (isinstance(detail, str) and "not_found" in detail):
            self.external, self.reason = FAILED, "heartbeat"
            return
        if not state and isinstance(detail, str) and (match := _TOLD_STATE.search(detail)):
            state = match[1]
        self.external = state if state in STATES else UNKNOWN

    def conclude(self, reading: Reading) -> None:
        """The supervisor's word first (it ends processes), then the runner's, then how far the process came."""
        if self.external:
            reading.state, reading.state_reason = self.external, "external"
            if self.external == FAILED and self.reason == "heartbeat":
                reading.state_reason = "heartbeat"
        elif self.state:
            reading.state, reading.state_reason = self.state, self.reason or None
            if self.state in (FAILED, "up_for_retry"):
                reading.failure = self.failure
                reading.cause = None if self.failure else self.cause or None
        elif self.is_silent_skip:
            reading.state, reading.state_reason = SKIPPED, "skip"
        elif self.is_post_seen or (self.is_begun and not self.is_grouped and not self.is_torn):
            reading.state = SUCCESS
        else:
            # os._exit(0), a race of the deferral, or a log that was cut: nothing here tells which
            reading.state, reading.state_reason = UNKNOWN, "truncated"
