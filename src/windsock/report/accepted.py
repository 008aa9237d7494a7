"""`accepted.toml`: findings that were looked at and are to be left alone until a date. Reviewed in git like code."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from windsock.errors import ConfigError
from windsock.week import Week

KEYS = ("id", "reason", "until", "by")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One acceptance. `id` is a finding's id, or its short name on the page (`ws101-3fa9c2d1`)."""

    id: str
    reason: str
    until: date
    by: str

    def holds(self, week: Week) -> bool:
        """Through its last day: a week that ends after that day is told again."""
        return self.until >= week.monday + timedelta(days=6)


def read_accepted(text: str, *, where: str) -> tuple[Accepted, ...]:
    """The acceptances of the file's text. Every entry needs all four keys: an acceptance without end is refused."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not valid TOML: {error}") from None
    entries = raw.pop("accepted", [])
    if raw or not isinstance(entries, list):
        raise ConfigError(f"{where}: write each acceptance as [[accepted]] with {', '.join(KEYS)}")
    return tuple(_entry(entry, f"{where}: [[accepted]] {n}") for n, entry in enumerate(entries, 1))


def _entry(entry: Mapping[str, Any], where: str) -> Accepted:
    if not isinstance(entry, dict):
        raise ConfigError(f"{where} is no table; give it {', '.join(KEYS)}")
    for key in entry:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(KEYS)}"
            raise ConfigError(f"{where} has no key '{key}'; {hint}")
    for key in ("id", "reason", "by"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise ConfigError(f"{where} needs {key} as a text")
    until = entry.get("until")
    if isinstance(until, datetime):
        until = until.date()
    if isinstance(until, str):
        try:
            until = date.fromisoformat(until)
        except ValueError:
            raise ConfigError(f"{where} until {until!r} is not a date; write 2026-12-31") from None
    if not isinstance(until, date):
        raise ConfigError(f"{where} needs until, a date such as 2026-12-31")
    return Accepted(entry["id"], entry["reason"], until, entry["by"])
