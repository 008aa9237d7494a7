"""Task logs of Airflow 1.10 and 2 whose operators set a format of their own, as layers that give back the usual records.

`[logging] log_format` may name other parts in another order, and JSON formatters give the parts names of their own. What a
head looks like is learnt from a line where it stands before one of the phrases that Airflow writes into every task log;
what follows a head stays as it is. Parts: https://docs.python.org/3/library/logging.html#logrecord-attributes, those that
python-json-logger, ECS and Cloud Logging write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from windsock.parse.cut_lines import CutLines
from windsock.parse.heads import ANSI, HEAD
from windsock.parse.layers import as_bytes
from windsock.parse.wrapped import decode, is_json_record

_LOOK_BYTES, _LOOK_LINES, _MAX_HEAD = 256 * 1024, 400, 300
_SAID = (
    ("Started process ", "standard_task_runner.py"),
    ("Running: ['airflow'", "standard_task_runner.py"),
    ("Task exited with return code", "local_task_job_runner.py"),
    ("State of this instance has been externally set", "local_task_job_runner.py"),
    ("Running <TaskInstance", "task_command.py"),
    ("Dependencies all met for ", "taskinstance.py"),
    ("Starting attempt ", "taskinstance.py"),
    ("Executing <Task(", "taskinstance.py"),
    ("Executing <Mapped(", "taskinstance.py"),
    ("Exporting env vars: ", "taskinstance.py"),
    ("Exporting the following env vars:", "taskinstance.py"),
    ("Marking task as ", "taskinstance.py"),
    ("All retries failed; marking task as ", "taskinstance.py"),
    ("Immediate failure requested. Marking task as ", "taskinstance.py"),
    ("Task failed with exception", "taskinstance.py"),
    ("Received SIGTERM", "taskinstance.py"),
    ("Rescheduling task, marking task as ", "taskinstance.py"),
    ("Pausing task as DEFERRED", "taskinstance.py"),
)
"""Phrases of Airflow, and the file that writes them: only where a format names no file, it goes by these."""
_PHRASES = tuple(phrase for phrase, _file in _SAID)
_PHRASE = re.compile("|".join(map(re.escape, _PHRASES)))
_TIME = r"\d{4}[-/]\d\d[-/]\d\d(?:[T ]|, )\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d|UTC)\b)?"
_LEVEL = r"(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL|Level \d+)"
_FILE = r"(?:[^\s\[\](){}:]*/)?[\w.-]+\.py"
_NAME = r"[^\W\d]\w*(?:\.[\w<>]+)+"
_PART = re.compile(
    rf"(?P<at>{_TIME})|(?P<file>{_FILE})\b|(?P<level>(?i:\b{_LEVEL}\b))|(?P<name>{_NAME})|(?P<number>\d+)|"
    r"(?P<space>[ \t]+)|(?P<word>[^\W\d][\w-]*)|(?P<other>.)"
)
_SHAPES = {
    "at": _TIME, "file": _FILE, "level": rf"(?i:{_LEVEL})", "name": r"[\w.<>-]+", "number": r"\d+", "space": r"[ \t]+",
    "word": r"[\w.@-]+",
}  # fmt: skip
_ZONE = re.compile(r" ?(Z|[+-]\d\d:?\d\d|UTC)\Z")
_MESSAGES = ("message", "msg", "textPayload", "text_payload", "MESSAGE", "@message", "log", "text")
_TIMES = ("asctime", "timestamp", "@timestamp", "time", "ts", "datetime", "created")
_LEVELS = ("levelname", "level", "severity", "log.level", "loglevel")
_FILES = ("filename", "file", "pathname", "log.origin.file.name", "module")
_NAMES = ("name", "logger", "logger_name", "log.logger")
_TRACES = ("exc_text", "exc_info", "exception", "stack_trace", "traceback", "error.stack_trace")


class OwnFormat:
    """Lines whose heads have the parts of the usual one in another order and shape."""

    def __init__(self, head: re.Pattern[str]) -> None:
        self.lines = self.strays = self.cut_lines = 0
        self.cuts = CutLines()
        self._head = head

    def __call__(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines with Airflow's own heads."""
        for piece in pieces:
            lines = piece.decode("utf-8", "replace").split("\n")
            yield "\n".join(map(self._usual, lines)).encode("utf-8", "replace")

    def count(self, data: bytes) -> int:
        """How many of the first lines have such a head."""
        return sum(self._head.match(ANSI.sub("", line)) is not None for line in _first_lines(data))

    def _usual(self, line: str) -> str:
        plain = ANSI.sub("", line) if "\x1b[" in line[:_MAX_HEAD] else line
        match = self._head.match(plain)
        if match is None:
            return _as_text(line)
        said, parts = plain[match.end() :], match.groupdict()
        file = (parts.get("file") or "").rsplit("/", 1)[-1] or _file_of(parts.get("name") or "", said)
        return _record(match["at"], file, match["level"], said)


