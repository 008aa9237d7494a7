"""What a DAG is made of, as real Airflows' API and serialised forms tell it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.airflow_server import DATA
from tests.support.serialized_dags import rows
from windsock.parse.told.makeup import Makeup, instant, makeup_of_answers, makeup_of_form, seconds
from windsock.parse.told.rows import Teller
from windsock.schema import TABLES

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BY_API, BY_DB = Teller("api", "api:x", (3, 3), NOW), Teller("db", "db:x", (3, 3), NOW)
ONLY_OF_A_FORM = ("max_active_tis_per_dag", "max_active_tis_per_dagrun", "source", "object_url")
LEFT_OUT_OF_A_FORM = ("retries", "retry_delay_s", "queue", "execution_timeout_s")
"""Where they have the default of the configuration."""


def by_api(major: int) -> dict[str, Makeup]:
    path = DATA / "api" / f"airflow{major}" / "makeups.jsonl"
    told = [json.loads(line) for line in path.read_text().splitlines()]
    return {
        one["dag_id"]: makeup_of_answers(one["dag_id"], one["details"], one["tasks"]["tasks"], BY_API)
        for one in told
    }


def by_form(major: int) -> dict[str, Makeup]:
    found = {
        one["dag_id"]: makeup_of_form(one["dag_id"], one["data"], BY_DB) for one in rows(major, packed=False)
    }
    assert None not in found.values()
    return {dag_id: one for dag_id, one in found.items() if one is not None}


@pytest.mark.parametrize("major", [2, 3])
@pytest.mark.parametrize("told", [by_api, by_form])
def test_a_dag_is_told_as_its_file_says(told: Any, major: int) -> None:
    made = told(major)["shaped"]
    tasks = {row["task_id"]: row for row in made.tasks}
    assert {name: row["downstream_task_ids"] for name, row in tasks.items()} == {
        "extract": ["each", "load"], "each": ["load"], "load": [],
    }  # fmt: skip
    assert tasks["extract"] | {
        "depends_on_past": 1, "wait_for_downstream": 1, "pool": "dwh", "pool_slots": 2, "retries": 3, "retry_delay_s": 90.0,
        "operator": "BashOperator", "is_mapped": 0, "trigger_rule": "all_success",
    } == tasks["extract"]  # fmt: skip
    assert (
        tasks["each"]
        | {
            "is_mapped": 1,
            "execution_timeout_s": 300.0,
            "retries": 3,
            "depends_on_past": 0,
        }
        == tasks["each"]
    )
    assert tasks["load"] | {"queue": "big", "priority_weight": 7, "trigger_rule": "all_done"} == tasks["load"]
    assert tasks["load"]["start_date"] == datetime(2026, 6, 1, tzinfo=UTC)
    assert tasks["each"]["start_date"] == made.first_at == datetime(2026, 1, 1, tzinfo=UTC)
    # the form of 2.x leaves out what the configuration says
    catchup = {(by_api, 2): True, (by_form, 2): None}.get((told, major), False)
    assert json.loads(made.fact["value"]) == {
        "start_date": "2026-01-01T00:00:00+00:00", "end_date": "2027-01-01T00:00:00+00:00", "catchup": catchup,
        "dagrun_timeout_s": 7200.0, "schedule": "", "tasks": 3,
    }  # fmt: skip


@pytest.mark.parametrize("major", [2, 3])
def test_only_the_serialised_form_tells_the_caps_of_a_task(major: int) -> None:
    caps = {
        row["task_id"]: (row["max_active_tis_per_dag"], row["max_active_tis_per_dagrun"])
        for row in by_form(major)["shaped"].tasks
    }
    assert caps == {"extract": (None, None), "each": (2, None), "load": (None, 1)}
    assert {row["max_active_tis_per_dag"] for row in by_api(major)["shaped"].tasks} == {None}


@pytest.mark.parametrize("major", [2, 3])
def test_api_and_database_tell_the_same_of_every_dag(major: int) -> None:
    """But for what one of them leaves out: then it is null there, and never another value."""
    api, form = by_api(major), by_form(major)
    assert set(api) == set(form)
    for dag_id, made in api.items():
        pairs = zip(
            *(sorted(one.tasks, key=lambda row: row["task_id"]) for one in (made, form[dag_id])), strict=True
        )
        for one, other in pairs:
            for name in set(one) - {*ONLY_OF_A_FORM}:
                may_miss = name in LEFT_OUT_OF_A_FORM and other[name] is None
                assert one[name] == other[name] or may_miss, (dag_id, name)


@pytest.mark.parametrize("major", [2, 3])
def test_nothing_but_the_columns_leaves(major: int) -> None:
    for made in (*by_api(major).values(), *by_form(major).values()):
        assert all(set(row) | {"read_at"} == set(TABLES["dag_tasks"].columns) for row in made.tasks)
        shown = str(made)
        assert not [one for one in ("FAKE", "def tell", "bash_command") if one in shown]


def test_a_task_of_an_old_release_and_a_schedule_in_each_form() -> None:
    form = {"dag": {"tasks": [{"task_id": "a", "_task_type": "DummyOperator", "_downstream_task_ids": []}],
                    "schedule_interval": "@daily", "start_date": 1767225600.0}}  # fmt: skip
    made = makeup_of_form("d", json.dumps(form), BY_DB)
    assert made is not None
    assert made.tasks[0]["operator"] == "DummyOperator"
    assert json.loads(made.fact["value"])["schedule"] == "@daily"
    cron = {
        "timetable": {
            "__type": "airflow.timetables.interval.CronDataIntervalTimetable",
            "__var": {"expression": "5 * * * *"},
        }
    }
    made = makeup_of_form("d", json.dumps({"dag": {"tasks": [], **cron}}), BY_DB)
    assert made is not None
    assert json.loads(made.fact["value"])["schedule"] == "5 * * * *"
    told = makeup_of_answers(
        "d",
        {"schedule_interval": {"__type": "TimeDelta", "days": 1, "seconds": 0, "microseconds": 0}},
        [],
        BY_API,
    )
    assert json.loads(told.fact["value"])["schedule"] == "every 86400 s"


@pytest.mark.parametrize(
    ("value", "is_seconds"),
    [("PT2H", 7200.0), ("P1DT1M0.5S", 86_460.5), ("-PT5S", -5.0), ("soon", None), (True, None), ({"days": "x"}, None),
     ({"__type": "timedelta", "__var": 90.0}, 90.0), ({"days": 10**12}, None), (90, 90.0), (None, None)],
)  # fmt: skip
def test_a_duration_in_each_form_or_nothing(value: Any, is_seconds: float | None) -> None:
    assert seconds(value) == is_seconds


def test_a_time_in_each_form_or_nothing() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert [
        instant(one)
        for one in (at.timestamp(), {"__type": "datetime", "__var": at.timestamp()}, "2026-01-01T00:00Z")
    ] == [at] * 3
    assert [instant(one) for one in (1e300, "x", True, {})] == [None] * 4


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["task_id", "tasks", "__var", "__type", "partial_kwargs", "start_date", "retry_delay", "pool_slots",
                         "downstream_task_ids", "days", "seconds", "expression", "timetable", "depends_on_past"]),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(details=st.dictionaries(st.sampled_from(["start_date", "schedule_interval", "timetable_summary", "dag_run_timeout"]),
                               json_values), tasks=st.lists(st.dictionaries(st.sampled_from(list(TABLES["dag_tasks"].columns)),
                                                                            json_values), max_size=3), form=json_values)  # fmt: skip
def test_any_content_gives_rows_that_fit_or_none(details: Any, tasks: Any, form: Any) -> None:
    made = makeup_of_answers("d", details, tasks, BY_API)
    assert len(made.tasks) == sum(
        bool(one.get("task_id")) and isinstance(one["task_id"], str) for one in tasks
    )
    for row in made.tasks:
        assert all(isinstance(name, str) for name in row["downstream_task_ids"])
    whole = json.dumps(
        {"dag": {"tasks": [form] if isinstance(form, dict) else form, "timetable": form, "start_date": form}}
    )
    found = makeup_of_form("d", whole, BY_DB)
    assert found is None or found.fact["key"] == "dag_detail.d"
