"""Numbers as people say them, for headlines and advice."""

from __future__ import annotations

from datetime import UTC, datetime

from windsock.model import MAX_ADVICE

MAX_NAME = 80
"""Characters of a name among others; ids of Airflow may have 250."""
CLEAR = "clear its failed tasks (Grid, the run, Clear, only failed tasks)"
"""How a lost run is made good, in the words of Airflow's own pages, 2 and 3."""


def percent(fraction: float) -> str:
    """`0.034` → `3.4 %`."""
    value = fraction * 100
    return (
        f"{value:.0f} %" if value >= 10 else f"{value:.1f} %" if value >= 0.1 or value == 0 else "under 0.1 %"
    )


def seconds(value: float) -> str:
    """`2.04` → `2.0 s`, `0.31` → `0.31 s`."""
    return f"{value:.0f} s" if value >= 100 else f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def hours(value: float) -> str:
    """`0.25` → `15 minutes`, `12.3` → `12 hours`."""
    if value < 1:
        return plural(round(value * 60), "minute")
    return f"{value:.0f} hours" if value >= 10 else f"{value:.1f} hours"


def span(value_s: float) -> str:
    """`7800` → `2 h 10 min`, `95` → `1 min 35 s`: a length of time that was measured, not estimated."""
    total = round(value_s)
    parts = ((total // 86400, "d"), (total // 3600 % 24, "h"), (total // 60 % 60, "min"), (total % 60, "s"))
    told = [(number, unit) for number, unit in parts if number]
    return " ".join(f"{number} {unit}" for number, unit in told[:2]) or "0 s"


def short(value_s: float) -> str:
    """`0.04 s`, `6.0 s`, `2 min 5 s`: a length of time that may be less than a second."""
    return span(value_s) if value_s >= 60 else seconds(value_s)


def plural(count: int, noun: str) -> str:
    """`1 run`, `2 runs`, `2 tries`, `2 processes`."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith(("s", "x")):
        return f"{count:,} {noun}es"
    return (
        f"{count:,} {noun[:-1]}ies"
        if noun.endswith("y") and noun[-2] not in "aeiou"
        else f"{count:,} {noun}s"
    )


def moment(at: datetime) -> str:
    """`Wed 18 Nov 09:00 UTC`."""
    return f"{at.astimezone(UTC):%a %d %b %H:%M} UTC"


def name(text: str, most: int = MAX_NAME) -> str:
    """A name as it stands in a sentence: a long one without its middle."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most - most // 2) :]}"


def fitting(first: str, *more: str) -> str:
    """`first`, and of the sentences after it each that the card still has room for, the most telling ones first."""
    told = first
    for one in more:
        if one and len(told) + 1 + len(one) <= MAX_ADVICE:
            told = f"{told} {one}"
    return told


def names(values: list[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(map(name, values[:most]))
    return f"{shown} and {len(values) - most} more" if len(values) > most else shown


def commit(version: str) -> str:
    """A commit by its first seven digits; what is none stays as it is."""
    return version[:7] if len(version) >= 20 and version.isalnum() else version


def size(value: float) -> str:
    """`2_140_000_000` → `2.1 GB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def money(value: float, currency: str) -> str:
    """`12 USD`, `0.4 USD`: an estimate has no cents."""
    return f"{value:,.0f} {currency}" if value >= 10 else f"{value:.1f} {currency}"
