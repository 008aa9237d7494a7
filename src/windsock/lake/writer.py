"""Rows into the lake: spilled to local files, merged once per touched partition, published whole, ledger last.

Order is what makes a crash harmless: a row that leaves a week is removed there before it appears in its new week,
and the ledger learns of an object only after all its rows lie where they belong. Until then the next pull reads the
object again and replaces whatever the broken one left.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from windsock.errors import LakeError
from windsock.lake.lock import Lock
from windsock.lake.merge import Merger
from windsock.model import Ignored, Outcome, Parsed, Reject, Row, SourceObject
from windsock.schema import DOUBLE, INT, LABELS, LONG, TABLES, TEXT, TEXTS, TIME, Table
from windsock.store import NotFound, Store
from windsock.week import Week

SPILL_ROWS = 20_000

ARROW = {
    TEXT: pa.string(),
    TIME: pa.timestamp("us", tz="UTC"),
    LONG: pa.int64(),
    INT: pa.int32(),
    DOUBLE: pa.float64(),
    LABELS: pa.map_(pa.string(), pa.string()),
    TEXTS: pa.list_(pa.string()),
}

Partition = tuple[str, str, int]  # table, Monday, day of the week (0: the whole week)


def arrow_schema(table: Table) -> pa.Schema:
    """The declared types of a table's file."""
    return pa.schema([(name, ARROW[kind]) for name, kind in table.columns.items()])


