"""Airflow 3 task logs: one JSON object a line (facts of a real 3.3.2 run; 3.0 and 3.1 read in their sources).

Two steps: lines into records (`decode`), and records into what they say (`interpret`, shared with the text forms).
State comes only from records of the logger `task` that are not output (3.0 gives prints the same logger and a `chan`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from windsock.parse.airflow3.ending import Segment
from windsock.parse.airflow3.lines import GROUP_EVENT, STARTUP_EVENT, Decoded, decode
from windsock.parse.reading import ERRORS, TRIGGER_FAILED, WARNINGS, Reading, Record
from windsock.parse.traceback import last_exception

GROUP = b"::group::Pre"  # how the first record of a process begins from 3.3 on
STARTS = (b"DAG bundles loaded", b"Done. Returned value was")
"""How the quiet records begin that tell, before 3.3, where a process begins and that it came to its end."""
_COMMAND_LOGGERS = (
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
    segment = Segment()
    bundle_starts = group_starts = 0
    last_no = -1
    for record, body in records:
        keep(record)
        last_no = record.no
        if record.level != "info":
            reading.warning_count += record.level in WARNINGS
            reading.error_count += record.level in ERRORS
        segment.is_torn = body is None
        if body is None:
            reading.partial = "a line that is not a JSON object"
            continue
        if record.logger == "task" and "chan" not in body:
            if opens_group(record):
                group_starts += 1
                segment = _next(reading, is_grouped=True)
            elif record.message == STARTUP_EVENT:
                startup(reading, record.at, body.get)
            segment.is_begun = True
            segment.see(record, body)
        elif record.logger == "supervisor" and (is_console or record.level in WARNINGS):
            segment.supervised(record, body)
        elif record.logger.endswith(_COMMAND_LOGGERS):
            reading.add_output(record.message, keep=keep_output)
        elif record.level == "error" and record.message.startswith(TRIGGER_FAILED):
            if raised := last_exception(record.message):
                reading.add_trigger(raised)
        elif not group_starts and _loads_bundles(record):
            bundle_starts += 1
            segment = _next(reading, is_grouped=False)
        elif record.failure and record.message.startswith("Failed to import"):
            segment.import_failure = record.failure
        elif record.message.startswith("Done. Returned value was") and record.level != "debug":
            segment.is_begun = True
    if -1 < last_no < reading.record_count - 1:
        segment.is_torn = False  # what was left out stands behind
    reading.process_starts = group_starts or bundle_starts
    segment.conclude(reading)
    return reading


def opens_group(record: Record) -> bool:
    """The first record of a process from 3.3 on."""
    return record.message == GROUP_EVENT and record.logger == "task"


def _next(reading: Reading, *, is_grouped: bool) -> Segment:
    """A further process of the attempt."""
    reading.command_output.clear()
    segment = Segment()
    segment.is_begun, segment.is_grouped = True, is_grouped
    return segment


def _loads_bundles(record: Record) -> bool:
    """The first record of a process before 3.3. Records of level debug tell nothing, as on the fast path."""
    return (
        record.message.startswith("DAG bundles loaded")
        and record.logger.endswith("DagBundlesManager")
        and record.level != "debug"
    )


def startup(reading: Reading, at: datetime | None, get: Callable[[str], Any]) -> None:
    """3.3 and newer: what parsing the DAG file cost in this very process, and from which commit."""
    reading.bundle_name, reading.bundle_version = _text(get("bundle_name")), _text(get("bundle_version"))
    reading.dag_file, reading.parsed_at = _text(get("dag_file")), at
    reading.dag_file_parse_s = _seconds(get("dag_file_parse_ms"))
    reading.bundle_prepare_s = _seconds(get("bundle_prepare_ms"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _seconds(value: Any) -> float | None:
    return value / 1000 if isinstance(value, int | float) and 0 <= value < 1e9 else None
