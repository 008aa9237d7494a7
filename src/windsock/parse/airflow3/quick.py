"""What the lines of a scan tell, by structs where they do; a record is made only where there is more to it.

The runner's own words below a warning are most of them. They make no row and their times are told with those of the lines
that were passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC

import msgspec
from msgspec import UNSET

from windsock.parse.airflow3 import COMMAND_LOGGERS, CONNECTS, STARTS, Story, interpret, opens_group, startup
from windsock.parse.airflow3.lines import (
    EVENT_AT,
    GROUP_EVENT,
    POST_EVENT,
    STARTUP_EVENT,
    Decoded,
    Line,
    decode_line,
    is_quiet,
    record_in,
)
from windsock.parse.reading import Passed, Reading

_TELLING = STARTS + CONNECTS
_OUTPUT_HINTS = (b"\\u", *(name.encode() for name in COMMAND_LOGGERS))
Told = tuple[int, bytes, Line | None]
"""A line's record number, its bytes, and what it says, if a struct can say it."""


class ToldLines(msgspec.Struct, gc=False):
    """Lines to look at, in columns: tuples by the million would be looked through for garbage."""

    numbers: list[int]
    texts: list[bytes]
    lines: list[Line | None]

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Told]:
        return zip(self.numbers, self.texts, self.lines, strict=True)

    def at(self, place: int) -> Told:
        return self.numbers[place], self.texts[place], self.lines[place]

    def opens_group(self, place: int) -> bool:
        """Whether a line says that a process begins, as `airflow3.opens_group` of its record."""
        line = self.lines[place]
        if line is not None:
            return line.event == GROUP_EVENT and line.logger == "task"
        return opens_group(decoded(*self.at(place))[0])

    def part(self, first: int, stop: int) -> ToldLines:
        return ToldLines(self.numbers[first:stop], self.texts[first:stop], self.lines[first:stop])

    def extend(self, more: Iterable[Told]) -> None:
        for no, text, line in more:
            self.numbers.append(no)
            self.texts.append(text)
            self.lines.append(line)


def read_told(told: ToldLines, passed: Passed, *, keep_all: bool) -> Reading:
    """As `interpret` on the lines beside those passed over; with `keep_all` each of them is a record of the reading."""
    reading = Reading("airflow3", len(told) + passed.count, passed=passed)
    low, high, first = passed.low_at, passed.high_at, passed.first_no
    if keep_all or low is None or high is None:
        return interpret(reading, [decoded(*one) for one in told])
    story, keep, no = Story(reading), reading.records.append, -1
    for no, text, line in told:
        if (
            line is None
            or line.logger != "task"
            or line.level != "info"
            or line.chan is not UNSET
            or line.error_detail
            or (at := line.timestamp).tzinfo is not UTC
        ):
            record, body = decoded(no, text, line)
            keep(record)
            story.take(record, body)
            continue
        event, segment = line.event, story.segment
        if event == GROUP_EVENT:
            story.open(at)
        else:
            segment.is_begun, segment.is_torn = True, False
            if event == STARTUP_EVENT:
                startup(reading, at, line.startup())
            elif event == POST_EVENT:
                segment.come_through(line.lineno)
            else:
                segment.inform(event)
                story.leave(event, at)
        if no < first:
            first, passed.first_no, passed.first_at = no, no, at
        if at < low:
            low = at
        elif at > high:
            high = at
    passed.low_at, passed.high_at = low, high
    return story.end(no)


def read_with_output(data: bytes, passed: Passed) -> Reading:
    """A log whose `passed` lines are known, its lines of a command's output among the records: what a failed command said
    last tells its error."""
    lines = [line for line in data.split(b"\n") if line.strip()]
    wanted = [
        (no, line)
        for no, line in enumerate(lines)
        if not is_quiet(line) or line.startswith(_TELLING, EVENT_AT) or _may_be_output(line)
    ]
    reading = Reading("airflow3", len(lines), passed=passed)
    return interpret(reading, [decode_line(line, no=no) for no, line in wanted])


def _may_be_output(line: bytes) -> bool:
    """Whether a line's logger may be one of a command's output; an escape may hide its letters."""
    return any(name in line for name in _OUTPUT_HINTS)


def decoded(no: int, text: bytes, line: Line | None) -> Decoded:
    """A line as a record, whatever it holds."""
    return (line and record_in(line, no=no)) or decode_line(text, no=no)
