"""When a snapshot was taken, and which snapshots follow one another: both stand in the object's key."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DATED = re.compile(
    r"(?<!\d)(20\d\d)[-/_]?(\d\d)[-/_]?(\d\d)[-/_T ]?(\d\d)[-:/_]?(\d\d)(?:[-:/_]?(\d\d))?(?:\.\d+)?Z?(?!\d)"
)
_EPOCH = re.compile(r"(?<!\d)([12]\d{9})(\d{3})?(?=\.prom(?:\.gz)?\Z)")
_SNAPSHOT = re.compile(r"\.prom(?:\.gz)?\Z")


EARLIEST, LATEST = timedelta(days=400), timedelta(days=1)
"""How far before and after its object's time a sample's own time can lie; further off it is no time (DESIGN 3)."""


def is_snapshot(path: str) -> bool:
    """Prometheus text by its name; every other metric object is taken for a StatsD capture."""
    return _SNAPSHOT.search(path) is not None


def taken_at(path: str, modified_at: datetime) -> datetime:
    """The time in the key (`2026-11-23/152300.prom`, `1795447380.prom`), else the object's own."""
    found = _time_in(path)
    return found[0] if found else modified_at


def stream_of(path: str) -> str:
    """Snapshots with an equal prefix before their time follow one another; counters are compared within it."""
    found = _time_in(path)
    return path[: found[1]] if found else path.rpartition("/")[0]


def _time_in(path: str) -> tuple[datetime, int] | None:
    if match := _EPOCH.search(path):
        return datetime.fromtimestamp(int(match[1]), tz=UTC), match.start()
    for match in _DATED.finditer(path):
        try:
            year, month, day, hour, minute, second = match.groups("0")
            at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
            return at, match.start()
        except ValueError:
            continue
    return None
