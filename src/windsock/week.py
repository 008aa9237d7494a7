"""ISO weeks in UTC: the unit in which windsock stores, judges and reports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from windsock.errors import ConfigError

_ISO_WEEK = re.compile(r"(\d{4})-?W(\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """One ISO week, named by its Monday. Weeks tile time: `from_at` is inside, `to_at` is not."""

    monday: date

    def __post_init__(self) -> None:
        if self.monday.weekday() != 0:
            raise ValueError(f"{self.monday} is not a Monday")

    @classmethod
    def parse(cls, text: str) -> Week:
        """Read `2026-W47` or any date inside the week (`2026-11-18`)."""
        match = _ISO_WEEK.fullmatch(text.strip())
        try:
            if match:
                return cls(date.fromisocalendar(int(match[1]), int(match[2]), 1))
            return cls.of(date.fromisoformat(text.strip()))
        except ValueError:
            raise ConfigError(
                f"--week {text!r}: not a week; write it as 2026-W47 or as a date in it"
            ) from None

    @classmethod
    def of(cls, moment: date | datetime) -> Week:
        """The week that holds a date, or an aware instant (taken in UTC)."""
        if isinstance(moment, datetime):
            moment = moment.astimezone(UTC).date()
        return cls(moment - timedelta(days=moment.weekday()))

    @classmethod
    def last_complete(cls, now: datetime) -> Week:
        """The newest week that has ended at `now`."""
        return cls.of(now).minus(1)

    @property
    def from_at(self) -> datetime:
        return datetime(self.monday.year, self.monday.month, self.monday.day, tzinfo=UTC)

    @property
    def to_at(self) -> datetime:
        return self.from_at + timedelta(days=7)

    def minus(self, weeks: int) -> Week:
        return Week(self.monday - timedelta(weeks=weeks))

    def weeks_until(self, later: Week) -> int:
        """Weeks from this one to `later`; negative when that one is earlier."""
        return (later.monday - self.monday).days // 7

    def __str__(self) -> str:
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02d}"
