"""Airflow 3 task logs: one JSON object a line (facts of a real 3.3.2 run; 3.0 and 3.1 read in their sources).

Two steps: lines into records (`decode`), and records into what they say (`interpret`, shared with the text forms).
State comes only from records of the logger `task` that are not output (3.0 gives prints the same logger and a `chan`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from windsock.parse.airflow3.ending import LEAVING, Segment
from windsock.parse.reading import (
    ERRORS,
    TRIGGER_FAILED,
    WARNINGS,
    Failure,
    Reading,
    Record,
    is_user_file,
    package_of,
)
from windsock.parse.traceback import clean_type, last_exception

Decoded = tuple[Record, dict[str, Any] | None]
"""A record with the object it was decoded from, or None where the line was no JSON object."""

# What Airflow's own writer puts in front, in this order and spelling; the event's text begins at byte 67 (info)
QUIET_HEAD = re.compile(
    rb'\{"timestamp":"20\d\d-\d\d-\d\d.\d\d:\d\d:\d\d\.\d{6}Z","level":"(?:info","event":"|debug",)',
    re.DOTALL,
)
EVENT_AT = 67
TASK_LOGGER, ERROR_DETAIL = b'"logger":"task"', b'"error_detail":'
DULL_EVENTS = (b"::endgro", b"Pushing ")  # the task runner's own lines that say nothing of the ending
GROUP = b"::group::Pre"  # how the first record of a process begins from 3.3 on
STARTS = (b"DAG bundles loaded", b"Done. Returned value was")
"""How the quiet records begin that tell, before 3.3, where a process begins and that it came to its end."""
_LEVELS = ("info", "error", "warning", "debug", "critical")
_decode = msgspec.json.Decoder().decode
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


def decode(text: bytes, *, first_no: int = 0) -> Iterator[Decoded]:
    """Every line as a record. A line that is no JSON object has no body, no level and its text as message."""
    no = first_no
    for line in text.split(b"\n"):
        if not line.strip():
            continue
        yield decode_line(line, no=no)
        no += 1


def is_quiet(line: bytes) -> bool:
    """Whether a line tells nothing but its time: Airflow's own head, level info or debug, no word of the task runner,
    no exception. The fast path counts such lines without decoding them; both paths draw this one border."""
    return (  # in the order that is cheapest for the lines that the fast path hands on
        (TASK_LOGGER not in line or line.startswith(DULL_EVENTS, EVENT_AT))
        and ERROR_DETAIL not in line
        and line[-1:] == b"}"
        and QUIET_HEAD.match(line) is not None
    )


def decode_line(line: bytes, *, no: int) -> Decoded:
    """One line as record number `no` of its object. Of a quiet line the head decides, whatever follows it."""
    body = as_object(line)
    if is_quiet(line):
        record = record_of(no, body or {"event": line.decode("utf-8", "replace")})
        level = "info" if line[52:53] == b"i" else "debug"
        logger = "" if record.logger == "task" else record.logger
        at = moment(line[14:41].decode("ascii", "replace"))
        return Record(no, at, level, logger, record.message), {}
    if body is None:
        return Record(no, None, "", "", line.decode("utf-8", "replace")), None
    return record_of(no, body), body


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
                segment = _next(reading, record, is_grouped=True)
            elif record.message == "Worker startup parse complete":
                _startup(reading, record, body)
            segment.is_begun = True
            segment.see(record, body)
            if record.message.startswith(LEAVING):
                reading.leave(segment.state, record.at)
        elif record.logger == "supervisor" and (is_console or record.level in WARNINGS):
            segment.supervised(record, body)
        elif record.logger.endswith(_COMMAND_LOGGERS):
            reading.add_output(record.message, keep=keep_output)
        elif record.level == "error" and record.message.startswith(TRIGGER_FAILED):
            if raised := last_exception(record.message):
                reading.add_trigger(raised)
        elif not group_starts and _loads_bundles(record):
            bundle_starts += 1
            segment = _next(reading, record, is_grouped=False)
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
    return record.message == "::group::Pre Execute" and record.logger == "task"


def _next(reading: Reading, record: Record, *, is_grouped: bool) -> Segment:
    """A further process of the attempt."""
    reading.come_back(record.at)
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


def as_object(line: bytes) -> dict[str, Any] | None:
    """A line's JSON object, or None where it is none."""
    try:
        body = _decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return body if isinstance(body, dict) else None


def record_of(no: int, body: dict[str, Any]) -> Record:
    """A decoded object as a record."""
    get = body.get
    event, level, logger, detail = get("event"), get("level"), get("logger"), get("error_detail")
    return Record(
        no,
        moment(get("timestamp")),
        level if level in _LEVELS else str(level or "").lower(),
        logger if type(logger) is str else str(logger or ""),
        event if type(event) is str else "" if event is None else str(event),
        _failure(detail) if detail else None,
    )


def moment(value: Any) -> datetime | None:
    """An ISO 8601 time with zone; anything else is None."""
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is UTC:
            return at
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _failure(detail: Any) -> Failure | None:
    """Element 0 of `error_detail` is what was raised; a group's own frames stand on the group."""
    if not (isinstance(detail, list) and detail and isinstance(detail[0], dict)):
        return None
    raised = detail[0]
    told = raised.get("frames")
    frames = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    return Failure(
        clean_type(str(raised.get("exc_type") or "")),
        str(raised.get("exc_value") or ""),
        _user_frame(frames),
        package_of(str(frames[-1].get("filename") or "")) if frames else None,
    )


def _user_frame(frames: list[dict[str, Any]]) -> tuple[str, str] | None:
    for frame in reversed(frames):
        if is_user_file(str(frame.get("filename") or "")):
            return str(frame["filename"]).rsplit("/", 1)[-1], str(frame.get("name") or "")
    return None


def _startup(reading: Reading, record: Record, body: dict[str, Any]) -> None:
    """3.3 and newer: what parsing the DAG file cost in this very process, and from which commit."""

    def text(name: str) -> str | None:
        value = body.get(name)
        return value if isinstance(value, str) and value else None

    def seconds(name: str) -> float | None:
        value = body.get(name)
        return value / 1000 if isinstance(value, int | float) and 0 <= value < 1e9 else None

    reading.bundle_name, reading.bundle_version = text("bundle_name"), text("bundle_version")
    reading.dag_file, reading.parsed_at = text("dag_file"), record.at
    reading.dag_file_parse_s, reading.bundle_prepare_s = (
        seconds("dag_file_parse_ms"),
        seconds("bundle_prepare_ms"),
    )
