"""API answers that `windsock snapshot` stored → rows. One JSON object a line: `{"ts": seconds, "path": "/pools", "body": {…}}`.

`path` is the request below `/api/v1` or `/api/v2`. Other paths are passed over; a line that cannot be read makes the
object `partial`, and an object without one readable line is a reject.
"""

from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from windsock.model import Outcome, Parsed, Reject, Row
from windsock.parse.told.facts import fact, health_facts, pool_facts
from windsock.parse.told.rows import Teller, import_error_row, parse_rows, pool_row

KIND = "airflow_answers"
MAX_BYTES = 256 * 1024 * 1024


class _Line(msgspec.Struct):
    ts: float
    path: str
    body: dict[str, Any]


_decoder = msgspec.json.Decoder(_Line)


def is_airflow_answers(path: str) -> bool:
    """Whether a key is one that `windsock snapshot` gives to API answers."""
    return path.removesuffix(".gz").endswith(".api.jsonl")


def read_airflow_answers(data: bytes, *, object_url: str) -> Outcome:
    """Rows of pool_samples, import_errors, parse_samples and deployments, each at the time its answer was taken."""
    if data[:2] == b"\x1f\x8b":
        try:
            data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, MAX_BYTES)
        except (zlib.error, EOFError, gzip.BadGzipFile):
            return Reject(KIND, "damaged_gzip", "cannot be decompressed")
    rows: dict[str, list[Row]] = {}
    good = bad = 0
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        try:
            told = _decoder.decode(line)
            at = datetime.fromtimestamp(told.ts, UTC)
        except (msgspec.DecodeError, ValueError, OverflowError, OSError):
            bad += 1
            continue
        good += 1
        _take(told, Teller("api", object_url, (3, 0), at), rows)
    if not good:
        return Reject(KIND, "empty" if not bad else "not_answers", "no line is an API answer")
    return Parsed(KIND, rows, partial=f"{bad} lines unreadable" if bad else None)


def _take(told: _Line, teller: Teller, rows: dict[str, list[Row]]) -> None:
    path, body = told.path.split("?", 1)[0], told.body

    def add(table: str, found: list[Row | None]) -> None:
        rows.setdefault(table, []).extend(row for row in found if row is not None)

    if path == "/pools":
        add("pool_samples", [pool_row(one, teller) for one in _list(body, "pools")])
        add("deployments", list(pool_facts(_list(body, "pools"), teller)))
    elif path == "/importErrors":
        found = [import_error_row(one, teller) for one in _list(body, "import_errors")]
        add("import_errors", found)
        add("deployments", [fact("import_errors.count", str(len(found)), teller)])
    elif path == "/dags":
        add("parse_samples", list(parse_rows(_list(body, "dags"), teller)))
    elif path in ("/health", "/monitor/health"):
        add("deployments", list(health_facts(body, teller)))


def _list(body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = body.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
