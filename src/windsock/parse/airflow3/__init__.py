"""Airflow 3 task logs: one JSON object a line (facts of a real 3.3.2 run; 3.0 and 3.1 read in their sources).

Two steps: lines into records (`decode`), and records into what they say (`interpret`, shared with the text forms).
State comes only from records of the logger `task` that are not output (3.0 gives prints the same logger and a `chan`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from windsock.parse.airflow3.ending import LEAVING, Segment
from windsock.parse.airflow3.lines import GROUP_EVENT, STARTUP_EVENT, STARTUP_FIELDS, Decoded, decode
from windsock.parse.connections import TELLS_CONNECTION
from windsock.parse.reading import ERRORS, TRIGGER_FAILED, WARNINGS, Reading, Record
from windsock.parse.traceback import last_exception

GROUP = b"::group::Pre"  # how the first record of a process begins from 3.3 on
STARTS = (b"DAG bundles loaded", b"Done. Returned value was")
"""How the quiet records begin that tell, before 3.3, where a process begins and that it came to its end."""
CONNECTS = (b"Connecti", b"AWS Conn", b'"Connect')
"""How those begin that name a connection; at debug, where the text stands a byte further, with the quote before it."""
COMMAND_LOGGERS = (
    "SubprocessHook",
    "PodManager",
    "SSHHook",
    "SSHOperator",
    "SparkSubmitHook",
    "DockerOperator",
    "KubernetesPodOperator",
)


def read(text: bytes, *, keep_output: int = 50) -> Reading:
    """Read every line: first decode, then interpret."""
    reading = interpret(Reading("airflow3"), decode(text), keep_output=keep_output)
    reading.record_count = len(reading.records)
    return reading


def interpret(
    reading: Reading,
    records: Iterable[Decoded],
    *,
    keep_output: int = 50,
    keep: Callable[[Record], None] | None = None,
    is_console: bool = False,
) -> Reading:
    """What the records say together. Quiet ones may be left out, if `record_count` counts them; but before 3.3, where no
    process begins with a group, those may not that begin with one of `STARTS`.

    `keep` takes the records instead of `reading.records`. On a console (`is_console`) the supervisor's quiet words stand
    among the task's; in an object they do not, and would be left out."""
    keep = keep or reading.records.append
    story = Story(reading, keep_output=keep_output, is_console=is_console)
    last_no = -1
    for record, body in records:
        keep(record)
        last_no = record.no
        story.take(record, body)
    return story.end(last_no)


class Story:
    """The records of one attempt as they come by, in order."""

    __slots__ = ("_bundles", "_groups", "_is_console", "_keep_output", "reading", "segment")

    def __init__(self, reading: Reading, *, keep_output: int = 50, is_console: bool = False) -> None:
        self.reading, self.segment = reading, Segment()
        self._keep_output, self._is_console = keep_output, is_console
        self._groups = self._bundles = 0

    def take(self, record: Record, body: dict[str, Any] | None) -> None:
        """One record; without a body it is a line that is no JSON object."""
        reading, segment = self.reading, self.segment
        if record.level != "info":
            reading.warning_count += record.level in WARNINGS
            reading.error_count += record.level in ERRORS
        segment.is_torn = body is None
        if body is None:
            reading.partial = "a line that is not a JSON object"
        elif record.logger == "task" and "chan" not in body:
            if record.message == GROUP_EVENT:
                segment = self.open(record.at)
            elif record.message == STARTUP_EVENT:
                startup(reading, record.at, tuple(map(body.get, STARTUP_FIELDS)))
            segment.is_begun = True
            segment.see(record, body)
            self.leave(record.message, record.at)
        elif record.logger == "supervisor" and (self._is_console or record.level in WARNINGS):
            segment.supervised(record, body)
        elif record.logger.endswith(COMMAND_LOGGERS):
            reading.add_output(record.message, keep=self._keep_output)
        elif record.level == "error" and record.message.startswith(TRIGGER_FAILED):
            if raised := last_exception(record.message):
                reading.add_trigger(raised)
        elif not self._groups and _loads_bundles(record):
            self._bundles += 1
            self._next(record.at, is_grouped=False)
        elif record.failure and record.message.startswith("Failed to import"):
            segment.import_failure = record.failure
        elif record.message.startswith("Done. Returned value was") and record.level != "debug":
            segment.is_begun = True
        elif record.message.startswith(TELLS_CONNECTION):
            reading.connect(record.message)

    def open(self, at: datetime | None) -> Segment:
        """A further process, that tells so itself."""
        self._groups += 1
        return self._next(at, is_grouped=True)

    def leave(self, event: str, at: datetime | None) -> None:
        """The process ends, and the attempt goes on later, if this is what the runner says."""
        if event.startswith(LEAVING):
            self.reading.leave(self.segment.state, at)

    def _next(self, at: datetime | None, *, is_grouped: bool) -> Segment:
        self.reading.come_back(at)
        self.reading.restart()
        self.segment = Segment(is_begun=True, is_grouped=is_grouped)
        return self.segment

    def end(self, last_no: int) -> Reading:
        """What it comes to; `last_no` is the number of the last record that was taken."""
        if -1 < last_no < self.reading.record_count - 1:
            self.segment.is_torn = False  # what was left out stands behind
        self.reading.process_starts = self._groups or self._bundles
        self.segment.conclude(self.reading)
        return self.reading


def opens_group(record: Record) -> bool:
    """The first record of a process from 3.3 on."""
    return record.message == GROUP_EVENT and record.logger == "task"


def _loads_bundles(record: Record) -> bool:
    """The first record of a process before 3.3. Records of level debug tell nothing, as on the fast path."""
    return (
        record.message.startswith("DAG bundles loaded")
        and record.logger.endswith("DagBundlesManager")
        and record.level != "debug"
    )


Startup = tuple[Any, ...]
"""The values of `STARTUP_FIELDS`, of whatever kind they are."""


def startup(reading: Reading, at: datetime | None, told: Startup) -> None:
    """3.3 and newer: what parsing the DAG file cost in this very process, and from which commit."""
    bundle, version, file, parse_ms, prepare_ms = told
    reading.bundle_name = bundle if type(bundle) is str and bundle else None
    reading.bundle_version = version if type(version) is str and version else None
    reading.dag_file, reading.parsed_at = file if type(file) is str and file else None, at
    reading.dag_file_parse_s = (
        parse_ms / 1000 if isinstance(parse_ms, int | float) and 0 <= parse_ms < 1e9 else None
    )
    reading.bundle_prepare_s = (
        prepare_ms / 1000 if isinstance(prepare_ms, int | float) and 0 <= prepare_ms < 1e9 else None
    )
