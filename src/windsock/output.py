"""What the commands print: plain lines under cron, colour and progress bars on a terminal, JSON lines on request."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from windsock.model import Row


class Progress(Protocol):
    """Called with the number of further objects done; a bar on a terminal, nothing elsewhere."""

    def __call__(self, done: int, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Output:
    """How much to say, and in which form. Results go to standard output, everything else to standard error."""

    level: int = 1  # 0 only results and errors, 1 what happened, 2 details
    is_json: bool = False

    def say(self, text: str, *, level: int = 1, **fields: Any) -> None:
        """One line about what happened."""
        if self.level < level:
            return
        if self.is_json:
            print(json.dumps({"message": text, **jsonable(fields)}, ensure_ascii=False), file=sys.stderr)  # noqa: T201
        else:
            print(text, file=sys.stderr)  # noqa: T201

    def error(self, text: str) -> None:
        """The one line that tells what, where and how to mend."""
        line = " ".join(text.split("\n"))
        if self.is_json:
            print(json.dumps({"error": line}, ensure_ascii=False), file=sys.stderr)  # noqa: T201
        else:
            print(f"windsock: {line}", file=sys.stderr)  # noqa: T201

    def result(self, text: str) -> None:
        """A result, as it is."""
        print(text)  # noqa: T201

    @contextmanager
    def progress(self, title: str, total: int | None) -> Iterator[Progress]:
        """A bar while standard error is a terminal; silence under cron."""
        if self.level == 0 or self.is_json or not sys.stderr.isatty():
            yield lambda _done: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda done: bar.advance(task, done)


def jsonable(value: Any) -> Any:
    """Times as ISO 8601 with `Z`, NaN and infinities as null, the rest as JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(inner) for inner in value]
    if isinstance(value, str | int | bool) or value is None:
        return value
    return str(value)


def as_json(rows: Sequence[Row]) -> str:
    """One array."""
    return json.dumps(jsonable(list(rows)), ensure_ascii=False, indent=2)


def as_csv(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """Comma-separated; a text that a spreadsheet would run as a formula is prefixed with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv_cell(jsonable(row[column])) for column in columns])
    return buffer.getvalue().rstrip("\n")


def _csv_cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def as_table(columns: Sequence[str], rows: Sequence[Row], *, width: int = 60) -> str:
    """Aligned columns for people. Control characters of log text are shown, never sent to the terminal."""
    cells = [[as_cell(row[column], width) for column in columns] for row in rows]
    widths = [max([len(name), *(len(line[i]) for line in cells)]) for i, name in enumerate(columns)]
    right = [all(isinstance(row[name], int | float | None) for row in rows) for name in columns]

    def line(parts: Sequence[str]) -> str:
        padded = (p.rjust(w) if r else p.ljust(w) for p, w, r in zip(parts, widths, right, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join([line(columns), line(["-" * w for w in widths]), *(line(c) for c in cells)])


def as_cell(value: Any, width: int) -> str:
    """One value on one line of at most `width` characters."""
    value = jsonable(value)
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= width else text[: width - 1] + "…"
