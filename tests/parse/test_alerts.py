"""How a DAG's failures would be told: counts alone leave a serialised DAG, whatever stands in it."""

import json
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.serialized_dags import FOLDER, NONE, rows, truth
from windsock.parse.told import callbacks
from windsock.parse.told.callbacks import alert_facts
from windsock.parse.told.rows import Teller

TELLER = Teller("db", "db:test", (3, 0), datetime(2026, 11, 24, tzinfo=UTC))


def told(*raws: dict[str, Any]) -> tuple[dict[str, Any], dict[str, int]]:
    found, unread = alert_facts(raws, TELLER)
    return {row["key"].removeprefix("dag_alerts."): json.loads(row["value"]) for row in found}, dict(unread)


def of(data: Any) -> dict[str, Any]:
    return {"dag_id": "d", "data": json.dumps(data)}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("major", [2, 3])
def test_what_real_airflows_keep_is_read_as_the_dag_file_says(major: int, packed: bool) -> None:
    assert told(*rows(major, packed=packed)) == (truth(major), {})


@pytest.mark.parametrize("major", [2, 3])
def test_no_text_of_a_dag_leaves(major: int) -> None:
    raws = rows(major, packed=False)
    secrets = ("FAKE-token-in-a-callback", "FAKE-password-in-params", "ops-FAKE@example.com")
    given_text = "".join(raw["data"] for raw in raws)
    assert [one for one in secrets if one in given_text] == list(secrets[0 if major == 2 else 1 :])
    shown = str(alert_facts(raws, TELLER))
    assert not [one for one in secrets if one in shown]
    assert "def tell" not in shown
    assert (FOLDER / "told.py").is_file()


def test_a_mail_default_of_the_deployment_holds_where_a_task_says_nothing() -> None:
    tasks = [
        {"__var": {"email": "a@example.com"}},
        {"__var": {"email": "a@example.com", "email_on_failure": True}},
    ]
    data = {"dag": {"tasks": tasks}}
    assert told(of(data))[0]["d"]["mailed_tasks"] == 2
    assert (
        told(of(data | {"client_defaults": {"tasks": {"email_on_failure": False}}}))[0]["d"]["mailed_tasks"]
        == 1
    )


def test_tasks_of_old_releases_stand_in_the_list_itself() -> None:
    data = {
        "__version": 1,
        "dag": {"tasks": [{"task_id": "a", "on_failure_callback": "def tell(): ..."}, {}]},
    }
    assert told(of(data))[0]["d"] == NONE | {
        "tasks": 2,
        "callback_tasks": 1,
        "told_tasks": 1,
        "deadline": None,
    }


GOOD = json.dumps({"dag": {"tasks": []}}).encode()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"data": None, "data_compressed": None, "size": None}, "empty"),
        ({"data": None, "data_compressed": None, "size": 40_000_000}, "larger than 16 MB"),
        ({"data": "no JSON"}, "not the JSON of a DAG"),
        ({"data": "null"}, "empty"),
        ({"data": "7"}, "not the JSON of a DAG"),
        ({"data": "null", "size": 40_000_000}, "larger than 16 MB"),
        ({"data": '{"dag": {"tasks": {"a": "b"}}}'}, "not the JSON of a DAG"),
        ({"data": '{"dag": {"tasks": [{"partial_kwargs": 7}]}}'}, "not the JSON of a DAG"),
        ({"data": "[" * 100_000}, "not the JSON of a DAG"),
        ({"data_compressed": b"\x1f\x8b no zlib"}, "not zlib"),
        ({"data_compressed": zlib.compress(GOOD)[:-3]}, "cut off"),
        ({"data_compressed": zlib.compress(b"\xff\xfe")}, "not the JSON of a DAG"),
        ({"data_compressed": zlib.compress(bytes(17 * 1024 * 1024))}, "larger than 16 MB"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_counted_with_its_reason_and_is_no_dag_without_a_callback(
    raw: dict[str, Any], why: str
) -> None:
    assert told({"dag_id": "d", **raw}) == ({"d": {"unread": why}}, {why: 1})


def test_a_small_row_that_unpacks_to_much_holds_no_more_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callbacks, "MAX_SERIALIZED", len(GOOD))
    fits, bomb = zlib.compress(GOOD), zlib.compress(GOOD + b" ")
    assert told({"dag_id": "d", "data_compressed": fits})[1] == {}
    assert told({"dag_id": "d", "data_compressed": bomb})[1] == {"larger than 16 MB": 1}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["dag", "tasks", "__var", "partial_kwargs", "client_defaults", "on_failure_callback",
                         "has_on_failure_callback", "email", "email_on_failure", "deadline", "trigger_rule", "sla"]),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(data=json_values, packed=st.binary(max_size=50), tasks=st.lists(json_values, max_size=4))
def test_any_content_ends_as_a_row_or_as_a_counted_reason(data: Any, packed: bytes, tasks: Any) -> None:
    for raw in (of(data), of({"dag": {"tasks": tasks}}), {"dag_id": "d", "data_compressed": packed}):
        found, unread = told(raw)
        assert ("unread" in found["d"]) == bool(unread)
        if not unread:
            counts = [
                value for value in found["d"].values() if not isinstance(value, bool) and value is not None
            ]
            assert all(0 <= count <= found["d"]["tasks"] for count in counts)
