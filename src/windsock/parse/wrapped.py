"""Task logs as collectors and copies hand them on: JSON around each line, prefixes before it, other encodings.

Known forms: Grafana Loki (the task handler's `{"line": …}`, exports, API answers), Docker and Fluent Bit (`log`), Cloud
Logging (`textPayload`, `jsonPayload`), CloudWatch (`events`, Insights), Elasticsearch hits (`_source`), the log endpoint
of Airflow's REST API (`content`), `kubectl`, `docker compose` and journal prefixes, indented pastes, UTF-16 and BOM.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec

from windsock.parse.heads import HEAD

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_OBJECTS = ("_source", "jsonPayload", "result", "json_payload")
_TEXTS = (
    "line",
    "log",
    "message",
    "msg",
    "textPayload",
    "text_payload",
    "@message",
    "_raw",
    "text",
    "body",
    "content",
)
_TIMES = ("timestamp", "@timestamp", "time", "ts", "date")
_MAX_DEPTH = 4
_MAX_PREFIX = 100
_MAX_DOCUMENT_BYTES = 256 * 1024**2
_PREFIXES = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^[\w./@-]+ +\| ?",  # docker compose
        r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}: \w+/[\w-]+\] ",  # a Celery worker's own console
        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) (?:std(?:out|err) [FP] )?",  # kubectl, CRI
        r"^\[pod/[^\]\n]+\] ?(?:\d{4}-\d\d-\d\dT\S+ )?",  # kubectl --prefix
        r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ \S+: ",  # journal, syslog
        r"^(?:>[ \t]?)+",  # quoted
    )
)


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The log inside, and the number of JSON lines it came in (None: it was one document)."""

    data: bytes
    lines: int | None


def plain(data: bytes) -> bytes:
    """UTF-8 without byte order mark, lines ended by a newline alone."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    data = data.removeprefix(b"\xef\xbb\xbf")
    # by the first line: a log whose lines end so throughout was copied by way of Windows; a lone one was printed
    end = data.find(b"\n")
    return data.replace(b"\r\n", b"\n") if end > 0 and data[end - 1] == 13 else data


def decode(line: bytes) -> Any:
    """A JSON value, or None."""
    try:
        return _decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def is_json_record(value: Any) -> bool:
    """Whether an object is itself a record of Airflow 3, or of Airflow 2 with `json_format`."""
    return isinstance(value, dict) and (
        ("event" in value and ("timestamp" in value or "level" in value or "logger" in value))
        or ("asctime" in value and "levelname" in value)
    )


def unwrap_lines(data: bytes) -> Unwrapped | None:
    """JSON lines that each hold a piece of a log; None where nothing is found inside."""
    entries: list[tuple[Any, str | bytes]] = []
    count = 0
    for line in data.split(b"\n"):
        value = decode(line) if line.lstrip()[:1] == b"{" else None
        if isinstance(value, dict):
            count += 1
            if (inner := _inner(value)) is not None:
                entries.append((_time(value), inner))
    # one line that holds a whole log is a document
    return Unwrapped(_joined(entries), count if count > 1 else None) if entries else None


def unwrap_document(data: bytes) -> Unwrapped | None:
    """One JSON document over many lines: an export or an answer of an API."""
    if len(data) > _MAX_DOCUMENT_BYTES:
        return None
    value = decode(data)
    if value is None:
        return None
    entries = list(_entries(value, _MAX_DEPTH))
    return Unwrapped(_joined(entries), None) if entries else None


def without_prefix(data: bytes, first: bytes) -> bytes | None:
    """The log without what a tool put before each line, judged by `first`, a line that holds a head."""
    line = first.decode("utf-8", "replace")
    match = HEAD.search(line)
    at = match.start() if match else line.find('{"')
    if at <= 0:
        return None
    text = data.decode("utf-8", "replace")
    for pattern in _PREFIXES:
        if (found := pattern.match(line)) and found.end() == at:
            return pattern.sub("", text).encode("utf-8", "replace")
    # an indented paste, or a name before each line; taken away as it stands, so that tracebacks keep their shape
    literal = re.compile(f"^{re.escape(line[:at])}", re.MULTILINE)
    if at > _MAX_PREFIX or len(literal.findall(text)) * 2 < len(text.split("\n")):
        return None
    return literal.sub("", text).encode("utf-8", "replace")


def _entries(value: Any, depth: int) -> Iterator[tuple[Any, str | bytes]]:
    """Every piece of a log in a document, in its order, with its time where it tells one."""
    if depth < 0:
        return
    if isinstance(value, list):
        if len(value) == 2 and all(isinstance(item, str) for item in value) and value[0].isdigit():
            yield int(value[0][:20]), _text(value[1])  # Loki: [nanoseconds, line]
            return
        fields = {item.get("field"): item.get("value") for item in value if isinstance(item, dict)}
        if isinstance(message := fields.get("@message"), str):
            yield fields.get("@timestamp"), _text(message)  # CloudWatch Insights
            return
        for item in value:
            yield from _entries(item, depth if isinstance(item, dict) else depth - 1)
    elif isinstance(value, dict):
        if (inner := _inner(value)) is not None:
            yield _time(value), inner
        else:
            for name in (
                "hits",
                "data",
                "result",
                "results",
                "values",
                "events",
                "entries",
                "content",
                "logs",
            ):
                if isinstance(value.get(name), list | dict):
                    yield from _entries(value[name], depth - 1)


def _inner(value: dict[str, Any], depth: int = _MAX_DEPTH) -> str | bytes | None:
    """The text, or the record as a JSON line, inside one wrapping object."""
    if is_json_record(value):
        return _encode(value)
    if depth == 0:
        return None
    if "continuation_token" in value and isinstance(content := value.get("content"), str):
        return _of_rest_2(content)
    for name in _OBJECTS:
        if isinstance(value.get(name), dict) and (found := _inner(value[name], depth - 1)) is not None:
            return found
    for name in _TEXTS:
        if isinstance(text := value.get(name), str):
            return _text(text, depth - 1)
    return None


def _text(text: str, depth: int = _MAX_DEPTH) -> str | bytes:
    """A line of text; a JSON object in it is looked into."""
    if text.lstrip().startswith("{") and isinstance(value := decode(text.encode("utf-8", "replace")), dict):
        found = _inner(value, depth) if depth > 0 else None
        if found is not None:
            return found
    return text.rstrip("\r\n")


def _of_rest_2(content: str) -> str:
    """Airflow 2 answers with the Python form of [(host, text), …]."""
    try:
        pairs = ast.literal_eval(content)
        return "\n".join(str(text) for _host, text in pairs)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return content


def _time(value: dict[str, Any]) -> Any:
    return next((value[name] for name in _TIMES if isinstance(value.get(name), str | int | float)), None)


def _joined(entries: Iterable[tuple[Any, str | bytes]]) -> bytes:
    """The pieces as one text, oldest first: exports often come newest first, Loki's answers stream by stream."""
    pieces = list(entries)
    times = [at for at, _piece in pieces]
    if len({type(at) for at in times}) == 1 and times[0] is not None:
        if isinstance(times[0], int):
            pieces.sort(key=lambda piece: piece[0])
        elif times[0] > times[-1] and all(a >= b for a, b in pairwise(times)):
            pieces.reverse()
    return b"\n".join(p if isinstance(p, bytes) else p.encode("utf-8", "replace") for _at, p in pieces)
