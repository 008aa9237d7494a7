"""The checks stop a run on rows that cannot be judged, and name those rows."""

from datetime import UTC, datetime

import duckdb
import pytest

from windsock.checks import EXPECTATIONS, check, validate_shares
from windsock.errors import CheckError, ConfigError
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


# one bad row per table and severity; the check that must find it, and nothing else may fail
ROWS: dict[str, dict[str, object]] = {
    "task_logs": good_log(),
    "task_instances": {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "try_number": 1, "state": "success",
                       "started_at": AT, "ended_at": AT, "anchor_at": AT, "object_url": "db:x"},
    "dag_runs": {"dag_id": "d", "run_id": "r", "started_at": AT, "ended_at": AT, "anchor_at": AT, "object_url": "db:x"},
    "log_events": {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "try_number": 1, "logged_at": AT,
                   "record_no": 1, "level": "error", "object_url": "s3://b/k"},
    "parse_samples": {"parsed_at": AT, "dag_file": "a.py", "bundle_name": "git", "parse_s": 1.0, "source": "metric"},
    "pool_samples": {"sampled_at": AT, "pool": "p", "running_slots": 1, "queued_slots": 0, "source": "metric"},
    "metric_samples": {"sampled_at": AT, "name": "n", "value": 1.0},
    "import_errors": {"seen_at": AT, "dag_file": "a.py", "message": "no module"},
    "deployments": {"seen_at": AT, "key": "executor", "value": "LocalExecutor"},
    "component_events": {"event_at": AT, "component": "scheduler", "event": "pool_full", "pool": "p"},
    "dag_tasks": {"dag_id": "d", "task_id": "t", "seen_at": AT, "source": "api"},
    "objects": {"object_url": "s3://b/k", "modified_at": AT, "outcome": "parsed"},
}  # fmt: skip
BEFORE = datetime(2026, 11, 18, 11, tzinfo=UTC)
BAD = [
    ("task_logs", {"started_at": None, "object_modified_at": AT}, "task_logs_dated", "warn"),
    ("task_logs", {"try_number": None}, "task_logs_have_try", "fail"),
    ("task_instances", {"task_id": ""}, "task_instances_have_ids", "fail"),
    ("task_instances", {"state": "great"}, "task_instances_state", "fail"),
    ("task_instances", {"ended_at": BEFORE}, "task_instances_times", "warn"),
    ("dag_runs", {"run_id": ""}, "dag_runs_have_ids", "fail"),
    ("dag_runs", {"ended_at": BEFORE}, "dag_runs_times", "warn"),
    ("log_events", {"dag_id": ""}, "log_events_have_ids", "fail"),
    ("log_events", {"record_no": -1}, "log_events_order", "fail"),
    ("log_events", {"level": ""}, "log_events_level", "warn"),
    ("parse_samples", {"parse_s": float("nan")}, "parse_samples_value", "fail"),
    ("parse_samples", {"parse_s": -1.0}, "parse_samples_value", "fail"),
    ("parse_samples", {"dag_file": ""}, "parse_samples_file", "fail"),
    ("parse_samples", {"parse_s": 3601.0}, "parse_samples_unit", "warn"),
    ("pool_samples", {"pool": ""}, "pool_samples_pool", "fail"),
    ("pool_samples", {"running_slots": -1}, "pool_samples_slots", "warn"),
    ("metric_samples", {"name": ""}, "metric_samples_name", "fail"),
    ("metric_samples", {"value": float("inf")}, "metric_samples_value", "warn"),
    ("import_errors", {"dag_file": ""}, "import_errors_file", "fail"),
    ("import_errors", {"message": ""}, "import_errors_message", "warn"),
    ("dag_tasks", {"task_id": ""}, "dag_tasks_ids", "fail"),
    ("dag_tasks", {"start_date": AT, "end_date": BEFORE}, "dag_tasks_times", "warn"),
    ("deployments", {"key": ""}, "deployments_key", "fail"),
    ("deployments", {"value": ""}, "deployments_value", "warn"),
    ("component_events", {"event": ""}, "component_events_event", "fail"),
    ("component_events", {"component": ""}, "component_events_component", "warn"),
    ("objects", {"outcome": None}, "objects_outcome", "fail"),
    ("objects", {"outcome": "reject"}, "objects_readable", "warn"),
]


@pytest.mark.parametrize(("table", "changes", "name", "severity"), BAD, ids=[one[2] for one in BAD])
def test_each_table_has_checks_that_find_their_row(
    lake: duckdb.DuckDBPyConnection, table: str, changes: dict[str, object], name: str, severity: str
) -> None:
    insert(lake, table, **(ROWS[table] | changes))
    report = check(lake, week=WEEK)
    broken = {one.expectation.name: one.expectation.severity for one in (*report.failures, *report.warnings)}
    assert broken == {name: severity}


def test_every_table_can_fail_and_can_warn() -> None:
    for table in TABLES:
        assert {"fail", "warn"} == {one.severity for one in EXPECTATIONS if one.table == table}, table


def test_a_good_row_of_each_table_passes(lake: duckdb.DuckDBPyConnection) -> None:
    for table, row in ROWS.items():
        insert(lake, table, **row)
    report = check(lake, week=WEEK)
    assert (report.failures, report.warnings) == ((), ())


def test_the_pipeline_file_may_let_more_through(lake: duckdb.DuckDBPyConnection) -> None:
    insert(lake, "task_logs", **good_log())
    insert(lake, "task_logs", **good_log(run_id="b", state="unknown"))
    assert check(lake, week=WEEK).warnings
    assert check(lake, week=WEEK, shares={"task_logs_decided": 0.5}).warnings == ()
    assert check(lake, week=WEEK, shares={"task_logs_decided": 0.4}).warnings


def test_an_override_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'task_logs_dated'"):
        validate_shares({"task_logs_date": 0.1})
    with pytest.raises(ConfigError, match="0 to 1"):
        validate_shares({"task_logs_dated": 2.0})


def test_a_share_at_the_limit_is_no_warning(lake: duckdb.DuckDBPyConnection) -> None:
    for number in range(20):
        insert(
            lake, "task_logs", **good_log(run_id=str(number), state="unknown" if number == 0 else "success")
        )
    assert check(lake, week=WEEK).warnings == ()
