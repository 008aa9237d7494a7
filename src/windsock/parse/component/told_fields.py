"""`name=value, name=value`: how schedulers print what they know of a try or a run."""

from __future__ import annotations

import re

_FIELD = re.compile(r"(?:\A|,) ?(?P<name>[a-z_]+)=(?P<value>.*?)(?=, ?[a-z_]+=|,? *\Z)", re.DOTALL)


def fields(text: str) -> dict[str, str]:
    """`name=value, name=value,name=value`; a value may hold commas, brackets and equals signs of its own."""
    return {match["name"]: match["value"].strip() for match in _FIELD.finditer(text)}


def number(text: str | None) -> int | None:
    """A whole number that fits the lake, or None."""
    return int(text) if text and re.fullmatch(r"-?\d{1,9}", text) else None


def given(value: str | None) -> str | None:
    """A text, or None where Python's None was printed."""
    return None if not value or value == "None" else value
