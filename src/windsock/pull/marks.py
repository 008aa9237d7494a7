"""Marks and tallies: how a source without objects knows what is new, and that nothing is.

A mark is the time up to which everything was read, kept in the etag of a ledger row beside a digest of rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from windsock.model import Row

CHUNK_ROWS = 20_000
Tables = dict[str, list[Row]]

MOVING: dict[str, tuple[str, ...]] = {
    "dag_tasks": ("seen_at",),
    "deployments": ("seen_at",),
    "pool_samples": ("sampled_at",),
    "import_errors": ("seen_at",),
    "task_instances": ("anchor_at",),
}
"""Columns that say when it was asked, not what was answered."""


@dataclass(slots=True)
class Chunks:
    """Rows that wait to be written, and how many chunks were."""

    waiting: Tables = field(default_factory=dict)
    count: int = 0
    number: int = 0
    rows: int = 0

    def take(self, table: str, row: Row) -> bool:
        """True when a chunk is full, and has its number."""
        self.waiting.setdefault(table, []).append(row)
        self.count += 1
        self.rows += 1
        is_full = self.count >= CHUNK_ROWS
        self.number += is_full
        return is_full

    def empty(self) -> Tables:
        """What waited."""
        waiting, self.waiting, self.count = self.waiting, {}, 0
        return waiting


class Tally:
    """A digest of rows in any order: the sum of their hashes."""

    def __init__(self) -> None:
        self._sum = self._count = 0

    def add(self, row: Row, *, without: tuple[str, ...] = ()) -> None:
        shown = repr(
            [
                (name, str(value))
                for name, value in sorted(row.items())
                if name not in without and name != "read_at"
            ]
        )
        told = hashlib.blake2b(shown.encode("utf-8", "surrogatepass"), digest_size=12).digest()
        self._sum = (self._sum + int.from_bytes(told, "little")) % (1 << 96)
        self._count += 1

    def digest(self) -> str:
        return f"{self._count}-{self._sum:024x}"


def windows_of(
    from_at: datetime, tail_at: datetime, until: datetime | None, length: timedelta | None
) -> Iterator[tuple[datetime, datetime | None]]:
    """Spans that tile the time from `from_at`; the last one is open, or ends at `until`."""
    start = from_at
    limit = min(tail_at, until) if until else tail_at
    while start < limit:
        end = min(start + length, limit) if length else limit
        yield start, end
        start = end
    if until is None or start < until:
        yield start, until


def etag_of(mark: datetime | None, digest: str) -> str:
    return f"{mark.isoformat() if mark else ''}|{digest}"


def mark_of(etag: str) -> tuple[datetime | None, str]:
    at, _, digest = etag.partition("|")
    return (datetime.fromisoformat(at) if at else None), digest
