"""Labels and lists come out of a merge as they went in, and millions of them fit into a small memory."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from windsock.lake.files import arrow_schema
from windsock.lake.merge import Merger, connect
from windsock.schema import TABLES

AT = datetime(2026, 11, 17, tzinfo=UTC)
NOBODY = "(select '' as object_url)"
LABELS = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4).map(
    lambda one: list(one.items())
)


def as_file(path: Path, table: str, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows, arrow_schema(TABLES[table])), path)
    return path


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | LABELS, min_size=1, max_size=6))
def test_labels_come_out_as_they_went_in(tmp_path: Path, labels: list[Any]) -> None:
    rows = [{"sampled_at": AT, "name": f"m{no}", "labels": one} for no, one in enumerate(labels)]
    told = as_file(tmp_path / "told.parquet", "metric_samples", rows)
    conn = connect(512, tmp_path)
    out = Merger(conn, tmp_path).merge(TABLES["metric_samples"], old=[], new=[told], gone=NOBODY)
    conn.close()
    assert pq.read_table(out)["labels"].to_pylist() == labels


@pytest.mark.parametrize("weeks", [["2026-W47", "2026-W48"], [], None, ["", 'say "so"', "\x00\n"]])
def test_lists_come_out_as_they_went_in(tmp_path: Path, weeks: list[str] | None) -> None:
    told = as_file(tmp_path / "told.parquet", "objects", [{"object_url": "s3://b/x", "weeks": weeks}])
    conn = connect(512, tmp_path)
    out = Merger(conn, tmp_path).merge(TABLES["objects"], old=[], new=[told], gone=NOBODY)
    conn.close()
    assert pq.read_table(out)["weeks"].to_pylist() == [weeks]


def test_the_sort_of_many_labels_keeps_to_the_memory_it_was_given(tmp_path: Path) -> None:
    """As nested values they took DuckDB's sort beyond its limit: a capture of two gigabytes could not be merged."""
    columns = ", ".join(
        {
            "sampled_at": "timestamptz '2026-11-17 00:00:00+00' + to_seconds(i) as sampled_at",
            "name": "'ti.finish' as name",
            "labels": "map {'dag_id': 'dag_' || (i % 997)::varchar, 'task_id': 'task_' || (i % 10)::varchar} as labels",
        }.get(name, f"null as {name}")
        for name in TABLES["metric_samples"].columns
    )
    told = tmp_path / "told.parquet"
    duckdb.execute(f"copy (select {columns} from range(600000) as r(i)) to '{told}' (format parquet)")
    conn = duckdb.connect(config={"memory_limit": "32MB", "threads": 1, "temp_directory": str(tmp_path)})
    out = Merger(conn, tmp_path).merge(TABLES["metric_samples"], old=[], new=[told], gone=NOBODY)
    conn.close()
    assert pq.read_metadata(out).num_rows == 600_000
