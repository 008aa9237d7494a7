"""Airflow 3 task logs: one JSON object a line (facts of a real 3.3.2 run; other 3.x minors differ in texts and lineno).

State comes only from records of the logger `task`: user code can print any text, and any level, under other names.
There is no "marking as" line: the ending is read from what Airflow's task runner and its supervisor wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from windsock.parse.reading import (
    FAILED,
    REASON_OF_EXCEPTION,
    SKIPPED,
    STATES,
    SUCCESS,
    UNKNOWN,
    Failure,
    Reading,
    Record,
    is_user_file,
)

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
_decode = msgspec.json.Decoder().decode
_SILENT_SKIP_LINENO = 1620  # "::group::Post Execute" of AirflowSkipException without a message, in 3.3.2
_COMMAND_LOGGERS = (
    "SubprocessHook",
    "PodManager",
    "SSHHook",
    "SparkSubmitHook",
    "DockerOperator",
    "KubernetesPodOperator",
)


def read(text: bytes, *, keep_output: int = 50) -> Reading:
    """Read every line: first decode, then interpret."""
    return interpret(Reading("airflow3"), decode(text), keep_output=keep_output)


def decode(text: bytes) -> Iterator[Decoded]:
    """Every line as a record. A line that is no JSON object has no body, no level and its text as message."""
    no = 0
    for line in text.split(b"\n"):
        if not line.strip():
            continue
        yield decode_line(line, no=no)
        no += 1


def is_quiet(line: bytes) -> bool:
    """Whether a line tells nothing but its time: Airflow's own head, level info or debug, no word of the task runner,
    no exception. The fast path counts such lines without decoding them; both paths draw this one border."""
    return (
        line[-1:] == b"}"
        and QUIET_HEAD.match(line) is not None
        and ERROR_DETAIL not in line
        and (TASK_LOGGER not in line or line.startswith(DULL_EVENTS, EVENT_AT))
    )


def decode_line(line: bytes, *, no: int) -> Decoded:
    """One line as record number `no` of its object. Of a quiet line the head decides, whatever follows it."""
    body = _object(line)
    if is_quiet(line):
        record = _record(no, body or {"event": line.decode("utf-8", "replace")})
        level = "info" if line[52:53] == b"i" else "debug"
        logger = "" if record.logger == "task" else record.logger
        at = moment(line[14:41].decode("ascii", "replace"))
        return Record(no, at, level, logger, record.message), {}
    if body is None:
        return Record(no, None, "", "", line.decode("utf-8", "replace")), None
    return _record(no, body), body


def interpret(reading: Reading, records: Iterable[Decoded], *, keep_output: int = 50) -> Reading:
    """What the records say together. Records that tell nothing may be left out: each brings its own number."""
    segment = _Segment()
    for record, body in records:
        reading.records.append(record)
        if body is None:
            reading.partial = "a line that is not a JSON object"
        elif record.logger == "task":
            if record.message == "::group::Pre Execute":
                reading.process_starts += 1
                segment = segment.next()
                reading.command_output.clear()
            _task_record(reading, segment, record, body)
        elif record.logger.endswith(_COMMAND_LOGGERS):
            reading.command_output.append(record.message)
            del reading.command_output[:-keep_output]
    segment.conclude(reading)
    return reading


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        body = _decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return body if isinstance(body, dict) else None


def _record(no: int, body: dict[str, Any]) -> Record:
    event = body.get("event")
    return Record(
        no=no,
        at=moment(body.get("timestamp")),
        level=str(body.get("level") or "").lower(),
        logger=str(body.get("logger") or ""),
        message=event if isinstance(event, str) else "" if event is None else str(event),
        failure=_failure(body.get("error_detail")),
    )


def moment(value: Any) -> datetime | None:
    """An ISO 8601 time with zone; anything else is None."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _failure(detail: Any) -> Failure | None:
    """Element 0 of `error_detail` is what was raised; a group's own frames stand on the group."""
    if not (isinstance(detail, list) and detail and isinstance(detail[0], dict)):
        return None
    raised = detail[0]
    frames = raised.get("frames")
    return Failure(str(raised.get("exc_type") or ""), str(raised.get("exc_value") or ""), _user_frame(frames))


