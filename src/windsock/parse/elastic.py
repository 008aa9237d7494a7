"""Airflow 2 with `json_format`: each record is one JSON line on standard output (Elasticsearch and its collectors)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from windsock.model import LogKey
from windsock.parse.airflow2 import Raw, interpret
from windsock.parse.reading import Reading

_decode = msgspec.json.Decoder().decode


def looks_like(first: bytes) -> bool:
    """Whether a first line is such a record."""
    return first.startswith(b"{") and b'"asctime"' in first and b'"levelname"' in first


def read(text: bytes, *, key: LogKey, timezone: str = "UTC", keep_output: int = 50) -> Reading:
    """The same records as the text form, told field by field; other lines between them are left aside."""
    reading = Reading("airflow2_json")
    raws: list[Raw] = []
    for line in text.split(b"\n"):
        if not line.startswith(b"{"):
            if line.strip():
                reading.partial = "lines that are not JSON"
            continue
        try:
            body: Any = _decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            reading.partial = "a line that is not JSON"
            continue
        if not isinstance(body, dict) or body.get("message") == "end_of_log":
            continue
        stamp = str(body.get("asctime") or "")
        message = str(body.get("message") or "")
        if exc := body.get("exc_text"):
            message += f"\n{exc}"
        raws.append(
            Raw(
                len(raws),
                stamp,
                None,
                str(body.get("filename") or ""),
                str(body.get("levelname") or ""),
                message,
            )
        )
    return interpret(
        reading, raws, key=key, zone=ZoneInfo(timezone), is_legacy=False, keep_output=keep_output
    )
