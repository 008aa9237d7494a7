"""What API and database say becomes rows: numbers of tries, anchors, times that cannot be true, hostile values."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from windsock.parse.told.audit import event_rows
from windsock.parse.told.facts import dag_version_rows, fact, health_facts, pool_facts, setting_facts
from windsock.parse.told.rows import Teller, import_error_row, parse_rows, pool_row, run_row, try_row
from windsock.schema import TABLES

AT = datetime(2026, 11, 24, tzinfo=UTC)
TELLER = Teller("api", "api:http://airflow", (3, 3), AT)


def told(**changes: Any) -> dict[str, Any]:
    return {"dag_id": "d", "dag_run_id": "r", "task_id": "t", "map_index": -1, "try_number": 1, "state": "success",
            "start_date": "2026-11-23T10:00:00Z", "end_date": "2026-11-23T10:01:00Z",
            "queued_when": "2026-11-23T09:59:00Z", "run_after": "2026-11-23T09:00:00Z"} | changes  # fmt: skip


def row(version: tuple[int, int] = (3, 3), **changes: Any) -> dict[str, Any]:
    found = try_row(told(**changes), Teller("api", "api:x", version, AT))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("version", "state", "column", "try_number"),
    [
        ((2, 9), "success", 2, 2),  # the column grew when the try began
        ((2, 9), "running", 2, 2),
        ((2, 9), "up_for_retry", 2, 2),  # the try that failed
        ((2, 9), "upstream_failed", 0, 0),  # never started
        ((2, 9), "queued", 1, 2),  # the next one has not begun
        ((2, 9), "scheduled", 0, 1),
        ((2, 9), "deferred", 0, 1),  # taken back when it deferred
        ((2, 9), "up_for_reschedule", 0, 1),
        ((2, 10), "queued", 2, 2),
        ((3, 3), "deferred", 1, 1),
    ],
)
def test_the_number_of_a_try_before_2_10(
    version: tuple[int, int], state: str, column: int, try_number: int
) -> None:
    assert row(version, state=state, try_number=column)["try_number"] == try_number


def test_a_waiting_try_does_not_carry_the_times_of_the_one_before() -> None:
    waiting = row(state="scheduled", try_number=2)
    assert (waiting["started_at"], waiting["ended_at"]) == (None, None)
    assert waiting["anchor_at"] == datetime(2026, 11, 23, 9, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("missing", "anchor"),
    [
        ((), "2026-11-23T10:00Z"),
        (("start_date",), "2026-11-23T09:59Z"),
        (("start_date", "queued_when"), "2026-11-23T09:00Z"),
        (("start_date", "queued_when", "run_after"), "2026-11-24T00:00Z"),
    ],
)
def test_a_try_is_anchored_by_its_start_else_by_what_is_known(missing: tuple[str, ...], anchor: str) -> None:
    assert row(**dict.fromkeys(missing))["anchor_at"] == datetime.fromisoformat(anchor)


def test_times_that_cannot_be_true_are_null() -> None:
    found = row(
        start_date="1970-01-01T00:00:00Z", end_date=(AT + timedelta(days=3)).isoformat(), queued_when="soon"
    )
    assert (found["started_at"], found["ended_at"], found["queued_at"]) == (None, None, None)


def test_an_instance_that_nothing_happened_to_is_no_row() -> None:
    assert try_row(told(state=None), TELLER) is None
    assert try_row(told(is_history=True, try_number=0, state="upstream_failed"), TELLER) is None
    assert try_row(told(dag_id=None), TELLER) is None


def test_a_cleared_run_keeps_its_week() -> None:
    run = {"dag_id": "d", "dag_run_id": "r", "run_type": "scheduled", "state": "success",
           "data_interval_end": "2026-11-16T00:00:00Z", "logical_date": "2026-11-15T00:00:00Z"}  # fmt: skip
    first = run_row(run | {"start_date": "2026-11-16T00:00:05Z"}, TELLER)
    cleared = run_row(run | {"start_date": "2026-11-23T09:00:00Z"}, TELLER)
    assert first is not None
    assert cleared is not None
    assert first["anchor_at"] == cleared["anchor_at"] == datetime(2026, 11, 16, tzinfo=UTC)
    assert first["run_after"] == datetime(2026, 11, 16, tzinfo=UTC)


def test_a_pool_without_a_limit_has_no_open_slots_to_count() -> None:
    found = pool_row({"name": "p", "slots": -1, "open_slots": float("inf"), "running_slots": 4}, TELLER)
    assert found is not None
    assert (found["total_slots"], found["open_slots"], found["running_slots"]) == (-1, None, 4)


def test_an_import_error_is_redacted_and_signed_by_its_last_line() -> None:
    stack = 'Traceback (most recent call last):\n  File "/opt/d.py", line 3\nValueError: bad token=FAKEfakeFAKE12345 at 17\n'
    found = import_error_row(
        {"filename": "d.py", "stack_trace": stack, "timestamp": "2026-11-23T10:00:00Z"}, TELLER
    )
    assert found is not None
    assert "FAKEfake" not in found["message"] + found["error_signature"]
    assert found["error_signature"].startswith("ValueError: bad token=***")
    assert found["seen_at"] == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_the_dags_of_one_file_are_one_parse() -> None:
    dags = [
        {"dag_id": name, "relative_fileloc": "a.py", "bundle_name": "main", "last_parse_duration": 0.5,
         "last_parsed_time": f"2026-11-23T10:00:00.{micros}Z"}
        for name, micros in (("a", "100000"), ("b", "140000"))
    ]  # fmt: skip
    (found,) = parse_rows([*dags, {"dag_id": "c", "fileloc": "/old.py", "last_parsed_time": None}], TELLER)
    assert (found["dag_file"], found["parse_s"], found["dag_count"], found["source"]) == (
        "a.py",
        0.5,
        2,
        "api",
    )


def test_no_secret_of_the_configuration_passes() -> None:
    sections = [{"name": "core", "options": [{"key": "parallelism", "value": "8"}, {"key": "fernet_key", "value": "FAKE"}]},
                {"name": "database", "options": [{"key": "sql_alchemy_conn", "value": "postgresql://u:FAKE@h/d"}]},
                {"name": "celery", "options": [{"key": "broker_url", "value": "redis://:FAKE@r"}]}]  # fmt: skip
    assert [(one["key"], one["value"]) for one in setting_facts({"sections": sections}, TELLER)] == [
        ("config.core.parallelism", "8")
    ]


SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["success", "{", "2026-11-23T10:00:00Z", "9999-12-31T23:59:59+00:00", "0001-01-01"])
)
JSON = SCALAR | st.lists(SCALAR, max_size=2) | st.dictionaries(st.text(max_size=4), SCALAR, max_size=2)
NAMES = ("dag_id", "dag_run_id", "task_id", "map_index", "try_number", "state", "start_date", "name", "slots", "filename",
         "open_slots", "stack_trace", "timestamp", "created_at", "event", "when", "extra", "sections", "relative_fileloc",
         "last_parsed_time", "last_parse_duration", "scheduler", "run_type", "is_history", "pool_slots")  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_no_answer_breaks_a_mapping_and_every_row_fits_its_table(raw: dict[str, Any]) -> None:
    rows = {
        "task_instances": [try_row(raw, TELLER)],
        "dag_runs": [run_row(raw, TELLER)],
        "pool_samples": [pool_row(raw, TELLER)],
        "import_errors": [import_error_row(raw, TELLER)],
        "parse_samples": parse_rows([raw], TELLER),
        "deployments": [
            *dag_version_rows([raw], TELLER), *setting_facts(raw, TELLER), *health_facts(raw, TELLER),
            *pool_facts([raw], TELLER), *event_rows([raw | {"event": "patch_pool"}], TELLER, tables=())["deployments"],
        ],
    }  # fmt: skip
    for table, found in rows.items():
        for one in found:
            if one is not None:
                assert set(one) <= set(TABLES[table].columns), table
                assert isinstance(one[TABLES[table].anchor], datetime)


def test_a_fact_that_is_too_long_keeps_its_form_and_loses_ends_of_lists() -> None:
    value = {"task_ids": [f"task_{n}" for n in range(500)], "dag_run_id": "r", "only_failed": True}
    told = fact("event.tasks_cleared.d", value, TELLER)["value"]
    kept = json.loads(told)
    assert len(told) <= 300 and kept.keys() == value.keys()
    assert kept["task_ids"] and kept["task_ids"] == value["task_ids"][: len(kept["task_ids"])]


@given(st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=40), max_size=60), max_size=6))
def test_lists_are_shortened_until_they_fit_or_none_is_left(value: dict[str, list[str]]) -> None:
    told = fact("k", value, TELLER)["value"]
    assert len(told) <= 300
    if len(json.dumps({key: [] for key in value})) <= 300:
        assert json.loads(told).keys() == value.keys()
