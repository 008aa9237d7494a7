"""Airflow 2 with `json_format`: each record is one JSON line on standard output (Elasticsearch and its collectors)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from windsock.model import LogKey
from windsock.parse.airflow2 import interpret
from windsock.parse.heads import Raw, head
from windsock.parse.reading import Reading
from windsock.parse.wrapped import decode


def read(text: bytes, *, key: LogKey, timezone: str = "UTC", keep_output: int = 50) -> Reading:
    """The same records as the text form, told field by field; text records between them are read as such."""
    reading = Reading("airflow2_json")
    raws = list(records(text, reading))
    reading.record_count = len(raws)
    return interpret(
        reading, raws, key=key, zone=ZoneInfo(timezone), is_legacy=False, keep_output=keep_output
    )


def records(text: bytes, reading: Reading, *, first: int = 0) -> Iterator[Raw]:
    """The records of whole lines, numbered from `first`; what is no JSON is noted in the reading."""
    no = first
    for line in text.split(b"\n"):
        if not line.strip():
            continue
        if not line.startswith(b"{"):
            reading.partial = "lines that are not JSON"
            raw = head(line.decode("utf-8", "replace"), no=no)
        elif isinstance(body := decode(line), dict):
            raw = _raw(no, body)
        else:
            reading.partial = "a line that is not JSON"
            raw = None
        if raw:
            yield raw
            no += 1


def _raw(no: int, body: dict[str, Any]) -> Raw:
    def text(name: str) -> str:
        value = body.get(name)
        return value if isinstance(value, str) else "" if value is None else str(value)

    message = text("message")
    if (exc := text("exc_text")) and exc not in message:
        message += f"\n{exc}"
    return Raw(no, text("asctime"), None, text("filename"), text("levelname"), message)
