"""Text records of Airflow 1.7 to 2.11: recognised by their heads, in every spelling of the stamp.

`[2026-11-23T15:32:10.676+0000] {file.py:1} INFO - ` (2.3.4 and newer), `[2021-05-12 15:21:05,066] {file.py:1} INFO - `
(before; no zone), and what the web pages of 2.x make of both: `[2021-05-12, 15:21:05 UTC] {file.py:1} INFO - `, whose
group lines lose their level (`{file.py:1} ▼ Pre task execution logs`). Sources: config.yml and log formatters of
1.10.15, 2.2.5, 2.11.2; pasted logs.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import msgspec

HEAD = re.compile(
    r"\[(?P<at>\d{4}-\d\d-\d\d(?:[T ]|, )\d\d:\d\d:\d\d(?:[.,]\d{1,6})?"
    r"(?P<zone> ?[+-]\d\d(?::?\d\d)?| ?Z| [A-Z]{2,5})?)\] "
    r"\{{1,2}(?P<file>[^}:\n]+):(?P<line>\d+)\}{1,2} (?:(?P<level>[A-Z]+|Level \d+) - ?|(?=[▼▶▲]))"
)
_STAMPLESS = re.compile(
    r"(?P<at>)(?P<zone>)\{{1,2}(?P<file>[\w.-]+\.py):(?P<line>\d+)\}{1,2} (?P<level>[A-Z]+) - ?"
)
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ]|, )(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6}))?(?: ?([+-]\d\d:?\d\d|[+-]\d\d|[A-Z]{1,5}))?\Z"
)
# what web pages print for a zone; hours east of UTC. Ambiguous ones (CST, IST of Israel) take their commonest sense
_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "SAST": 2, "EAT": 3, "GST": 4, "PKT": 5, "IST": 5.5, "ICT": 7, "WIB": 7, "BRT": -3, "ART": -3, "COT": -5, "HKT": 8, "SGT": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


class Raw(msgspec.Struct, gc=False):
    """A head with its text, before it is judged. `no` counts from 0 within the object."""

    no: int
    at_text: str
    zone: str | None
    file: str
    level: str
    text: str


def head(line: str, *, no: int, pattern: re.Pattern[str] = HEAD) -> Raw | None:
    """A line as the beginning of record `no`, or None. Colour codes before and inside the head do not hide it."""
    if "\x1b[" in line[:48]:
        line = ANSI.sub("", line)
    if match := pattern.match(line):
        return Raw(
            no, match["at"], match["zone"], match["file"], match["level"] or "INFO", line[match.end() :]
        )
    return None


def split(text: str) -> tuple[list[Raw], str]:
    """Records by their heads, and the text before the first. Split on newline only (form feeds and U+2028 are text)."""
    raws, orphan = split_at(text)
    return (raws, orphan) if raws else split_at(text, _STAMPLESS)


def split_at(text: str, pattern: re.Pattern[str] = HEAD) -> tuple[list[Raw], str]:
    """As `split`, by heads of one form only."""
    raws: list[Raw] = []
    orphan: list[str] = []
    further: list[str] = []
    for line in text.split("\n"):
        # cheap first: most lines of a long traceback or print begin with neither
        raw = head(line, no=len(raws), pattern=pattern) if line[:1] in ("[", "{", "\x1b") else None
        if raw:
            if further:
                raws[-1].text += "\n" + "\n".join(further)
                further = []
            raws.append(raw)
        elif raws:
            further.append(line)
        else:
            orphan.append(line)
    if further:
        raws[-1].text += "\n" + "\n".join(further)
    for raw in raws:
        raw.text = told(raw.text)
    return raws, "\n".join(orphan)


def told(text: str) -> str:
    """A record's text without the newlines behind it, and without Composer's labels at the end of its last line."""
    text = text.rstrip("\n\r")
    if text.endswith("}") and (suffix := text.rfind("@-@{")) >= 0:
        return text[:suffix]
    return text


def moment(at_text: str, default: tzinfo) -> datetime | None:
    """A stamp as UTC; `default` is the zone of a stamp that names none, or one that is not known."""
    try:
        at = datetime.fromisoformat(at_text.replace(",", "."))
        if at.tzinfo is UTC:
            return at
        return (at if at.tzinfo else at.replace(tzinfo=default)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    match = _STAMP.match(at_text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    try:
        micro = int((match[7] or "0").ljust(6, "0"))
        zone = _zone_of(match[8], default)
        return datetime(year, month, day, hour, minute, second, micro, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone_of(name: str | None, default: tzinfo) -> tzinfo:
    if not name:
        return default
    if name[0] in "+-":
        minutes = int(name[1:3]) * 60 + int(name[3:].lstrip(":") or 0)
        return timezone(timedelta(minutes=minutes if name[0] == "+" else -minutes))
    return timezone(timedelta(hours=_ZONES[name])) if name in _ZONES else default
