"""The checks stop a run on rows that cannot be judged, and name those rows."""

from datetime import UTC, datetime

import duckdb
import pytest

from windsock.checks import EXPECTATIONS, check
from windsock.errors import CheckError
from windsock.schema import TABLES
from windsock.week import Week

WEEK = Week.parse("2026-W47")
TYPES = {
    "string": "varchar",
    "timestamp[us, UTC]": "timestamptz",
    "int64": "bigint",
    "int32": "integer",
    "double": "double",
    "map<string, string>": "map(varchar, varchar)",
    "list<string>": "varchar[]",
}
AT = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture
def lake() -> duckdb.DuckDBPyConnection:
    conn = duckdb.connect()
    for table in TABLES.values():
        columns = ", ".join(f"{name} {TYPES[kind]}" for name, kind in table.columns.items())
        conn.execute(f"create table {table.name} ({columns})")
    return conn


def insert(conn: duckdb.DuckDBPyConnection, table: str, **row: object) -> None:
    conn.execute(
        f"insert into {table} ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values())
    )


def good_log(**changes: object) -> dict[str, object]:
    row = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "try_number": 1, "state": "success",
           "started_at": AT, "ended_at": AT, "record_count": 3, "object_url": "s3://b/k"}  # fmt: skip
    return row | changes


def test_an_empty_lake_breaks_nothing(lake: duckdb.DuckDBPyConnection) -> None:
    report = check(lake, week=WEEK)
    assert (report.failures, report.warnings) == ((), ())
    assert report.checked == len(EXPECTATIONS)


@pytest.mark.parametrize(
    ("changes", "name", "severity"),
    [
        ({"dag_id": ""}, "task_logs_have_ids", "fail"),
        ({"state": "great"}, "task_logs_state", "fail"),
        ({"record_count": -1}, "task_logs_counts", "fail"),
        ({"ended_at": datetime(2026, 11, 18, 11, tzinfo=UTC)}, "task_logs_times", "warn"),
        ({"state": "unknown"}, "task_logs_decided", "warn"),
    ],
)
def test_a_bad_row_is_found_and_named(
    lake: duckdb.DuckDBPyConnection, changes: dict[str, object], name: str, severity: str
) -> None:
    insert(lake, "task_logs", **good_log(**changes))
    report = check(lake, week=WEEK)
    broken = (report.failures if severity == "fail" else report.warnings)[0]
    assert broken.expectation.name == name
    assert "1 of 1 rows" in broken.sentence()
    assert "s3://b/k" in broken.sentence()


def test_good_rows_pass(lake: duckdb.DuckDBPyConnection) -> None:
    insert(lake, "task_logs", **good_log())
    report = check(lake, week=WEEK)
    assert (report.failures, report.warnings) == ((), ())


def test_a_key_stored_twice_fails_and_stops_the_run(lake: duckdb.DuckDBPyConnection) -> None:
    insert(lake, "task_logs", **good_log())
    insert(lake, "task_logs", **good_log())
    with pytest.raises(CheckError, match="stored twice") as caught:
        check(lake, week=WEEK).raise_for_failures("./lake")
    assert "\n" not in str(caught.value)


def test_a_share_at_the_limit_is_no_warning(lake: duckdb.DuckDBPyConnection) -> None:
    for number in range(20):
        insert(
            lake, "task_logs", **good_log(run_id=str(number), state="unknown" if number == 0 else "success")
        )
    assert check(lake, week=WEEK).warnings == ()
