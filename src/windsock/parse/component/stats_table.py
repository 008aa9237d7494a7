"""The `DAG File Processing Stats` table: the last parse of every file, in the columns of 2.0 to 3.3.

One table is a snapshot, so one parse stands in many tables: it is told once, by file and end of the parse. Columns are
found by the dashes below the names, because PID and current runtime are empty for idle files. Times carry no zone: UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from windsock.parse.component.records import moment

TITLE = "DAG File Processing Stats"
_RULE = re.compile(r"-{3,}(?: +-{3,})+ *\Z")
_NAMES = {
    "bundle": "bundle",
    "file path": "file",
    "# dags": "dags",
    "# errors": "errors",
    "last runtime": "took",
    "last duration": "took",
    "last run": "at",
    "last run at": "at",
}
# file names of wide characters shift what follows; the numbers at the end still have their order
_TAIL = re.compile(r"\s(\d+)\s+(\d+)\s+([\d.]+)s\s+(\d{4}-\d\d-\d\dT[\d:.]+)(?:\s+\d+)?\s*\Z")


@dataclass(frozen=True, slots=True)
class Parse:
    """One row of a table that tells of a finished parse."""

    file: str
    bundle: str | None
    at: datetime
    took_s: float
    dags: int | None
    errors: int | None


def parses(text: str) -> Iterator[Parse]:
    """Every finished parse that the table in `text` tells of."""
    names: dict[str, tuple[int, int | None]] | None = None
    before = ""
    for line in text.split("\n"):
        if _RULE.match(line):
            names = _columns(before, line)
        elif names is None:
            before = line
        elif line.startswith("====") or not line.strip():
            return
        elif row := _row(line, names):
            yield row


@lru_cache(maxsize=64)  # the same head stands over every table of a log
def _columns(names: str, rule: str) -> dict[str, tuple[int, int | None]]:
    """Name → (first, last) place in a line, by the dashes; the last column runs to the end of the line."""
    spans = [match.span() for match in re.finditer(r"-+", rule)]
    columns: dict[str, tuple[int, int | None]] = {}
    for no, (start, end) in enumerate(spans):
        if known := _NAMES.get(names[start:end].strip().lower()):
            columns[known] = (start, end if no + 1 < len(spans) else None)
    return columns


def _row(line: str, columns: dict[str, tuple[int, int | None]]) -> Parse | None:
    cells = {name: line[start:end].strip() for name, (start, end) in columns.items()}
    if not line.isascii():
        cells = _from_the_end(line, has_bundle="bundle" in columns) or cells
    at = moment(cells.get("at"), UTC)
    took = cells.get("took", "").removesuffix("s")
    if at is None or not cells.get("file") or not re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", took):
        return None
    return Parse(
        cells["file"],
        cells.get("bundle") or None,
        at,
        float(took),
        _count(cells.get("dags", "")),
        _count(cells.get("errors", "")),
    )


def _from_the_end(line: str, *, has_bundle: bool) -> dict[str, str] | None:
    tail = _TAIL.search(line)
    if not tail:
        return None
    head = re.split(r"  +", line[: tail.start() + 1].strip())
    bundle = head.pop(0) if has_bundle and len(head) > 1 else ""
    return {
        "bundle": bundle,
        "file": head[0],
        "dags": tail[1],
        "errors": tail[2],
        "took": tail[3],
        "at": tail[4],
    }


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,9}", text) else None
