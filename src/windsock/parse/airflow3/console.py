"""Airflow 3 records as text: what its web pages show of a task log, and what its processes print on a console.

`[2026-01-15 17:37:29] ERROR - Task failed with exception source=task loc=task_runner.py:1008` (3.1 and newer),
`[2026-01-29, 12:38:17] ERROR - Task failed with exception: source="task"` (3.0), both followed by `Type: message` and
`File "…", line 1 in f` lines; `2026-11-23T15:24:15.0Z [error    ] Task failed … [task] loc=…` (structlog's console).
The records become the objects that the JSON form has, and are interpreted by the same code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from windsock.parse import airflow3
from windsock.parse.airflow3.lines import Decoded
from windsock.parse.heads import ANSI, moment
from windsock.parse.reading import Failure, Reading, Record, is_user_file
from windsock.parse.traceback import START, clean_type, last_exception

HEAD_UI = re.compile(
    r"\[(?P<at>\d{4}-\d\d-\d\d(?:T|,? )\d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?: ?[A-Z]{1,5}| ?[+-]\d\d:?\d\d)?)\] "
    r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) - ?"
)
HEAD_CONSOLE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{1,6}(?:Z|[+-]\d\d:\d\d)) "
    r"\[(?P<level>debug|info|warning|error|critical) *\] "
)
_SOURCE = re.compile(r":? source=\"?(?P<logger>[\w.-]+)\"?(?: loc=(?P<file>[^\s:]+):(?P<line>\d+))?\s*\Z")
_BRACKETED = re.compile(r" \[(?P<logger>[\w.-]+)\](?= |\Z)")
_PAIR = re.compile(r":? +(?P<name>[A-Za-z_]\w*)=(?P<value>\"[^\"]*\"|'[^']*'|\{[^\n]*\}|\[[^\n]*\]|\S*)")
_FRAME = re.compile(r'\s*File "(?P<file>[^"\n]+)", line \d+,? in (?P<name>.+)')
_RAISED = re.compile(r"(?P<type>[^\W\d][\w.]*)(?:: ?(?P<message>.*))?\Z", re.DOTALL)


def read(text: str, *, keep_output: int = 50) -> Reading:
    """Read every record of either form; a file holds one of them."""
    records = list(decode(text))
    reading = Reading("airflow3_text", record_count=len(records))
    airflow3.interpret(reading, records, keep_output=keep_output, is_console=True)
    return reading


def matches(line: str) -> bool:
    """Whether a line is the head of such a record."""
    return bool(HEAD_UI.match(line) or HEAD_CONSOLE.match(ANSI.sub("", line)))


def decode(text: str, *, first_no: int = 0) -> Iterator[Decoded]:
    """The records of a text, numbered from `first_no`."""
    no = first_no - 1
    first: tuple[re.Match[str], str] | None = None
    further: list[str] = []
    for line in text.split("\n"):
        plain = ANSI.sub("", line) if "\x1b[" in line else line
        match = HEAD_UI.match(plain) or HEAD_CONSOLE.match(plain)
        if not match:
            further.append(plain)
            continue
        if first:
            yield _record(no, first, further)
        no, first, further = no + 1, (match, plain[match.end() :]), []
    if first:
        yield _record(no, first, further)


def _record(no: int, first: tuple[re.Match[str], str], further: list[str]) -> Decoded:
    match, text = first
    logger, event, body = _fields(text, is_ui=match.re is HEAD_UI)
    rest = "\n".join(further).rstrip()
    failure = _failure(further) if match["level"].lower() in ("error", "critical") else None
    message = event if failure or not rest else f"{event}\n{rest}"
    at = moment(match["at"], UTC)
    return Record(no, at, match["level"].lower(), logger, message, failure), body


def _fields(text: str, *, is_ui: bool) -> tuple[str, str, dict[str, Any]]:
    """Logger, event and the named values; of the runner's records the event ends where the names begin."""
    body: dict[str, Any] = {}
    found = _SOURCE.search(text) if is_ui else _BRACKETED.search(text)
    if not found:
        return "", text, body
    logger = found["logger"]
    event = text[: found.start()]
    if is_ui and found["line"]:
        body["lineno"] = int(found["line"][:9])
    if logger in ("task", "supervisor"):
        named = text if is_ui else text[found.end() :]
        for pair in _PAIR.finditer(named):
            body[pair["name"]] = pair["value"].strip("\"'")
        if is_ui and (named_from := _PAIR.search(event)):
            event = event[: named_from.start()]
    return logger, event.rstrip(), body


def _failure(lines: list[str]) -> Failure | None:
    """The exception below an error: the raised one is told first, its causes after its frames."""
    text = "\n".join(lines)
    if START in text and not _FRAME.search(text.split(START, 1)[0]):
        before = text.split(START, 1)[0].strip()
        if not _RAISED.match(before.split("\n", 1)[0]) or not before:
            return last_exception(text)
    kept = [line for line in lines if line.strip()]
    if not kept or not (match := _RAISED.match(kept[0].strip())):
        return last_exception(text)
    frames = [no for no, line in enumerate(kept) if _FRAME.match(line)]
    message = [match["message"] or "", *kept[1 : frames[0] if frames else None]]
    frame: tuple[str, str] | None = None
    for no in frames:
        told = _FRAME.match(kept[no])
        if told and is_user_file(told["file"]):
            frame = (told["file"].rsplit("/", 1)[-1], told["name"].strip())
    return Failure(clean_type(match["type"]), "\n".join(message).strip(), frame)