class OwnJson:
    """Lines that are JSON objects with the parts of a record under other names."""

    def __init__(self) -> None:
        self.lines = self.strays = self.cut_lines = 0
        self.cuts = CutLines()

    def __call__(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same records as text."""
        self.lines = self.strays = 0
        is_first = True
        for piece in pieces:
            told = []
            for line in piece.split(b"\n"):
                value = decode(line) if line[:1] == b"{" else None
                if isinstance(value, dict) and (text := _record_in(value)):
                    self.lines += 1
                    told.append(as_bytes(text))
                elif line.strip():
                    self.strays += 1
                    told.append(as_bytes(_as_text(line.decode("utf-8", "replace"))))
            if told:
                yield b"\n".join(told if is_first else [b"", *told])
                is_first = False


def own_format(data: bytes) -> OwnFormat | OwnJson | None:
    """What stands around the records of a log that begins so; None where no phrase of Airflow's gives it away."""
    for line in _first_lines(data):
        if line[:1] == "{":
            value = decode(line.encode("utf-8", "replace"))
            if (
                isinstance(value, dict)
                and not is_json_record(value)
                and _first(value, _MESSAGES).startswith(_PHRASES)
            ):
                return OwnJson() if _record_in(value) else None
            continue
        plain = ANSI.sub("", line) if "\x1b[" in line else line
        phrase = None if HEAD.search(plain, 0, _MAX_HEAD) else _PHRASE.search(plain, 0, _MAX_HEAD)
        if phrase and (head := _learnt(plain[: phrase.start()])):
            return OwnFormat(head)
    return None


def _first_lines(data: bytes) -> list[str]:
    return data[:_LOOK_BYTES].decode("utf-8", "replace").split("\n")[:_LOOK_LINES]


def _learnt(head: str) -> re.Pattern[str] | None:
    """The shape of a head; None for one without a time or a level, and for what a collector puts around a record."""
    if '{"' in head:
        return None
    shape: list[str] = []
    seen: set[str] = set()
    parts = [(match.lastgroup or "other", match[0]) for match in _PART.finditer(head)]
    for place, (kind, text) in enumerate(parts):
        if kind == "other":
            shape.append(re.escape(text))
        elif kind in ("at", "file", "level", "name") and kind not in seen:
            seen.add(kind)
            shape.append(f"(?P<{kind}>{_SHAPES[kind]})")
        elif kind == "space" and "level" in dict(parts[max(0, place - 1) : place + 2]):
            shape.append(r"[ \t]*")  # levels are padded to one width
        else:
            shape.append(_SHAPES[kind])
    return re.compile("".join(shape)) if {"at", "level"} <= seen else None


def _record_in(value: Mapping[str, Any]) -> str:
    """A record's fields as its text; empty where they are not those of a record."""
    message, at, level = (_first(value, names) for names in (_MESSAGES, _TIMES, _LEVELS))
    if not (at and any(name in value for name in _MESSAGES) and re.fullmatch(_LEVEL, level, re.IGNORECASE)):
        return ""
    if re.fullmatch(r"\d{9,10}(?:\.\d+)?", at):
        at = datetime.fromtimestamp(float(at), UTC).isoformat(timespec="milliseconds")
    if not (stamp := re.match(_TIME, at)):
        return ""
    file = _first(value, _FILES).rsplit("/", 1)[-1]
    file = file and (file if "." in file else f"{file}.py")
    trace = _first(value, _TRACES)
    text = message if not trace or trace in message else f"{message}\n{trace}"
    first, *rest = text.split("\n")
    head = _record(at[: stamp.end()], file or _file_of(_first(value, _NAMES), first), level, first)
    return "\n".join([head, *map(_as_text, rest)])


def _first(value: Mapping[str, Any], names: Iterable[str]) -> str:
    """The first of some fields that holds something; `a.b` may be a field of an object `a`."""
    for name in names:
        found: Any = value.get(name)
        if found is None and "." in name:
            found = value
            for part in name.split("."):
                found = found.get(part) if isinstance(found, dict) else None
        if isinstance(found, str | int | float) and not isinstance(found, bool) and found != "":
            return str(found)
    return ""


def _record(at: str, file: str, level: str, said: str) -> str:
    """A record as `[logging] log_format` writes it if nobody sets it; without a zone as before 2.3.4."""
    at = at.replace("/", "-", 2)
    zone = _ZONE.search(at)
    day, clock = at[:10], (at[: zone.start()] if zone else at)[10:].lstrip("T, ")
    clock = clock[:15]  # to the microsecond
    stamp = f"{day}T{clock.replace(',', '.')}{zone[1].replace('UTC', 'Z')}" if zone else f"{day} {clock}"
    return f"[{stamp}] {{{file}:1}} {level.upper().replace('LEVEL', 'Level')} - {said}"


def _file_of(name: str, said: str) -> str:
    """The file that a record comes from, by its words or its logger (`….module.Class`)."""
    for phrase, file in _SAID:
        if said.startswith(phrase):
            return file
    modules = [part for part in name.split(".") if part and not part[0].isupper() and part[0] != "<"]
    return f"{modules[-1] if modules else 'task'}.py"


def _as_text(line: str) -> str:
    """A line without a head of the log's own: whatever it looks like, it is none."""
    return f" {line}" if line[:1] in ("[", "\x1b") and HEAD.match(ANSI.sub("", line)) else line
