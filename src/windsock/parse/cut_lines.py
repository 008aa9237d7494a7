"""Lines that a container runtime cut, put together again. Runtimes hand on at most 16 KB of a line at a time; collectors
keep the parts as entries of their own, and each says in its way that a part is not the end of its line.

Known ways: the tag of the container runtime interface before each line (`<time> stdout P <text>`, then `F`), or in a field
(`logtag` of Fluentd, `_p` of Fluent Bit's multiline parser); docker's json-file, whose `log` ends with a newline but for
parts; docker's fluentd and journald drivers (`partial_message`, `CONTAINER_PARTIAL_MESSAGE`); Vector (`_partial`); Cloud
Logging (`split`). Sources: containerd's CRI logger; moby's copier, json-file, fluentd and journald drivers; the collectors'
own documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from windsock.parse.pieces import MARK

CRI = re.compile(
    r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP])(?::\S*)?(?: |$)", re.MULTILINE
)  # fmt: skip
END_CHARS = 1 << 20
"""What is kept of either end of a line that has more than four times as much; no record is longer."""
MOST_HELD = 64
"""Lines that are held at a time: streams are few, and a part whose line never ends must not stay for ever."""
MOST_HELD = 64
"""Lines that are held at a time: streams are few, and a part whose line never ends must not stay for ever."""
DOCKER_BYTES = 16 * 1024
"""Of a line, what docker hands on at a time."""
NO_END_TOLD = "a line that was cut has no end"

_TAGS = ("logtag", "_p", "log_tag")
_FLAGS = (("partial_message", "partial_last"), ("CONTAINER_PARTIAL_MESSAGE", "CONTAINER_PARTIAL_LAST"), ("_partial", ""))  # fmt: skip
_IDS = ("partial_id", "CONTAINER_PARTIAL_ID", "source", "container_id")
_SOURCES = ("stream", "container_name", "pod_name", "logName", "logStream", "_HOSTNAME", "_SYSTEMD_UNIT", "hostname")  # fmt: skip
_KEPT = 4 * END_CHARS


class CutLines:
    """Takes the entries of one log in order. `joined` counts the parts that went into a line with others, `unended` the
    lines whose end never came."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._given_up: list[_Held] = []
        self._has_newlines = False
        self.joined = self.unended = 0

    def put(self, source: str, text: str, *, is_part: bool, key: str = "") -> str | None:
        """The line whose last piece this is; None where more of it is to come. `source` tells streams apart, as `key` does
        within one."""
        key = f"{source}\n{key}"
        if is_part:
            held = self._held.get(key)
            if held is None:
                held = self._held[key] = _Held(source)
            held.add(text)
            self.joined += 1
            if len(self._held) > MOST_HELD:
                self._given_up.append(self._held.pop(next(iter(self._held))))
            return None
        held = self._held.pop(key, None) if self._held else None
        if held is None:
            return text
        held.add(text)
        return held.text()

    def put_object(self, value: Mapping[str, Any], name: str, text: str, *, outer: str = "") -> str | None:
        """As `put`, for the `text` that a collector's object holds under `name`."""
        is_part = self._is_part(value, name, text)
        if not is_part and not self._held:
            return text
        own = "|".join(str(value[one]) for one in _IDS if isinstance(value.get(one), str))
        if isinstance(split := value.get("split"), dict):
            own += f"|{split.get('uid')}"
        source = f"{outer}/{source_of(value)}" if outer else source_of(value)
        return self.put(source, text, is_part=is_part, key=own)

    @property
    def is_holding(self) -> bool:
        """Whether more of a line is to come."""
        return bool(self._held)

    @property
    def has_given_up(self) -> bool:
        """Whether `unfinished` has lines to tell already now."""
        return bool(self._given_up)

    def unfinished(self, *, at_end: bool) -> Iterator[tuple[str, str]]:
        """The lines of whose end there is no hope, each with its source: at the end all that are held."""
        lines, self._given_up = self._given_up, []
        if at_end:
            lines += self._held.values()
            self._held = {}
        self.unended += len(lines)
        self.joined -= len(lines)
        for one in lines:
            yield one.source, one.text()

    def _is_part(self, value: Mapping[str, Any], name: str, text: str) -> bool:
        if (told := _told_part(value)) is not None:
            return told
        if name != "log" or "stream" not in value:
            return False
        if text.endswith("\n"):
            self._has_newlines = True
            return False
        # many collectors take the newline off: a line without one is cut where others have theirs
        return self._has_newlines or _is_as_long_as_parts(text)


def source_of(value: Mapping[str, Any]) -> str:
    """Whatever names the container and the stream, in the collector's own words."""
    parts = [value]
    for name in ("kubernetes", "resource", "labels"):
        inner = value.get(name)
        if isinstance(inner, dict):
            parts.append(inner)
            if isinstance(inner.get("labels"), dict):
                parts.append(inner["labels"])
    return "|".join(str(part[name]) for part in parts for name in _SOURCES if isinstance(part.get(name), str))


def _told_part(value: Mapping[str, Any]) -> bool | None:
    """Whether more of the line is to come, by what an object says of itself; None where it says nothing."""
    for name in _TAGS:
        if isinstance(tag := value.get(name), str):
            return tag.partition(":")[0] == "P"
    for flag, last in _FLAGS:
        if flag in value:
            return _is_true(value[flag]) and not _is_true(value.get(last))
    if isinstance(split := value.get("split"), dict):
        index, count = split.get("index", 0), split.get("totalSplits")
        return isinstance(index, int) and isinstance(count, int) and index + 1 < count
    return None


def _is_true(value: Any) -> bool:
    return value is True or value == "true"


def _is_as_long_as_parts(text: str) -> bool:
    return DOCKER_BYTES // 4 <= len(text) <= DOCKER_BYTES == len(text.encode("utf-8", "replace"))


class _Held:
    """The parts of a line that has no end yet; of one that goes on and on, its two ends."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._head: list[str] = []
        self._tail: list[str] = []
        self._head_chars = self._tail_chars = 0
        self._is_cut = False

    def add(self, text: str) -> None:
        if self._head_chars < END_CHARS:
            self._head.append(text)
            self._head_chars += len(text)
            return
        self._tail.append(text)
        self._tail_chars += len(text)
        if self._tail_chars > _KEPT:
            end = "".join(self._tail)[-END_CHARS:]
            self._tail, self._tail_chars, self._is_cut = [end], len(end), True

    def text(self) -> str:
        return "".join([*self._head, MARK.decode() if self._is_cut else "", *self._tail])
