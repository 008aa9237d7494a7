"""A sort in several goes gives the bytes of one sort, and takes over where DuckDB's memory ends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from windsock.lake import merge
from windsock.lake.merge import Merger, connect
from windsock.lake.views import SQL_TYPES
from windsock.schema import TABLES

NOBODY = "(select '' as object_url)"
HOW = {
    "sampled_at": "timestamptz '2026-11-17 00:00:00+00' + to_seconds((i * 7919) % 5000)",
    "name": "case when i % 5 = 0 then null else 'm' || (i % 3)::varchar end",
    "labels": "map {'dag_id': 'dag_' || (i % 97)::varchar}",
    "value": "case when i % 7 = 0 then 'nan'::double when i % 11 = 0 then null else i end",
    "object_url": "'s3://b/' || ((i * 31) % 6000)::varchar",
    "message": "repeat('word ', (i % 50)::int)",
    "dag_id": "'d' || (i % 13)::varchar",
    "run_id": "'r' || (i % 17)::varchar",
    "record_no": "i",
    "weeks": "['2026-W47', (i % 3)::varchar]",
    "state": "['success', 'failed'][1 + (i % 2)::int]",
    "try_number": "(i % 3)::int",
}


@pytest.mark.parametrize("name", ["metric_samples", "log_events", "objects", "task_logs", "task_instances"])
def test_several_sorts_give_the_bytes_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    table = TABLES[name]
    columns = ", ".join(
        f"cast({HOW.get(column, 'null')} as {SQL_TYPES[kind]}) as {column}"
        for column, kind in table.columns.items()
    )
    told = tmp_path / "told.parquet"
    duckdb.execute(f"copy (select {columns} from range(6000) as r(i)) to '{told}' (format parquet)")
    found = []
    for rows in (6_000, 1_200):
        monkeypatch.setattr(merge, "ROWS_AT_ONCE", rows)
        monkeypatch.setattr(merge, "Run", _unfit)
        conn = connect(512, tmp_path)
        found.append(Merger(conn, tmp_path).merge(table, old=[], new=[told], gone=NOBODY).read_bytes())
        conn.close()
    assert found[0] == found[1]
    assert not list(tmp_path.glob("bucket-*"))


def _unfit(*_: object) -> None:
    raise merge.Unfit


def test_rows_that_one_sort_cannot_hold_are_sorted_in_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    sort = Merger._sorted

    def too_much(self: Merger, table: Any, rows: str, order: Any) -> Iterator[pa.RecordBatch]:
        tried.append(rows)
        if len(tried) == 1:
            raise duckdb.OutOfMemoryException("failed to pin block")
        return sort(self, table, rows, order)

    monkeypatch.setattr(Merger, "_sorted", too_much)
    told = tmp_path / "told.parquet"
    columns = ", ".join(
        f"cast({HOW.get(column, 'null')} as {SQL_TYPES[kind]}) as {column}"
        for column, kind in TABLES["metric_samples"].columns.items()
    )
    duckdb.execute(f"copy (select {columns} from range(100) as r(i)) to '{told}' (format parquet)")
    conn = connect(512, tmp_path)
    out = Merger(conn, tmp_path).merge(TABLES["metric_samples"], old=[], new=[told], gone=NOBODY)
    conn.close()
    assert duckdb.execute(f"select count(*) from '{out}'").fetchall() == [(100,)]
    assert len(tried) == 1 + merge.BUCKETS[1]


def test_many_rows_are_sorted_in_several_goes_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sort holds all that its limit allows until its last row is written, beside what is written."""
    monkeypatch.setattr(merge, "ROWS_AT_ONCE", 100)
    path = tmp_path / "told.parquet"
    for rows, goes in ((100, [1, 24, 64]), (101, [2, 24, 64]), (2_301, [24, 64]), (9_999, [24, 64])):
        duckdb.execute(f"copy (select * from range({rows})) to '{path}' (format parquet)")
        assert list(merge._goes([path])) == goes
