"""How an attempt of Airflow 1.7 to 2.11 ended: a state machine over the records that Airflow itself wrote, in order.

What decides is the last marking (`Marking task as …`); a later process of the same attempt speaks for all of it.
Sources: facts of real runs of 1.10.15 to 2.11.2; models.py, taskinstance.py, local_task_job(_runner).py of 1.8 to 2.11.
"""

from __future__ import annotations

import re

from windsock.model import LogKey
from windsock.parse.reading import (
    FAILED,
    RETRY,
    SKIPPED,
    SUCCESS,
    UNKNOWN,
    Failure,
    Reading,
    Record,
    reason_of,
)
from windsock.parse.traceback import START
from windsock.schema import STATES

_MARK = re.compile(
    r"(?P<how>Immediate failure requested\. |All retries failed; )?[Mm]arking task as (?P<state>[A-Z_]+)"
    r"(?:\. ?(?P<rest>dag_id=.*)?|\Z)",
    re.DOTALL,
)
_RETURN = re.compile(r"Task exited with return code (?P<code>-?\d+|Negsignal\.\w+)")
_EXTERNAL = re.compile(r"State of this instance has been externally set to (?:\w+\.)?(?P<state>\w+)")
LEAVING = ("Pausing task as DEFERRED", "Rescheduling task, marking task as UP_FOR_RESCHEDULE")
"""How the words begin after which the attempt goes on in a later process."""
_PID = re.compile(r"(?:; ?\d{1,12})?\)?\s*\Z")
_SIGTERM = ("Task received SIGTERM signal", "LocalTaskJob received SIGTERM signal")
# errors of Airflow around the task, which say nothing of the task's own end (messages of 1.8 to 2.11)
_ASIDE = (
    "Error in callback",
    "Failed when executing ",
    "Error when executing ",
    "Failed at executing callback",
    "Failed to send email",
    "Error scheduling downstream tasks",
    "Error calling listener",
    "error calling listener",
    "Error sending OpenLineage",
    "Failed to push ",
    "Stacktrace",
    "Received SIGTERM",
)
# how sure a record is to hold the exception that ended the task; the last of the highest rank is taken
_LATE, _SAID, _REPEATED, _ERROR, _TOLD = range(5)


