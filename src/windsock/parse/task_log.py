"""One task log object → one row of `task_logs`, its `log_events`, and its parse sample. The exact path.

Pure: bytes and a key in, rows or a reject out. No text makes it raise. Everything it lets out is redacted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

from windsock.model import LogKey, Outcome, Parsed, Reject, Row
from windsock.parse import dialects
from windsock.parse.blame import Case, blame
from windsock.parse.plain import MAX_PLAIN_BYTES, TooMuch, unzipped
from windsock.parse.reading import FAILED, RETRY, Passed, Reading, Record
from windsock.parse.signing import Signed, told_of
from windsock.redaction import redact
from windsock.signature import error_signature

Lines = Literal["errors", "warnings", "all"]

PARSER_VERSION = "7"
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
    cases: list[tuple[Row, Case]] | None = None,
    signed: Signed | None = None,
) -> Parsed:
    """What the reading comes to. `passed` records carry no event: they are below every threshold but `all`.

    `cases` takes the row of a failed attempt for the caller to ask blame of many at once; `signed` (`sign_all`) is what
    is known of its exceptions."""
    bounds = bounds_of(modified_at)
    started_at, ended_at = _span(reading, *bounds)
    failure, records = reading.failure, reading.records
    if signed is None or reading.command_output:  # which has a say in what failed commands are called
        signed = {}
    kind, message, signature = (
        told_of(failure, reading, signed) if failure
        else (None, None, error_signature(None, reading.cause) if reading.cause else None)
    )  # fmt: skip
    row: Row = {
        "dag_id": key.dag_id,
        "run_id": key.run_id,
        "task_id": key.task_id,
        "map_index": key.map_index,
        "try_number": key.try_number,
        "state": reading.state,
        "state_reason": reading.state_reason,
        "started_at": started_at,
        "ended_at": ended_at,
        "exception_type": kind,
        "exception_message": cut(message) if message is not None else None,
        "error_signature": signature,
        "blame": None,
        "record_count": reading.record_count,
        "warning_count": reading.warning_count,
        "error_count": reading.error_count,
        "process_starts": reading.process_starts,
        "deferred_s": None,
        "rescheduled_s": None,
        "away": None,
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
    if reading.legs:
        row |= _away(reading, *bounds)
    if reading.state in (FAILED, RETRY):  # of no other it is asked where its end comes from
        case = Case(reading.state_reason, kind, message, signature, failure.package if failure else None)
        if cases is None:
            row["blame"] = blame(case)
        else:
            cases.append((row, case))
    events: list[Row] = []
    if records:
        ids, worse = ids_of(key), WORSE.get(lines)
        for record in records:
            if worse is None or record.level in worse or record.failure:
                events.append(event_row(ids, record, reading, bounds, object_url, signed))
    rows = {
        "task_logs": [row],
        "log_events": events,
        "parse_samples": _samples(reading, bounds, object_url) if reading.dag_file is not None else [],
    }
    return Parsed("task_logs", rows, reading.partial)


def texts_of(reading: Reading, lines: Lines) -> Iterator[str]:
    """The long texts of which `as_rows` lets out what `redact` leaves."""
    failure, worse = reading.failure, WORSE.get(lines)
    if failure:
        yield failure.message
    for record in reading.records:
        if worse is None or record.level in worse or record.failure:
            yield record.message
            if record.failure and record.failure is not failure:
                yield record.failure.message


def ids_of(key: LogKey) -> Row:
    """The five ids, as every row of the attempt carries them."""
    return {
        "dag_id": key.dag_id, "run_id": key.run_id, "task_id": key.task_id,
        "map_index": key.map_index, "try_number": key.try_number,
    }  # fmt: skip


def _span(reading: Reading, low: datetime, high: datetime) -> tuple[datetime | None, datetime | None]:
    """The first record's time and the latest one, of those that can be true. Of the passed records the first and the
    extremes are known; the records are in order."""
    passed = reading.passed
    if not reading.records and (of_passed := _span_of(passed, low, high)):
        return of_passed
    first_no, first, last = -1, None, _BEFORE_ALL
    for record in reading.records:
        at = record.at
        if at is not None and low <= at <= high:
            if first is None:
                first_no, first = record.no, at
            if at > last:
                last = at
    if passed.low_at is not None:
        for no, at in ((passed.first_no, passed.first_at), (passed.first_no + 1, passed.low_at),
                       (passed.first_no + 1, passed.high_at)):  # fmt: skip
            if at is not None and low <= at <= high:
                if first is None or (no, at) < (first_no, first):
                    first_no, first = no, at
                if at > last:
                    last = at
    return (first, last) if first else (None, None)


def _span_of(passed: Passed, low: datetime, high: datetime) -> tuple[datetime, datetime] | None:
    """As `_span` of an attempt of which nothing else is told, if all its times can be true: that of most successes."""
    first_at, low_at, high_at = passed.first_at, passed.low_at, passed.high_at
    if first_at is None or low_at is None or high_at is None or low_at < low or high_at > high:
        return None
    return first_at, high_at


def _away(reading: Reading, low: datetime, high: datetime) -> Row:
    """How long the attempt held no worker, and when: spans as in ISO 8601, `deferred/<from>/<until>`."""
    legs = [leg for leg in reading.legs if low <= leg.left_at <= leg.back_at <= high]
    row: Row = {}
    for leg in legs:
        name = "deferred_s" if leg.kind == "deferred" else "rescheduled_s"
        row[name] = row.get(name, 0.0) + (leg.back_at - leg.left_at).total_seconds()
    if 0 < len(legs) <= MAX_LEGS:
        row["away"] = [f"{leg.kind}/{leg.left_at.isoformat()}/{leg.back_at.isoformat()}" for leg in legs]
    return row


def event_row(
    ids: Row,
    record: Record,
    reading: Reading,
    bounds: tuple[datetime, datetime],
    object_url: str,
    signed: Signed,
) -> Row:
    """One record as a row; `signed` is what is known of exceptions already, and learns of the record's."""
    failure, at = record.failure, record.at
    kind, _message, signature = told_of(failure, reading, signed) if failure else (None, None, None)
    return ids | {
        "logged_at": at if at is not None and bounds[0] <= at <= bounds[1] else None,
        "record_no": record.no,
        "level": record.level,
        "logger": redact(record.logger),
        "message": cut(redact(record.message)),
        "exception_type": kind,
        "error_signature": signature,
        "object_url": object_url,
    }


