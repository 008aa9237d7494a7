"""Which dialect a log is written in, and the reader for it. Judged by the lines themselves, never by the key."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from windsock.model import LogKey
from windsock.parse import airflow2, airflow3, elastic, wrapped
from windsock.parse.airflow3 import console as console3
from windsock.parse.collected import Document, JsonLines
from windsock.parse.cut_lines import CRI
from windsock.parse.heads import HEAD, head
from windsock.parse.layers import MAX_LAYERS, Layer, Runtime, inside, prefix_of, tell
from windsock.parse.own_format import OwnFormat, own_format
from windsock.parse.pieces import CUT_TOLD, LINES, Borders, capped
from windsock.parse.reading import Reading

LOOK_BYTES = 1024**2
_LOOK_LINES = 400
_SURE = 12  # heads of one dialect and none of another: no need to look further
_OWN_HEAD = re.compile(rb'\{"timestamp":"[^"\\\n]*","level":"[^"\\\n]*","event":')
BORDERS = {
    "airflow3": LINES,
    "elastic": LINES,
    "airflow2": Borders(b"[\x1b", airflow2.is_head),
    "console3": Borders(b"[\x1b2", lambda line: console3.matches(line.decode("utf-8", "replace"))),
}
"""Where the records of each dialect begin."""
_ELASTIC, _ELASTIC_BYTES = b'\n{"asctime"', 64 * 1024


def read(data: bytes, *, key: LogKey, timezone: str = "UTC") -> Reading | None:
    """Read a log in whatever dialect it is, or None where no record of Airflow is found."""
    return read_inside(wrapped.plain(data), key=key, timezone=timezone, layers=())


def read_inside(data: bytes, *, key: LogKey, timezone: str, layers: Iterable[Layer]) -> Reading | None:
    """Read the text that was inside of these layers, outermost first, as a whole."""
    taken = list(layers)
    reading = _read(data, key, timezone, taken)
    if reading is not None:
        tell(reading, taken)
    return reading


def is_one_line(data: bytes) -> bool:
    """Whether a log begins as a JSON document that is one line, as far as is looked: an API's answer as it came."""
    return data[:1] in (b"{", b"[") and data.find(b"\n", 0, min(LOOK_BYTES, len(data) - 1)) < 0


def layers_around(data: bytes, pieces: Callable[[], Iterable[bytes]]) -> Iterator[Layer]:
    """What may be around a log that is none as it stands, likeliest first, by its beginning; `pieces` are all of it."""
    kinds, prefixed = _kinds(data)
    if not kinds["runtime"] and (own := own_format(data)):
        yield own
    if is_one_line(data):
        yield Document()
    if kinds["wrapped"] > kinds["runtime"]:
        yield JsonLines()
    if kinds["runtime"]:
        yield Runtime()
    elif prefixed and (prefix := prefix_of(prefixed, pieces)):
        yield prefix


def begins_as_airflow3(data: bytes) -> bool:
    """Whether the first line decides for Airflow 3, as its own writer spells it (the fast path reads these)."""
    if not _OWN_HEAD.match(data):
        return data.startswith(b'{"timestamp":"') and _begins_oddly(_first_line(data))
    # an object that holds an event and a time, or none at all
    end = data.find(b"\n")
    return data[end - 1 : end] != b"\r" if end >= 0 else not data.endswith(b"\r")


def _begins_oddly(first: bytes) -> bool:
    value = wrapped.decode(first)
    return not first.endswith(b"\r") and (not isinstance(value, dict) or wrapped.is_json_record(value))


def begins_as_airflow2(data: bytes) -> bool:
    """Whether the first line decides for Airflow 2 text. A process with `json_format` prints some text before."""
    first = _first_line(data)
    return airflow2.is_head(first) and not first.endswith(b"\r") and _ELASTIC not in data[:_ELASTIC_BYTES]


def _first_line(data: bytes) -> bytes:
    end = data.find(b"\n")
    return data if end < 0 else data[:end]