class Writer:
    """One pull's way into one shard of the lake."""

    def __init__(
        self, store: Store, *, shard: int, shards: int, memory_mb: int, holder: str, now: datetime
    ) -> None:
        self._store, self._shard, self._shards, self._now = store, shard, shards, now
        self._memory_mb = memory_mb
        self._lock = Lock(store, f"_windsock/lock-{shard:03d}", holder)
        self._rows: dict[Partition, list[Row]] = defaultdict(list)
        self._spilled: dict[Partition, list[Path]] = defaultdict(list)
        self._row_count = 0
        self._replaced: set[str] = set()
        self._old_weeks: dict[str, set[Partition]] = {}
        self._ledger: dict[str, Row] = {}
        self._intent_path = f"_windsock/intent-{shard:03d}.json"

    def __enter__(self) -> Self:
        self._lock.__enter__()
        self._spill = Path(tempfile.mkdtemp(prefix="windsock-spill-"))
        self._merger = Merger(
            self._store, memory_mb=self._memory_mb, scratch=self._spill, check=self._lock.check
        )
        self._intent = self._read_intent()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        shutil.rmtree(self._spill, ignore_errors=True)
        self._lock.__exit__(kind, value, at)

    def known(self) -> Mapping[str, Row]:
        """The ledger of this shard: `object_url` → its row (etag, size, outcome, parser_version, weeks …)."""
        self._ledger = {
            row["object_url"]: row for row in self._merger.ledger_rows(self._file("objects", "*", 0))
        }
        return self._ledger

    def add(self, obj: SourceObject, outcome: Outcome, *, kind: str, parser_version: str) -> None:
        """Take one object's rows. They are published by the next checkpoint."""
        if not self._ledger:
            self.known()
        self._replaced.add(obj.url)
        before = self._ledger.get(obj.url)
        self._old_weeks[obj.url] = {_partition(text) for text in (before["weeks"] or () if before else ())}
        self._old_weeks[obj.url] |= {_partition(text) for text in self._intent.get(obj.url, ())}
        weeks: set[Partition] = set()
        count = 0
        for name, rows in outcome.rows.items() if isinstance(outcome, Parsed) else ():
            for row in rows:
                partition = self._place(TABLES[name], row, obj)
                weeks.add(partition)
                self._rows[partition].append(row)
                count += 1
        self._row_count += count + 1
        self._note(obj, outcome, kind, parser_version, count, weeks)
        if self._row_count >= SPILL_ROWS:
            self._flush()

    def _place(self, table: Table, row: Row, obj: SourceObject) -> Partition:
        row.setdefault("object_url", obj.url)
        row["read_at"] = self._now
        anchor = row.get(table.anchor) or obj.modified_at
        week = Week.of(anchor)
        return table.name, str(week.monday), anchor.astimezone(UTC).isoweekday() if table.is_daily else 0

    def _note(
        self,
        obj: SourceObject,
        outcome: Outcome,
        kind: str,
        parser_version: str,
        count: int,
        weeks: set[Partition],
    ) -> None:
        """The ledger row, which goes to the week of the object's own time."""
        name = (
            "reject"
            if isinstance(outcome, Reject)
            else "ignored"
            if isinstance(outcome, Ignored)
            else "parsed"
        )
        reason = outcome.reason if isinstance(outcome, Reject) else getattr(outcome, "partial", None)
        if isinstance(outcome, Ignored):
            reason = outcome.kind
        row: Row = {
            "object_url": obj.url, "etag": obj.etag, "size": obj.size, "modified_at": obj.modified_at, "kind": kind,
            "outcome": name, "rows": count, "reject_reason": reason, "parser_version": parser_version,
            "weeks": sorted(f"{table}/{week}/{day}" for table, week, day in weeks), "read_at": self._now,
        }  # fmt: skip
        partition = ("objects", str(Week.of(obj.modified_at).monday), 0)
        before = self._ledger.get(obj.url)
        if before is not None and before["modified_at"] is not None:
            self._old_weeks[obj.url].add(("objects", str(Week.of(before["modified_at"]).monday), 0))
        self._rows[partition].append(row)

    def _flush(self) -> None:
        """Rows in memory → sorted-later Parquet files beside, one per partition."""
        for partition, rows in self._rows.items():
            if not rows:
                continue
            schema = arrow_schema(TABLES[partition[0]])
            columns = {field.name: [row.get(field.name) for row in rows] for field in schema}
            path = (
                self._spill
                / f"{partition[0]}-{partition[1]}-{partition[2]}-{len(self._spilled[partition])}.parquet"
            )
            try:
                pq.write_table(pa.table(columns, schema=schema), path, compression="zstd")
            except OSError as error:
                raise LakeError(
                    f"{path.parent}: cannot spill ({error.strerror}); free space or set TMPDIR"
                ) from None
            self._spilled[partition].append(path)
        self._rows.clear()
        self._row_count = 0

    def checkpoint(self) -> int:
        """Publish everything added so far; returns how many files were written. Nothing new writes no file."""
        self._flush()
        if not self._replaced:
            return 0
        new = {partition for partition in self._spilled if self._spilled[partition]}
        old = {partition for weeks in self._old_weeks.values() for partition in weeks}
        self._write_intent()
        written = 0
        # first: weeks that lose rows, so that no row ever lies in two weeks
        for partition in sorted(old - new) + sorted(old & new):
            if partition[0] != "objects":
                written += self._merge(partition, [] if partition in new else None)
        for partition in sorted(new):
            if partition[0] != "objects":
                written += self._merge(partition, self._spilled[partition])
        for partition in sorted((old | new), key=lambda one: (one not in new, one)):
            if partition[0] == "objects":
                written += self._merge(partition, self._spilled.get(partition, []))
        self._store.delete(self._intent_path)
        self._replaced.clear()
        self._old_weeks.clear()
        self._spilled.clear()
        self._ledger = {}
        return written

    def _merge(self, partition: Partition, new: list[Path] | None) -> int:
        """Phase one (`new == []` for a week that also gains) takes out only rows whose object moved elsewhere."""
        table, week, day = partition
        gone: Iterable[str] = self._replaced
        if new == [] and self._spilled.get(partition):
            gone = {
                url
                for url, weeks in self._old_weeks.items()
                if partition in weeks and not self._stays(url, partition)
            }
            if not gone:
                return 0
        return self._merger.merge(TABLES[table], self._file(table, week, day), gone=set(gone), new=new or [])

    def _stays(self, url: str, partition: Partition) -> bool:
        """Whether an object has rows in the same partition again."""
        return any(
            url in set(pq.read_table(path, columns=["object_url"]).column(0).to_pylist())
            for path in self._spilled[partition]
        )

    def _file(self, table: str, week: str, day: int) -> str:
        suffix = f"-d{day}" if day else ""
        return f"{table}/week={week}/part-{self._shard:03d}-of-{self._shards:03d}{suffix}.parquet"

    def _read_intent(self) -> dict[str, list[str]]:
        """Where a pull that was killed may have left rows of objects that the ledger does not know there."""
        try:
            told: Any = json.loads(self._store.get(self._intent_path))
        except (NotFound, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _write_intent(self) -> None:
        intent: dict[str, set[str]] = defaultdict(set)
        for url, texts in self._intent.items():
            intent[url] |= set(texts)
        for (table, week, day), paths in self._spilled.items():
            for path in paths:
                for url in set(pq.read_table(path, columns=["object_url"]).column(0).to_pylist()):
                    intent[url].add(f"{table}/{week}/{day}")
        self._store.put(
            self._intent_path, json.dumps({url: sorted(t) for url, t in sorted(intent.items())}).encode()
        )


def _partition(text: str) -> Partition:
    table, week, day = text.split("/")
    return table, week, int(day)
