"""What collectors and copies make of a task log: the text, or the record, inside one of their JSON objects.

Known forms: Grafana Loki (the task handler's `{"line": …}`, exports, API answers), Docker and Fluent Bit (`log`), Cloud
Logging (`textPayload`, `jsonPayload`), CloudWatch (`events`, Insights), Elasticsearch hits (`_source`), journald
(`MESSAGE`), the log endpoint of Airflow's REST API (`content`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from windsock.parse.cut_lines import CutLines

Found = tuple[str | bytes, Mapping[str, Any] | None, str]
"""A text as it stands in an object, that object, and the name it has there; of a record the JSON line alone."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_OBJECTS = ("_source", "jsonPayload", "result", "json_payload")
_TEXTS = (
    "line",
    "log",
    "message",
    "MESSAGE",
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


def find(value: Mapping[str, Any], depth: int = _MAX_DEPTH) -> Found | None:
    """What one wrapping object holds, not yet looked into; None where it holds nothing of a log."""
    if is_json_record(value):
        return _encode(value), None, ""
    if depth == 0:
        return None
    if "continuation_token" in value and isinstance(content := value.get("content"), str):
        return _of_rest_2(content), None, ""
    for name in _OBJECTS:
        if isinstance(value.get(name), dict) and (found := find(value[name], depth - 1)) is not None:
            return found
    for name in _TEXTS:
        if isinstance(text := value.get(name), str):
            return text, value, name
    return None


def opened(found: Found, cuts: CutLines) -> str | bytes | None:
    """The innermost text, or record: a line that was cut is put together first, and a JSON object in it is looked into.
    None where more of the line is to come."""
    text, holder, name = found
    for depth in range(_MAX_DEPTH, 0, -1):
        if not isinstance(text, str):
            return text
        if holder is not None:
            whole = cuts.put_object(holder, name, text, outer="" if depth == _MAX_DEPTH else str(depth))
            if whole is None:
                return None
            text = whole
        if not text.lstrip().startswith("{"):
            break
        value = decode(text.encode("utf-8", "replace"))
        if not isinstance(value, dict) or (inner := find(value, depth - 1)) is None:
            break
        text, holder, name = inner
    return text.rstrip("\r\n") if isinstance(text, str) else text


def time_of(value: Mapping[str, Any]) -> Any:
    """When a collector took an entry in, as it writes it."""
    return next((value[name] for name in _TIMES if isinstance(value.get(name), str | int | float)), None)


def entries(value: Any, depth: int = _MAX_DEPTH) -> Iterator[tuple[Any, Found]]:
    """Every piece of a log in a document, in its order, with its time where it tells one."""
    if depth < 0:
        return
    if isinstance(value, list):
        if len(value) == 2 and all(isinstance(item, str) for item in value) and value[0].isdigit():
            yield int(value[0][:20]), (value[1], None, "")  # Loki: [nanoseconds, line]
            return
        fields = {item.get("field"): item.get("value") for item in value if isinstance(item, dict)}
        if isinstance(message := fields.get("@message"), str):
            yield fields.get("@timestamp"), (message, None, "")  # CloudWatch Insights
            return
        for item in value:
            yield from entries(item, depth if isinstance(item, dict) else depth - 1)
    elif isinstance(value, dict):
        if (found := find(value)) is not None:
            yield time_of(value), found
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
                    yield from entries(value[name], depth - 1)


def _of_rest_2(content: str) -> str:
    """Airflow 2 answers with the Python form of [(host, text), …]."""
    try:
        pairs = ast.literal_eval(content)
        return "\n".join(str(text) for _host, text in pairs)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return content