def dialect_of(data: bytes) -> str:
    """`airflow3`, `airflow2`, `elastic` or `console3` by the beginning of a log; empty where it is none of these as it
    stands: wrapped by a collector, prefixed, or no log."""
    if begins_as_airflow3(data):
        return "airflow3"
    if begins_as_airflow2(data):
        return "airflow2"
    kinds, _prefixed = _kinds(data)
    dialect = _commonest(kinds)
    own = own_format(data) if dialect == "airflow2" else None
    is_printed = (
        isinstance(own, OwnFormat) and own.count(data) > kinds["airflow2"]
    )  # heads in a text of another format
    return "" if is_printed else dialect


def _commonest(kinds: Counter[str]) -> str:
    json_lines = kinds["airflow3"] + kinds["elastic"]
    if json_lines and json_lines >= kinds["airflow2"]:
        return "airflow3" if kinds["airflow3"] >= kinds["elastic"] else "elastic"
    if kinds["airflow2"] >= max(1, kinds["console3"]):
        return "airflow2"
    return "console3" if kinds["console3"] else ""


def _read(data: bytes, key: LogKey, timezone: str, taken: list[Layer]) -> Reading | None:
    if dialect := dialect_of(data):
        return _read_as(dialect, data, key, timezone)
    if len(taken) == MAX_LAYERS:
        return None
    for layer in chain(layers_around(data, lambda: [data]), (Document(),)):
        if text := inside(layer, data):
            taken.append(layer)
            return _read(text, key, timezone, taken)
    return _stampless(data, key, timezone)


def _read_as(dialect: str, data: bytes, key: LogKey, timezone: str) -> Reading:
    data, is_cut = capped(data, BORDERS[dialect])
    if dialect == "airflow3":
        reading = airflow3.read(data)
    elif dialect == "elastic":
        reading = elastic.read(data, key=key, timezone=timezone)
    elif dialect == "airflow2":
        reading = airflow2.read(data.decode("utf-8", "replace"), key=key, timezone=timezone)
    else:
        reading = console3.read(data.decode("utf-8", "replace"))
    if is_cut:
        reading.partial = reading.partial or CUT_TOLD
    return reading


def _kinds(data: bytes) -> tuple[Counter[str], bytes | None]:
    """How many of the first lines are heads of which dialect, and a line that holds a head behind something else."""
    kinds: Counter[str] = Counter()
    prefixed: bytes | None = None
    seen = 0
    for line in data[:LOOK_BYTES].split(b"\n"):
        if not line.strip():
            continue
        seen += 1
        if kind := _kind(line):
            kinds[kind] += 1
        elif prefixed is None and _holds_head(line):
            prefixed = line
        if (seen >= _LOOK_LINES and kinds) or (len(kinds) == 1 and kinds.total() >= _SURE):
            break
    return kinds, prefixed


def _kind(line: bytes) -> str | None:
    if line.startswith(b"{"):
        value = wrapped.decode(line)
        if not isinstance(value, dict):
            # the last line of the look may be cut, or a log may be
            return "airflow3" if line.startswith(b'{"timestamp":"') and b'"event":"' in line else None
        if not wrapped.is_json_record(value):
            return "wrapped"
        return "airflow3" if "event" in value else "elastic"
    text = line[:400].decode("utf-8", "replace")
    if head(text, no=0):
        return "airflow2"
    if CRI.match(text):
        return "runtime"
    return "console3" if console3.matches(text) else None


def _holds_head(line: bytes) -> bool:
    return HEAD.search(line[:600].decode("utf-8", "replace")) is not None or b' {"' in line[:300]


def _stampless(data: bytes, key: LogKey, timezone: str) -> Reading | None:
    """Last resort: copies whose stamps were taken away (`{taskinstance.py:1} INFO - …`)."""
    reading = airflow2.read(data.decode("utf-8", "replace"), key=key, timezone=timezone)
    return reading if reading.records else None
