"""The commonest log of Airflow 3, an attempt that went well, without the steps that others need: 3.3 and newer, one process.

It says no more than that: what its runner wrote are its groups, what parsing cost, and words that end nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from msgspec import UNSET

from windsock.parse.airflow3 import startup
from windsock.parse.airflow3.ending import INFO_TEXTS, SILENT_SKIP_LINENO
from windsock.parse.airflow3.lines import GROUP_EVENT, POST_EVENT, STARTUP_EVENT, Line
from windsock.parse.reading import SUCCESS, Passed, Reading


def plain_success(lines: Sequence[Line | None], first_no: int, passed: Passed) -> Reading | None:
    """What `interpret` makes of the lines that tell (the first is record `first_no`) beside those passed over; None
    where that takes more. Times of the lines are told among those of `passed`, so no record has to be kept."""
    if not passed.count or passed.low_at is None or passed.high_at is None:
        return None
    low, high = passed.low_at, passed.high_at
    parsed: Line | None = None
    is_begun = is_post_seen = False
    for line in lines:
        if (
            line is None
            or line.logger != "task"
            or line.level != "info"
            or line.chan is not UNSET
            or line.error_detail
            or line.timestamp.tzinfo is not UTC
        ):
            return None
        event, at = line.event, line.timestamp
        if event == GROUP_EVENT:
            if is_begun or line is not lines[0]:
                return None
            is_begun = True
        elif event == STARTUP_EVENT:
            parsed = line
        elif event == POST_EVENT:
            if line.lineno == SILENT_SKIP_LINENO:
                return None
            is_post_seen = True
        elif event.startswith(INFO_TEXTS):
            return None
        if at < low:
            low = at
        elif at > high:
            high = at
    if not (is_begun and is_post_seen):
        return None
    if first_no < passed.first_no:
        passed.first_no, passed.first_at = first_no, _at(lines[0])
    passed.low_at, passed.high_at = low, high
    reading = Reading("airflow3", len(lines) + passed.count, passed=passed, state=SUCCESS, process_starts=1)
    if parsed is not None:
        startup(reading, parsed.timestamp, partial(getattr, parsed))
    return reading


def _at(line: Line | None) -> datetime | None:
    return line.timestamp if line else None
