"""Lines of Airflow 3 task logs as records: one JSON object each, in the spelling of Airflow's own writer or any other.

Most lines that tell are decoded into a struct of the few fields that are asked for: what else a line holds is passed over
without a Python object. A line for which that is not enough becomes a dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from windsock.parse.reading import Failure, Record, is_user_file, package_of
from windsock.parse.traceback import clean_type

Decoded = tuple[Record, dict[str, Any] | None]
"""A record with the object it was decoded from (of it, what is asked for), or None where the line was no JSON object."""

# What Airflow's own writer puts in front, in this order and spelling; the event's text begins at byte 67 (info)
QUIET_HEAD = re.compile(
    rb'\{"timestamp":"20\d\d-\d\d-\d\d.\d\d:\d\d:\d\d\.\d{6}Z","level":"(?:info","event":"|debug",)',
    re.DOTALL,
)
EVENT_AT = 67
TASK_LOGGER, ERROR_DETAIL = b'"logger":"task"', b'"error_detail":'
DULL_EVENTS = (b"::endgro", b"Pushing ")  # the task runner's own lines that say nothing of the ending
FAILED_EVENT, STARTUP_EVENT = "Task failed with exception", "Worker startup parse complete"
GROUP_EVENT, POST_EVENT = "::group::Pre Execute", "::group::Post Execute"
STARTUP_FIELDS = ("bundle_name", "bundle_version", "dag_file", "dag_file_parse_ms", "bundle_prepare_ms")
_Level = Literal["info", "error", "warning", "debug", "critical"]
_LEVELS = ("info", "error", "warning", "debug", "critical")
_STAMP_END, _STAMP_ENDS_AT = b'Z","level":"', 40
_decode = msgspec.json.Decoder().decode


class _Frame(msgspec.Struct, gc=False):
    filename: str = ""
    name: str = ""


class _Raised(msgspec.Struct, gc=False):
    exc_type: str = ""
    exc_value: str = ""
    frames: msgspec.Raw = msgspec.Raw(b"[]")


class Line(msgspec.Struct, gc=False):
    """What is asked of nearly all lines. The decoder refuses one whose fields are of other kinds."""

    timestamp: datetime
    level: _Level
    event: str
    logger: str = ""
    error_detail: list[_Raised] | None = None
    chan: Any = UNSET
    lineno: Any = None
    bundle_name: Any = None
    bundle_version: Any = None
    dag_file: Any = None
    dag_file_parse_ms: Any = None
    bundle_prepare_ms: Any = None
    exit_code: Any = UNSET
    signal_name: Any = UNSET
    signal: Any = UNSET
    detail: Any = UNSET
    final_state: Any = UNSET

    def startup(self) -> tuple[Any, ...]:
        """The values of STARTUP_FIELDS."""
        return (
            self.bundle_name, self.bundle_version, self.dag_file, self.dag_file_parse_ms, self.bundle_prepare_ms
        )  # fmt: skip


_of_line: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_decode_line, _decode_lines = _of_line.decode, _of_line.decode_lines
_decode_frames = msgspec.json.Decoder(list[_Frame]).decode
_ASKED = (
    *("chan", "lineno", "exit_code", "signal_name", "signal", "detail", "final_state"), *STARTUP_FIELDS
)  # fmt: skip
"""The fields of a line that an ending is told by."""
_NOTHING: dict[str, Any] = {}


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


def structs(texts: Sequence[bytes], headed: Sequence[bool]) -> list[Line | None]:
    """A struct for each text that is `headed` (begins as Airflow writes it, ends as an object does, is not quiet) and that
    can be one. Decoded in one go, where all of them can be: as each text ends in a brace, none goes on in the next one,
    for what stands behind a brace in JSON is never a brace."""
    wanted = [text for text, is_headed in zip(texts, headed, strict=True) if is_headed]
    try:
        lines: list[Line | None] = [*_decode_lines(b"\n".join(wanted))]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        lines = []
    if len(lines) != len(wanted):
        lines = [*map(_struct, wanted)]
    if len(wanted) == len(texts):
        return lines
    rest = iter(lines)
    return [next(rest) if is_headed else None for is_headed in headed]


def _struct(text: bytes) -> Line | None:
    try:
        return _decode_line(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def decode_line(line: bytes, *, no: int) -> Decoded:
    """One line as record number `no` of its object. Of a quiet line the head decides, whatever follows it."""
    if is_quiet(line):
        record = record_of(no, as_object(line) or {"event": line.decode("utf-8", "replace")})
        level = "info" if line[52:53] == b"i" else "debug"
        logger = "" if record.logger == "task" else record.logger
        at = moment(line[14:41].decode("ascii", "replace"))
        return Record(no, at, level, logger, record.message), {}
    struct = _struct(line) if line.startswith(_STAMP_END, _STAMP_ENDS_AT) else None
    return (struct and record_in(struct, no=no)) or _in_full(line, no)


def _in_full(line: bytes, no: int) -> Decoded:
    """A line that is not quiet, every field of it."""
    body = as_object(line)
    if body is None:
        return Record(no, None, "", "", line.decode("utf-8", "replace")), None
    return record_of(no, body), body


def record_in(line: Line, *, no: int) -> Decoded | None:
    """A line by its struct; None where its time or its exception is spelled in another way."""
    event, logger, detail, at = line.event, line.logger, line.error_detail, line.timestamp
    if at.tzinfo is not UTC:
        return None
    body = _NOTHING
    if (
        (logger == "task" and not event.startswith(FAILED_EVENT))
        or logger == "supervisor"
        or line.chan is not UNSET
    ):
        body = {name: value for name in _ASKED if (value := getattr(line, name)) is not UNSET}
    failure: Failure | None = None
    if detail:
        raised = detail[0]
        try:
            frame, package = _seen_frames(bytes(raised.frames))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None
        failure = Failure(clean_type(raised.exc_type), raised.exc_value, frame, package)
    return Record(no, at, line.level, logger, event, failure), body


@lru_cache(maxsize=1024)  # some 2 KB each: a task that fails again fails at the same place
def _seen_frames(frames: bytes) -> tuple[tuple[str, str] | None, str | None]:
    """The innermost frame of the user's, and the package of the innermost of all."""
    return _innermost(_decode_frames(frames))


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
    frame, package = _innermost(
        [_Frame(str(one.get("filename") or ""), str(one.get("name") or "")) for one in frames]
    )
    return Failure(
        clean_type(str(raised.get("exc_type") or "")), str(raised.get("exc_value") or ""), frame, package
    )


def _innermost(frames: Sequence[_Frame]) -> tuple[tuple[str, str] | None, str | None]:
    package = package_of(frames[-1].filename) if frames else None
    for frame in reversed(frames):
        if is_user_file(frame.filename):
            return (frame.filename.rsplit("/", 1)[-1], frame.name), package
    return None, package
