"""What every dialect's reader produces: records, and what they say about the attempt."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec

from windsock.parse.connections import MOST, connection_in

FAILED, RETRY, SKIPPED, SUCCESS, UNKNOWN = "failed", "up_for_retry", "skipped", "success", "unknown"

KEEP_OUTPUT = 50
"""Lines of a command's output that are kept: the last ones, for the signature of its failure."""

WARNINGS, ERRORS = ("warning", "error", "critical"), ("error", "critical")
"""Levels that count as a warning or worse, and as an error or worse."""

DEFAULT_OWNER = "airflow"
"""`[operators] default_owner`: what Airflow writes where nobody is named."""

# exceptions by which Airflow itself says why an attempt ended
REASON_OF_EXCEPTION = {
    "AirflowTaskTimeout": "timeout",
    "AirflowSensorTimeout": "timeout",
    "TaskDeferralTimeout": "timeout",
    "AirflowFailException": "fail_now",
    "AirflowTaskTerminated": "signal",
    "AirflowException": "exception",
}


TRIGGER_LATE = ("Trigger/execution timeout", "Trigger timeout")
"""How 2.x and 3.x say that a trigger did not fire in time."""


# Structs, not dataclasses: a frozen one is made eight times as quickly, and some twenty are made for each object


class Failure(msgspec.Struct, frozen=True, gc=False):
    """One exception: its class, its message, the innermost frame of user code as (file, function), and the installed
    package whose line raised it (None: the user's own)."""

    type: str
    message: str
    frame: tuple[str, str] | None = None
    package: str | None = None


def reason_of(failure: Failure | None) -> str:
    """Why Airflow ended an attempt that raised this. Before 3.0 a trigger that never fired is told by its message alone."""
    if failure is None:
        return "exception"
    if failure.type == "TaskDeferralError" and failure.message.startswith(TRIGGER_LATE):
        return "timeout"
    return REASON_OF_EXCEPTION.get(failure.type, "exception")


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record of a log. `no` counts from 0 within the object; `level` is lower case."""

    no: int
    at: datetime | None
    level: str
    logger: str
    message: str
    failure: Failure | None = None


class Passed(msgspec.Struct, gc=False):
    """Records that were counted without being decoded: level info or debug, and nothing that tells of the ending.

    `first_no` is the number of the first one; the times are those of the first, the earliest and the latest (None where
    a stamp is no time: the exact path then has to look). Where `timed` is not 0, number and times are those of that many
    records, decoded ones among them.
    """

    count: int = 0
    first_no: int = 0
    first_at: datetime | None = None
    low_at: datetime | None = None
    high_at: datetime | None = None
    timed: int = 0
    commands: int = 0  # how many of them may be the output of a command

    @property
    def has_times(self) -> bool:
        """Whether there are records that the times are of."""
        return self.count > 0 or self.timed > 0

    def add(self, other: Passed, *, before: int) -> None:
        """Take in those of a later piece of the same object; `before` records stand in front of it."""
        if not other.has_times:
            return
        if not self.has_times:
            self.first_no, self.first_at = other.first_no + before, other.first_at
            self.low_at, self.high_at = other.low_at, other.high_at
        elif self.low_at and self.high_at and other.low_at and other.high_at:
            self.low_at, self.high_at = min(self.low_at, other.low_at), max(self.high_at, other.high_at)
        else:
            self.low_at = self.high_at = None
        self.count += other.count
        self.timed += other.timed
        self.commands += other.commands


class Leg(NamedTuple):
    """A time in which the attempt held no worker: `kind` is deferred or up_for_reschedule, `back_at` the first record of the
    process that followed (so it holds the waiting for a slot, too)."""

    kind: str
    left_at: datetime
    back_at: datetime


class Reading(msgspec.Struct):
    """Everything that one log object says about its attempt; unset values are not told by the log.

    `records` are in order and carry their own numbers; on the fast path those in `passed` are left out.
    Records told twice are kept once; the counts are of the whole object.
    `cause` tells an ending without an exception (a signal, an exit code) in a few words, for its signature.
    """

    dialect: str
    record_count: int = 0
    warning_count: int = 0
    error_count: int = 0
    records: list[Record] = []
    passed: Passed = msgspec.field(default_factory=Passed)
    state: str = UNKNOWN
    state_reason: str | None = None
    failure: Failure | None = None
    cause: str | None = None
    command_output: list[str] = []
    process_starts: int = 0
    connections: list[str] = []
    legs: list[Leg] = []
    left: tuple[str, datetime] | None = None
    bundle_name: str | None = None
    bundle_version: str | None = None
    dag_file: str | None = None
    dag_file_parse_s: float | None = None
    bundle_prepare_s: float | None = None
    parsed_at: datetime | None = None
    hostname: str | None = None
    operator: str | None = None
    owner: str | None = None
    logical_date: datetime | None = None
    partial: str | None = None

    def add_output(self, text: str, *, keep: int) -> None:
        """One line of a command's output; the last `keep` are kept, frames of a Java stack not counted."""
        if not text.lstrip().startswith("at "):
            self.command_output.append(text)
            del self.command_output[:-keep]

    def connect(self, text: str) -> None:
        """A record that may name a connection which a hook took; the last one taken stands last."""
        if conn_id := connection_in(text):
            self.connections = [*(one for one in self.connections if one != conn_id), conn_id][-MOST:]

    def restart(self) -> None:
        """Another process begins: what the one before it took and printed is not of its failure."""
        self.command_output.clear()
        self.connections.clear()

    def leave(self, kind: str, at: datetime | None) -> None:
        """The process said that it ends here, and that the attempt goes on later."""
        self.left = (kind, at) if at is not None else None

    def come_back(self, at: datetime | None) -> None:
        """A process of the attempt begins."""
        if self.left is not None and at is not None and at >= self.left[1]:
            self.legs.append(Leg(*self.left, at))
        self.left = None

    def add_trigger(self, failure: Failure) -> None:
        """What the trigger of a deferred task raised; to the task it is as the output of a command."""
        self.command_output.append(f"{failure.type}: {failure.message}")
        del self.command_output[:-KEEP_OUTPUT]


TRIGGER_FAILED = "Trigger failed:"
"""What the operator logs before a deferral fails with nothing but `Trigger failure`: the trigger's own traceback follows."""


# Airflow itself is among installed packages, or below a folder of its own (Composer, development): people keep their
# own `operators/` and `utils/` beside their DAGs in /opt/airflow
_LIBRARY = re.compile(
    r"/(?:site|dist)-packages/|/lib(?:64)?/python\d|/python\d\.\d+/|^<|/airflow/airflow/|/lib/airflow/|/task-sdk/src/airflow/|"
    r"\.pyx$|\.pxd$|\.zip/|\.egg/|/spark/python/|/[Ll]ib/(?:asyncio|concurrent)/"
)


@lru_cache(maxsize=4096)
def is_user_file(path: str) -> bool:
    """Whether a frame's file is the user's: not installed, not of the standard library, not generated."""
    return bool(path) and not _LIBRARY.search(path.replace("\\", "/"))


_PACKAGE = re.compile(r".*/(?:(?:site|dist)-packages|python\d(?:\.\d+)?)/(?P<name>\w+)")


@lru_cache(maxsize=4096)
def package_of(path: str) -> str | None:
    """The installed package or standard module that a frame's file belongs to; None where it is the user's."""
    found = None if is_user_file(path) else _PACKAGE.match(path.replace("\\", "/"))
    return found["name"] if found else None
