"""Lines as a component wrote them, out of whatever a collector wrapped around them.

Known wrappers, each by its own shape: gzip (several members); Cloud Logging entries (`textPayload`, `jsonPayload`);
Fluent Bit, Vector and journald objects (`log`, `message`, `MESSAGE`); CloudWatch exports (a stamp before each event) and
subscriptions (`logEvents`); the container runtime's form (`<time> stdout F <text>`) and docker's (`{"log": …, "stream": …,
"time": …}`), whose parts of lines are joined (cut_lines.py). They nest: docker inside Fluent Bit, CRI inside a bucket.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from windsock.parse.cut_lines import CRI, CutLines, source_of

MAX_PLAIN_BYTES = 1024**3
_MAX_LAYERS = 4
# milliseconds and a Z, as CloudWatch writes them; a record of Airflow 3 begins like that and goes on with its level
_CLOUDWATCH = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)(?: (?!\[(?:debug|info|warning|error|critical) *\])|\Z)"
)
_TEXTS = ("log", "textPayload", "message", "MESSAGE", "msg", "jsonPayload")
_decode = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text, or the JSON record that it is. `source` tells apart what a collector has interleaved;
    `at` is the collector's own time; `origin` is the source file where only the collector's labels name it."""

    source: str
    text: str = ""
    body: Mapping[str, Any] | None = None
    at: str | None = None
    origin: str = ""


def plain(data: bytes) -> tuple[bytes, bool]:
    """The bytes of an object that may be gzipped, and whether a rest of it was left out because it unpacks to too much.
    Of a cut stream what could be unpacked. Raises `zlib.error`."""
    parts: list[bytes] = []
    left = MAX_PLAIN_BYTES
    is_zipped = is_cut = False
    while data[:2] == b"\x1f\x8b":
        is_zipped = True
        unpack = zlib.decompressobj(wbits=31)
        parts.append(unpack.decompress(data, left))
        left -= len(parts[-1])
        is_cut = left <= 0 or bool(unpack.unconsumed_tail)
        data = b"" if is_cut else unpack.unused_data
    return (b"".join(parts), is_cut) if is_zipped else (data, False)


def unwrap(data: bytes, cuts: CutLines) -> Iterator[Line]:
    """Every line of a piece of an object. Split on newline only: form feeds and U+2028 are text. `cuts` holds the
    lines whose last part has not come yet."""
    for raw in data.removesuffix(b"\n").split(b"\n"):
        text = raw.decode("utf-8", "replace").rstrip("\r")
        yield from _open(Line("", text), cuts, _MAX_LAYERS)
        if cuts.has_given_up:
            yield from (Line(source, text) for source, text in cuts.unfinished(at_end=False))


def _open(line: Line, cuts: CutLines, layers: int) -> Iterator[Line]:
    """Take off one layer after another, as long as one is found."""
    text = line.text
    if layers and text[:1] == "{":
        yield from _objects(line, cuts, layers - 1)
    elif layers and text[:2] == "20" and (match := CRI.match(text)):
        source = f"{line.source}/{match[2]}"
        whole = cuts.put(source, text[match.end() :], is_part=match[3] == "P")
        if whole is not None:
            yield from _open(Line(source, whole, None, match[1]), cuts, layers - 1)
    elif layers and text[:2] == "20" and (match := _CLOUDWATCH.match(text)):
        yield from _open(
            Line(line.source, text[match.end() :], None, match[1], line.origin), cuts, layers - 1
        )
    else:
        yield line


def _objects(line: Line, cuts: CutLines, layers: int) -> Iterator[Line]:
    """The JSON objects of a line (some sinks put no newline between two); a line that is none is text."""
    text, place = line.text, 0
    while place < len(text):
        try:
            value, end = _decode(text, place)
        except (ValueError, RecursionError):
            yield Line(line.source, text[place:], None, line.at, line.origin)
            return
        if isinstance(value, dict):
            yield from _object(value, line, cuts, layers)
        place = end
        while place < len(text) and text[place] in " \t\r,":
            place += 1


def _object(value: Mapping[str, Any], line: Line, cuts: CutLines, layers: int) -> Iterator[Line]:
    if is_record(value):
        yield Line(line.source, "", value, line.at, line.origin)
        return
    source = f"{line.source}/{source_of(value)}" if line.source else source_of(value)
    events = value.get("logEvents")
    if isinstance(events, list):
        for event in events:
            if isinstance(event, dict):
                yield from _texts(
                    str(event.get("message", "")), Line(source, "", None, _time(event)), cuts, layers
                )
        return
    at, origin = _time(value) or line.at, _origin(value) or line.origin
    for name in _TEXTS:
        inner = value.get(name)
        if isinstance(inner, dict):
            yield from _object(inner, Line(source, "", None, at, origin), cuts, layers)
            return
        if isinstance(inner, str):
            whole = cuts.put_object(value, name, inner, outer=line.source)
            if whole is not None:
                yield from _texts(whole, Line(source, "", None, at, origin), cuts, layers)
            return


def _texts(text: str, like: Line, cuts: CutLines, layers: int) -> Iterator[Line]:
    """An entry may hold several lines; only its first one is what the collector's labels speak of."""
    for no, one in enumerate(text.rstrip("\r\n").split("\n")):
        yield from _open(Line(like.source, one, None, like.at, like.origin if no == 0 else ""), cuts, layers)


def is_record(value: Mapping[str, Any]) -> bool:
    """Whether an object is a record of Airflow itself: structlog's (3.x), or the Elasticsearch form (2.x)."""
    if "event" in value:
        return isinstance(value["event"], str) and ("level" in value or "timestamp" in value)
    return "levelname" in value and isinstance(value.get("message"), str)


def _origin(value: Mapping[str, Any]) -> str:
    """Cloud Composer takes the head off a record and labels the entry `process: scheduler_job_runner.py:507`."""
    labels = value.get("labels")
    process = labels.get("process") if isinstance(labels, dict) else None
    return process.partition(":")[0] if isinstance(process, str) and ".py" in process else ""


def _time(value: Mapping[str, Any]) -> str | None:
    """The collector's time: ISO text, or milliseconds since 1970 (CloudWatch)."""
    for name in ("timestamp", "time", "@timestamp"):
        at = value.get(name)
        if isinstance(at, str):
            return at
        if isinstance(at, int) and 1e12 < at < 1e13:
            return datetime.fromtimestamp(at / 1000, tz=UTC).isoformat()
    return None
