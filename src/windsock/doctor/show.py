"""The rows for people: what to mend first, then what was checked, what each section rests on, and the settings."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from windsock.model import Row

MARKS = {"ok": "✓", "watch": "!", "missing": "–", "broken": "✗"}
COLOURS = {"ok": "32", "watch": "33", "missing": "2", "broken": "31"}
_TITLES = (("check", "Checks"), ("section", "What the report can answer"), ("value", "Settings"))


def shown(rows: Sequence[Row], *, width: int, colour: bool) -> str:
    """Blocks of lines no wider than `width`; `colour` only on a terminal."""
    blocks = []
    for kind, title in _TITLES:
        those = [one for one in rows if one["kind"] == kind]
        lines = list(_values(those) if kind == "value" else _marked(those, width, colour))
        blocks.append("\n".join([_painted(title, "1", colour), *lines]))
    return "\n\n".join([*blocks, _sum(rows, colour)])


def _marked(rows: Sequence[Row], width: int, colour: bool) -> Iterator[str]:
    """Mark, subject, what was seen; below it, behind an arrow, how to mend it."""
    left = max((len(one["what"]) for one in rows), default=0) + 4
    for one in rows:
        state = one["state"]
        head = f"{MARKS[state]} {_printable(one['what'])}".ljust(left)
        first, *rest = _wrapped(one["detail"], width - left) or [""]
        yield _painted(head, COLOURS[state], colour) + first
        yield from (" " * left + line for line in rest)
        if one["mend"]:
            arrow, *more = _wrapped(one["mend"], width - left - 2)
            yield " " * left + _painted("→ ", COLOURS[state], colour) + arrow
            yield from (" " * (left + 2) + line for line in more)
        if one["kind"] == "section" and one["state"] != "ok" and one["never_on"]:
            yield from (" " * left + line for line in _wrapped(f"never in: {one['never_on']}", width - left))


def _values(rows: Sequence[Row]) -> Iterator[str]:
    left = max((len(one["what"]) for one in rows), default=0) + 4
    for one in rows:
        yield f"  {one['what']}".ljust(left) + f"{_printable(one['detail'])}  ({one['state']})"


def _sum(rows: Sequence[Row], colour: bool) -> str:
    """The last line is the one that is read."""
    broken = sum(one["state"] == "broken" for one in rows)
    watch = sum(one["state"] == "watch" for one in rows)
    answered = [one for one in rows if one["kind"] == "section"]
    ready = sum(one["state"] == "ok" for one in answered)
    told = f"{broken} to mend, {watch} to watch; {ready} of {len(answered)} parts of the report have data"
    return _painted(told, COLOURS["broken" if broken else "watch" if watch else "ok"], colour)


def _wrapped(text: str, width: int) -> list[str]:
    # addresses and commands stay whole: they are copied
    return textwrap.wrap(_printable(text), max(width, 30), break_long_words=False, break_on_hyphens=False)


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _printable(text: str) -> str:
    """Names from a bucket or a server never reach the terminal as control characters."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
