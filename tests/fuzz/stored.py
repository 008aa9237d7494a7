"""What was read as it is laid down by the lake, and names as a folder holds them: nothing is lost on either way.

Only what Python makes of hostile bytes: a bucket's answers are parsed by obstore (Rust), which coverage of Python cannot
guide, and the lake's merge by DuckDB. Both have their faults in tests/sources and tests/lake.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from windsock.lake.placing import Placing, place
from windsock.lake.spill import Spill
from windsock.model import Outcome, Parsed
from windsock.parse import parse_key
from windsock.schema import TABLES
from windsock.store.base import is_temporary
from windsock.store.causes import cause_of, told
from windsock.store.local import LocalStore

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def check_lake(outcomes: Iterable[Outcome]) -> None:
    """Every row lies in the file of its day, with the values that it was told with."""
    with tempfile.TemporaryDirectory(prefix="windsock-fuzz-") as name:
        spill, placing = Spill(Path(name), read_at=NOW), Placing()
        added: Counter[tuple[Any, ...]] = Counter()
        for one in outcomes:
            if not isinstance(one, Parsed):
                continue
            for table, rows in one.rows.items():
                for row in rows:
                    partition = place(table, row, otherwise=NOW)
                    spill.add(partition, row)
                    added[partition, _values(table, row)] += 1
            for table, slices in one.columns.items():
                for part in slices:
                    for partition, piece in placing.parts(table, part):
                        spill.add_columns(partition, piece)
                    for row in part.table.slice(part.start, len(part)).to_pylist():
                        added[place(table, row, otherwise=NOW), _values(table, row)] += 1
        spill.flush()
        laid = Counter(
            (partition, _values(partition.table, row))
            for partition, paths in spill.files.items()
            for path in paths
            for row in pq.read_table(path).to_pylist()
        )
    assert laid == added, (laid - added, added - laid)


def _values(table: str, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(str(row.get(name)) for name in TABLES[table].columns if name != "read_at")


def check_names(data: bytes) -> None:
    """Each file below a folder is listed or refused, and its name asked which attempt it tells of; the words of a store
    that says no end in one line."""
    with tempfile.TemporaryDirectory(prefix="windsock-fuzz-") as folder:
        made = set()
        for name in data.replace(b"\0", b"").split(b"\n")[:20]:
            parts = [part[:100] for part in name.split(b"/") if part not in (b"", b".", b"..")][:4]
            if not parts or is_temporary(os.fsdecode(parts[-1])):
                continue
            path = Path(folder, *map(os.fsdecode, parts))
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            except OSError:
                continue  # a file where a folder would be
            if path.is_file():
                made.add(str(path.relative_to(folder)).encode("utf-8", "replace").decode())
        store = LocalStore(Path(folder))
        listed = [one.path for one in store.list()]
        for one in listed:
            parse_key(one)
            one.encode()
        folders, files = store.folders()
        assert [one.path for one in files] == [one for one in listed if "/" not in one]
        assert {one.partition("/")[0] + "/" for one in listed if "/" in one} <= set(folders)
    assert sorted(listed) == listed
    refused = tuple(store.refused)
    untold = {one for one in made - set(listed) if one not in refused and not one.startswith(refused)}
    assert not untold, (untold, listed, refused)
    text = data.decode("utf-8", "replace")
    if cause := cause_of(text):
        assert "\n" not in told(cause, "s3://bucket", text)