def _user_frame(frames: Any) -> tuple[str, str] | None:
    for frame in reversed(frames if isinstance(frames, list) else []):
        if isinstance(frame, dict) and is_user_file(str(frame.get("filename") or "")):
            return str(frame["filename"]).rsplit("/", 1)[-1], str(frame.get("name") or "")
    return None


class _Segment:
    """What one process of the attempt said about its ending. A later process speaks for the attempt."""

    def __init__(self, earlier: _Segment | None = None) -> None:
        self.state, self.reason = "", ""
        self.failure: Failure | None = None
        self.is_post_seen = self.is_silent_skip = False
        self.external = ""
        self.signal: int | None = None
        self.earlier = earlier

    def next(self) -> _Segment:
        return _Segment(self)

    def end(self, state: str, reason: str, failure: Failure | None = None) -> None:
        self.state, self.reason, self.failure = state, reason, failure or self.failure

    def conclude(self, reading: Reading) -> None:
        """The supervisor's word first (it ends processes), then the runner's, then how far the process came."""
        if self.external:
            reading.state, reading.state_reason = self.external, "external"
            if self.external == FAILED and self.reason == "heartbeat":
                reading.state_reason = "heartbeat"
        elif self.state:
            reading.state, reading.state_reason = self.state, self.reason
            reading.failure = self.failure if self.state == FAILED else None
        elif self.is_silent_skip:
            reading.state, reading.state_reason = SKIPPED, "skip"
        elif self.is_post_seen:
            reading.state = SUCCESS
        else:
            # os._exit(0), a race of the deferral, or a log that was cut: nothing here tells which
            reading.state, reading.state_reason = UNKNOWN, "truncated"


def _task_record(reading: Reading, segment: _Segment, record: Record, body: dict[str, Any]) -> None:
    event = record.message
    if event == "Worker startup parse complete":
        _startup(reading, record, body)
    elif event == "::group::Post Execute":
        segment.is_post_seen = True
        segment.is_silent_skip = body.get("lineno") == _SILENT_SKIP_LINENO
    elif record.level in ("error", "critical", "warning"):
        _bad_ending(segment, record, body)
    elif event == "Skipping task.":
        segment.end(SKIPPED, "skip")
    elif event.startswith("Pausing task as DEFERRED"):
        segment.end("deferred", "deferral")
    elif event.startswith("Rescheduling task, marking task as UP_FOR_RESCHEDULE"):
        segment.end("up_for_reschedule", "reschedule")


def _bad_ending(segment: _Segment, record: Record, body: dict[str, Any]) -> None:
    event = record.message
    if event.startswith("Task failed with exception"):
        kind = record.failure.type if record.failure else ""
        segment.end(FAILED, REASON_OF_EXCEPTION.get(kind, "exception"), record.failure)
    elif event == "Task exited" and "exit_code" in body:
        segment.end(FAILED, "exit_code", Failure("SystemExit", str(body["exit_code"])))
    elif event.startswith("Process exited abnormally"):
        if not segment.state:
            segment.end(FAILED, "exit_code", Failure("", f"exit code {body.get('exit_code')}"))
    elif event.startswith("Process terminated by signal"):
        name = str(body.get("signal_name") or body.get("signal") or "")
        reason = "oom" if "out of memory" in event.lower() else "signal"
        segment.end(FAILED, reason, Failure("", f"killed by {name}"))
    elif record.level == "critical" and "Received SIGSEGV" in event:
        segment.end(FAILED, "signal", Failure("", "killed by SIGSEGV"))
    elif event.startswith("Server indicated the task shouldn't be running"):
        detail = body.get("detail")
        told = detail if isinstance(detail, dict) else {}
        if told.get("reason") == "not_found":
            segment.external, segment.reason = FAILED, "heartbeat"
        else:
            state = str(told.get("current_state") or "")
            segment.external = state if state in STATES else UNKNOWN
    elif event.startswith("Rescheduling task during startup"):
        segment.end("up_for_reschedule", "reschedule")


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
