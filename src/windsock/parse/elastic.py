"""Airflow 2 with `json_format`: each record is one JSON line on standard output (Elasticsearch and its collectors)."""

from __future__ import annotations

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
    raws: list[Raw] = []
    for line in text.split(b"\n"):
        if not line.strip():
            continue
        if not line.startswith(b"{"):
            reading.partial = "lines that are not JSON"
            plain = head(line.decode("utf-8", "replace"), no=len(raws))
            if plain:
                raws.append(plain)
            continue
        body = decode(line)
        if isinstance(body, dict):
            raws.append(_raw(len(raws), body))
        else:
            reading.partial = "a line that is not JSON"
    reading.record_count = len(raws)
    return interpret(
        reading, raws, key=key, zone=ZoneInfo(timezone), is_legacy=False, keep_output=keep_output
    )


def _raw(no: int, body: dict[str, Any]) -> Raw:
    def text(name: str) -> str:
        value = body.get(name)
        return value if isinstance(value, str) else "" if value is None else str(value)

    message = text("message")
    if (exc := text("exc_text")) and exc not in message:
        message += f"\n{exc}"
    return Raw(no, text("asctime"), None, text("filename"), text("levelname"), message)