def _samples(reading: Reading, bounds: tuple[datetime, datetime], object_url: str) -> list[Row]:
    """Parse time as a worker saw it: colder and noisier than the processor's, but it names the commit."""
    at = reading.parsed_at
    if reading.dag_file_parse_s is None or at is None or not bounds[0] <= at <= bounds[1]:
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


def bounds_of(modified_at: datetime | None) -> tuple[datetime, datetime]:
    """Within which times a log's records can lie (DESIGN 3); without the object's time any is taken as it is."""
    return (modified_at - _OLDEST, modified_at + _AHEAD) if modified_at else (_BEFORE_ALL, _AFTER_ALL)


def plausible(at: datetime | None, modified_at: datetime | None) -> datetime | None:
    """A time more than 400 days before or one day after the object's is no time."""
    if at is None or modified_at is None:
        return at
    low, high = bounds_of(modified_at)
    return at if low <= at <= high else None


def cut(text: str) -> str:
    """At most 16 KB of UTF-8, cut with a mark."""
    if len(text) <= MAX_MESSAGE_BYTES and text.isascii():
        return text
    raw = text.encode("utf-8", "replace")
    if len(raw) <= MAX_MESSAGE_BYTES:
        return raw.decode("utf-8")
    return raw[: MAX_MESSAGE_BYTES - len(CUT.encode())].decode("utf-8", "ignore") + CUT
