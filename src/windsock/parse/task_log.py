"""One task log object → one row of `task_logs`, its `log_events`, and its parse sample. The exact path.

Pure: bytes and a key in, rows or a reject out. No text makes it raise. Everything it lets out is redacted.
"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import Literal

from windsock.model import LogKey, Outcome, Parsed, Reject, Row
from windsock.parse import dialects
from windsock.parse.blame import blame
from windsock.parse.plain import MAX_PLAIN_BYTES, TooMuch, unzipped
from windsock.parse.reading import FAILED, RETRY, Failure, Reading, Record
from windsock.redaction import redact
from windsock.signature import error_signature, is_of_command, short_type

Lines = Literal["errors", "warnings", "all"]

PARSER_VERSION = "5"
MAX_MESSAGE_BYTES = 16 * 1024
MAX_LEGS = 500
"""A sensor that pokes for weeks keeps its sums; its spans would weigh more than its log."""
CUT = " …[cut]"
WORSE = {"errors": ("error", "critical"), "warnings": ("warning", "error", "critical")}


def read_task_log(
    key: LogKey,
    data: bytes,
    *,
    object_url: str,
    etag: str,
    modified_at: datetime | None,
    lines: Lines = "errors",
    timezone: str = "UTC",
) -> Outcome:
    """Read one object. Rejects: `empty`, `not_a_log`, `bad_gzip`, `too_large`. `timezone` is for stamps without zone."""
    size = len(data)
    try:
        data = b"".join(unzipped([data], at_most=MAX_PLAIN_BYTES))
    except zlib.error as error:
        return Reject("task_logs", "bad_gzip", str(error))
    except TooMuch:
        return Reject("task_logs", "too_large", "unpacks to too much")
    if not data.strip():
        return Reject("task_logs", "empty", "the object holds no text")
    reading = dialects.read(data, key=key, timezone=timezone)
    if reading is None or not reading.records:
        return Reject("task_logs", "not_a_log", "no record of any known Airflow log format")
    return as_rows(key, reading, size, object_url=object_url, etag=etag, modified_at=modified_at, lines=lines)


def as_rows(
    key: LogKey,
    reading: Reading,
    size: int,
    *,
    object_url: str,
    etag: str,
    modified_at: datetime | None,
    lines: Lines,
    read_path: Literal["exact", "fast"] = "exact",
) -> Parsed:
    """What the reading comes to. `passed` records carry no event: they are below every threshold but `all`."""
    started_at, ended_at = _span(reading, modified_at)
    failure, signature = reading.failure, _ended_by(reading)
    ids = ids_of(key)
    row: Row = ids | {
        "state": reading.state,
        "state_reason": reading.state_reason,
        "started_at": started_at,
        "ended_at": ended_at,
        "exception_type": short_type(failure.type) if failure else None,
        "exception_message": cut(redact(failure.message)) if failure else None,
        "error_signature": signature,
        "blame": _blame(reading, signature),
        "record_count": reading.record_count,
        "warning_count": reading.warning_count,
        "error_count": reading.error_count,
        "process_starts": reading.process_starts,
        **_away(reading, modified_at),
        "log_bytes": size,
        "bundle_name": reading.bundle_name,
        "bundle_version": reading.bundle_version,
        "dag_file": reading.dag_file,
        "dag_file_parse_s": reading.dag_file_parse_s,
        "bundle_prepare_s": reading.bundle_prepare_s,
        "hostname": reading.hostname,
        "operator": reading.operator,
        "owner": redact(reading.owner) if reading.owner else None,
        "logical_date": key.logical_date or reading.logical_date,
        "dialect": reading.dialect,
        "object_url": object_url,
        "object_etag": etag,
        "object_modified_at": modified_at,
        "read_path": read_path,
    }
    events = [
        event_row(ids, record, reading, modified_at, object_url)
        for record in reading.records
        if lines == "all" or record.level in WORSE[lines] or record.failure
    ]
    samples = _samples(reading, modified_at, object_url)
    rows = {"task_logs": [row], "log_events": events, "parse_samples": samples}
    return Parsed("task_logs", rows, reading.partial)


def ids_of(key: LogKey) -> Row:
    """The five ids, as every row of the attempt carries them."""
    return {
        "dag_id": key.dag_id, "run_id": key.run_id, "task_id": key.task_id,
        "map_index": key.map_index, "try_number": key.try_number,
    }  # fmt: skip


def _span(reading: Reading, modified_at: datetime | None) -> tuple[datetime | None, datetime | None]:
    """The first record's time and the latest one, of those that can be true. Of the passed records the first and the
    extremes are known; the records are in order."""
    passed = reading.passed
    low, high = _bounds(modified_at)
    first: tuple[int, datetime] | None = None
    last = _BEFORE_ALL
    for record in reading.records:
        at = record.at
        if at is not None and low <= at <= high:
            if first is None:
                first = record.no, at
            if at > last:
                last = at
    for no, at in ((passed.first_no, passed.first_at), (passed.first_no + 1, passed.low_at),
                   (passed.first_no + 1, passed.high_at)):  # fmt: skip
        if at is not None and low <= at <= high:
            first = min(first or (no, at), (no, at))
            last = max(last, at)
    return (first[1], last) if first else (None, None)


def _away(reading: Reading, modified_at: datetime | None) -> Row:
    """How long the attempt held no worker, and when: spans as in ISO 8601, `deferred/<from>/<until>`."""
    low, high = _bounds(modified_at)
    legs = [leg for leg in reading.legs if low <= leg.left_at <= leg.back_at <= high]
    row: Row = {"deferred_s": None, "rescheduled_s": None, "away": None}
    for leg in legs:
        name = "deferred_s" if leg.kind == "deferred" else "rescheduled_s"
        row[name] = (row[name] or 0.0) + (leg.back_at - leg.left_at).total_seconds()
    if 0 < len(legs) <= MAX_LEGS:
        row["away"] = [f"{leg.kind}/{leg.left_at.isoformat()}/{leg.back_at.isoformat()}" for leg in legs]
    return row


def event_row(
    ids: Row, record: Record, reading: Reading, modified_at: datetime | None, object_url: str
) -> Row:
    failure = record.failure
    return ids | {
        "logged_at": plausible(record.at, modified_at),
        "record_no": record.no,
        "level": record.level,
        "logger": redact(record.logger),
        "message": cut(redact(record.message)),
        "exception_type": short_type(failure.type) if failure else None,
        "error_signature": signature_of(failure, reading.command_output) if failure else None,
        "object_url": object_url,
    }


def _ended_by(reading: Reading) -> str | None:
    """The signature of the exception that ended the attempt, else of what ended it without one."""
    if reading.failure:
        return signature_of(reading.failure, reading.command_output)
    return error_signature(None, reading.cause) if reading.cause else None


def _blame(reading: Reading, signature: str | None) -> str | None:
    """Where a failure comes from; nothing is said of an attempt that did not fail."""
    if reading.state not in (FAILED, RETRY):
        return None
    failure = reading.failure
    return blame(
        reason=reading.state_reason,
        exception_type=short_type(failure.type) if failure else None,
        message=redact(failure.message) if failure else None,
        signature=signature,
        package=failure.package if failure else None,
    )


def signature_of(failure: Failure, output: list[str]) -> str | None:
    """Redacted before it is put together; the output is looked at only where a command failed."""
    telling = [redact(line) for line in output] if output and is_of_command(failure.message) else []
    return error_signature(failure.type, redact(failure.message), failure.frame, telling)


def _samples(reading: Reading, modified_at: datetime | None, object_url: str) -> list[Row]:
    """Parse time as a worker saw it: colder and noisier than the processor's, but it names the commit."""
    at = plausible(reading.parsed_at, modified_at)
    if reading.dag_file is None or reading.dag_file_parse_s is None or at is None:
        return []
    return [
        {
            "parsed_at": at,
            "dag_file": reading.dag_file,
            "bundle_name": reading.bundle_name,
            "bundle_version": reading.bundle_version,
            "parse_s": reading.dag_file_parse_s,
            "source": "task_log",
            "object_url": object_url,
        }
    ]


_BEFORE_ALL, _AFTER_ALL = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_OLDEST, _AHEAD = timedelta(days=400), timedelta(days=1)


def _bounds(modified_at: datetime | None) -> tuple[datetime, datetime]:
    """Within which times a log's records can lie (DESIGN 3); without the object's time any is taken as it is."""
    return (modified_at - _OLDEST, modified_at + _AHEAD) if modified_at else (_BEFORE_ALL, _AFTER_ALL)


def plausible(at: datetime | None, modified_at: datetime | None) -> datetime | None:
    """A time more than 400 days before or one day after the object's is no time."""
    if at is None or modified_at is None:
        return at
    low, high = _bounds(modified_at)
    return at if low <= at <= high else None


def cut(text: str) -> str:
    """At most 16 KB of UTF-8, cut with a mark."""
    if len(text) <= MAX_MESSAGE_BYTES and text.isascii():
        return text
    raw = text.encode("utf-8", "replace")
    if len(raw) <= MAX_MESSAGE_BYTES:
        return raw.decode("utf-8")
    return raw[: MAX_MESSAGE_BYTES - len(CUT.encode())].decode("utf-8", "ignore") + CUT