class Ending:
    """Follows the trusted records; `conclude` says how the attempt ended."""

    def __init__(self, key: LogKey) -> None:
        self.key = key
        self.is_unfit = False
        self.start()
        self.is_run = False

    def start(self) -> None:
        """A new process: what an earlier one said of its own ending no longer decides."""
        self.state, self.reason, self.code = "", "", ""
        self.failure: Failure | None = None
        self.rank = -1
        self.is_external = self.is_terminated = False
        self.is_run = True

    def see(self, record: Record) -> None:
        """Take one record that Airflow wrote."""
        if not self.see_info(record.message) and record.level in ("error", "critical"):
            self.is_terminated |= record.message.startswith("Received SIGTERM")
            self._failed(record)

    def see_info(self, text: str) -> bool:
        """Take what a record says of the ending, whatever its level; False where it says nothing by its words alone."""
        if "arking task as " in text and (mark := _MARK.match(text)) and self._names_me(mark["rest"] or ""):
            self._marked(mark["state"].lower(), mark["how"] or "")
        elif text.startswith("Task exited") and (match := _RETURN.match(text)):
            self.code = match["code"]
            if "(task deferral)" in text:
                self.code = ""
                self.state, self.reason = self.state or "deferred", self.reason or "deferral"
        elif text.startswith("State of") and (match := _EXTERNAL.match(text)):
            self._set_from_outside(match["state"].lower())
        elif text.startswith("Pausing task as DEFERRED"):
            self.state, self.reason = "deferred", "deferral"
        elif text.startswith("Rescheduling task, marking task as UP_FOR_RESCHEDULE"):
            self.state, self.reason = "up_for_reschedule", "reschedule"
        elif text.startswith("Task is not able to be run"):
            self.is_unfit = True
        else:
            return False
        return True

    def _names_me(self, rest: str) -> bool:
        """A marking names its attempt; text printed by another task of the same process does not.

        Airflow masks secrets as `***`, also inside ids (the default password is `airflow`): those match anything.
        """
        if not rest or not self.key.dag_id:
            return True
        mine = f"dag_id={self.key.dag_id}, task_id={self.key.task_id},"
        if "***" not in rest:
            return (rest + ",").startswith(mine)
        told = rest.split(", ", 2)
        pattern = re.escape(", ".join(told[:2]) + ",").replace(re.escape("***"), ".*")
        return re.fullmatch(pattern, mine) is not None

    def _marked(self, state: str, how: str) -> None:
        if self.state == SKIPPED and state == SUCCESS:
            return  # 1.10 to 2.0 write SKIPPED and then SUCCESS for one skip
        self.state = state if state in STATES else UNKNOWN
        if self.is_external:
            return  # the process marks itself because it was told to stop
        self.reason = "fail_now" if how.startswith("Immediate") else "skip" if state == SKIPPED else ""

    def _set_from_outside(self, state: str) -> None:
        """Also written when the supervisor notices the task's own marking late: then nothing came from outside."""
        if state == self.state:
            return
        self.state, self.reason = (state if state in STATES else UNKNOWN), "external"
        self.is_external = True

    def _failed(self, record: Record) -> None:
        text = record.message
        if text.startswith(_ASIDE):
            return
        is_job = text.startswith("Failed to execute job")
        if text.startswith("Task failed with exception"):
            rank = _TOLD
        elif is_job:
            rank = _REPEATED
        elif self.state in (FAILED, RETRY):
            rank = _LATE  # a failing mail or callback after the marking
        else:
            rank = _ERROR if record.failure else _SAID
        failure = record.failure
        if failure is None and is_job:
            failure = Failure("", _told_by_job(text))
        elif failure is None:
            failure = Failure("", text)
        if rank > self.rank or (rank == self.rank and rank != _REPEATED and rank != _LATE):
            self.rank, self.failure = rank, failure

    def conclude(self, reading: Reading) -> None:
        """Write state, reason and failure into the reading."""
        state = self.state or self._unmarked()
        reading.state = state or UNKNOWN
        if state in (FAILED, RETRY):
            reading.state_reason = self._why()
            reading.failure = self.failure
            if self.failure is None and not self.is_external and self.code not in ("", "0"):
                reading.cause = f"return code {self.code}"
        elif state:
            reading.state_reason = self.reason or None
        elif self.is_unfit and not self.is_run:
            reading.state_reason = "not_run"
        else:
            reading.state_reason = "signal" if self.is_terminated else "truncated"

    def _unmarked(self) -> str:
        """Without a marking: killed, or (up to 1.10.2) a success, or a copy that was cut after the error."""
        if self.code not in ("", "0") or self.rank in (_TOLD, _REPEATED):
            return FAILED
        if self.code == "0" and self.is_run:
            return SUCCESS  # whatever was logged on the way
        return FAILED if self.rank >= _SAID else ""

    def _why(self) -> str:
        if self.is_external:
            return "external"
        by_exception = reason_of(self.failure)
        if by_exception in ("timeout", "signal"):
            return by_exception
        if self.failure and self.failure.message.startswith("Task failed due to SystemExit"):
            return "exit_code"
        if self.failure and self.failure.message.startswith(_SIGTERM):
            return "signal"
        if self.reason:
            return self.reason
        if self.code.startswith(("-", "Negsignal")) or (self.is_terminated and not self.failure):
            return "signal"
        if self.failure:
            return by_exception
        return "exit_code" if self.code not in ("", "0") else "unknown"


def _told_by_job(text: str) -> str:
    """`Failed to execute job 17 for task t (the message, of any number of lines; 24774)`."""
    message = text.partition(" (")[2] or text
    message = message.split(f"\n{START}", 1)[0].rstrip()
    return (
        message[: -len(tail[0])]
        if (tail := _PID.search(message, max(0, len(message) - 20))) and tail[0]
        else message
    )
