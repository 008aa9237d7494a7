"""`name=value, name=value`: how schedulers print what they know of a try or a run."""

from __future__ import annotations

import re

_NAME = re.compile(r" ?([a-z_]+)=")


def fields(text: str) -> dict[str, str]:
    """`name=value, name=value,name=value`; a value may hold commas, brackets and equals signs of its own."""
    found: dict[str, str] = {}
    last = ""
    for piece in text.split(","):
        if match := _NAME.match(piece):
            last = match[1]
            found[last] = piece[match.end() :]
        elif last:
            found[last] += f",{piece}"
    return {name: value.strip(" ,\n") for name, value in found.items()}


def number(text: str | None) -> int | None:
    """A whole number that fits the lake, or None."""
    return int(text) if text and re.fullmatch(r"-?\d{1,9}", text) else None


def given(value: str | None) -> str | None:
    """A text, or None where Python's None was printed."""
    return None if not value or value == "None" else value
