"""The audit log: every name that Airflow writes is read or left out for a reason; what was asked is told, looks are not."""

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.audit_names import names_of
from windsock.parse.told.audit import EVENTS, event_rows
from windsock.parse.told.rows import Teller

FIXTURE = Path(__file__).parents[1] / "data" / "audit_events.csv"
with FIXTURE.open(encoding="utf-8", newline="") as file:
    NAMES = list(csv.DictReader(file))
AT = datetime(2026, 11, 24, tzinfo=UTC)
TELLER = Teller(source="api", object_url="api:x", version=(3, 3), at=AT)


def told(event: str, extra: Any = None, **ids: Any) -> list[tuple[str, dict[str, Any]]]:
    raw = {
        "event": event,
        "when": "2026-11-23T10:00:00Z",
        "extra": json.dumps(extra) if extra is not None else None,
        **ids,
    }
    rows = event_rows([raw], TELLER, tables=())["deployments"]
    return [(row["key"].removeprefix("event."), json.loads(row["value"])) for row in rows]


@pytest.mark.parametrize("row", NAMES, ids=lambda row: f"{row['airflow']} {row['event']}")
def test_every_name_of_the_sources_is_read_or_left_out_for_a_reason(row: Mapping[str, str]) -> None:
    is_v1 = row["airflow"].startswith("2") and row["by"] == "api"
    for name in [f"{by}{row['event']}" for by in (("", "api.", "ui.") if is_v1 else ("",))]:
        assert (name in EVENTS) is not bool(row["left_out"]), name


def test_the_fixture_holds_both_generations_and_no_name_is_read_that_neither_has() -> None:
    assert {row["airflow"] for row in NAMES} == {"2.11.2", "3.3.2"}
    written = {row["event"] for row in NAMES}
    of_tries = {
        "state mismatch",
        "heartbeat timeout",
        "stuck in queued reschedule",
        "stuck in queued tries exceeded",
    }
    assert {name.removeprefix("api.").removeprefix("ui.") for name in EVENTS} - of_tries <= written


def test_names_are_read_from_sources(tmp_path: Path) -> None:
    view = (
        'class P:\n    route_base = "/pool"\n    method_permission_name = {"add": "create", "list": "read"}\n'
    )
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "views.py").write_text(view + "    @action_logging\n    def clear(self): ...\n")
    (tmp_path / "api_x.py").write_text(
        '@router.patch("", dependencies=[Depends(action_logging())])\nasync def patch_x(): ...\n'
    )
    (tmp_path / "command.py").write_text(
        "@cli_utils.action_cli(check_db=False)\ndef dag_pause(args): ...\ndef other(): ...\n"
    )
    assert names_of(tmp_path) == {
        ("ui", "pool.create"),
        ("ui", "clear"),
        ("api", "patch_x"),
        ("cli", "cli_dag_pause"),
    }


ONE = {"dag_id": "d", "run_id": "r"}


@pytest.mark.parametrize(
    ("event", "extra", "expected"),
    [
        # 3.x: whole runs
        ("clear_dag_run", {"dry_run": False, "only_failed": True, "method": "POST"}, [("tasks_cleared", {**ONE, "only_failed": True})]),
        ("patch_dag_run", {"state": "success", "method": "PATCH"}, [("state_marked", {**ONE, "new_state": "success"})]),
        ("patch_dag_run", {"note": "seen", "method": "PATCH"}, []),
        ("patch_task_group_instances", {"new_state": "failed"}, [("state_marked", {**ONE, "new_state": "failed"})]),
        ("cancel_backfill", {"backfill_id": "3", "method": "PUT"}, [("backfill_changed", ONE)]),
        ("patch_dags", {"is_paused": True, "dag_id_pattern": "%"}, [("dag_changed", {**ONE, "is_paused": True})]),
        ("delete_dag_run", {"method": "DELETE"}, [("runs_deleted", ONE)]),
        # 2.x: pages first show what would happen
        ("dagrun_clear", {"confirmed": "true"}, [("tasks_cleared", ONE)]),
        ("dagrun_clear", {"confirmed": "false"}, []),
        ("clear", {"confirmed": "true", "downstream": "true"}, [("tasks_cleared", ONE)]),
        ("dagrun_failed", {"confirmed": "true"}, [("state_marked", {**ONE, "new_state": "failed"})]),
        ("dagrun_success", {"origin": "x"}, []),
        ("action_set_retry", {"rowid": ["1"]}, [("state_marked", {**ONE, "new_state": "up_for_retry"})]),
        ("paused", {"is_paused": True}, [("dag_changed", {**ONE, "is_paused": True})]),
        # 2.x: the API runs dry unless told otherwise
        ("api.clear_dag_run", {"dry_run": True}, []),
        ("api.clear_dag_run", {"dry_run": False}, [("tasks_cleared", ONE)]),
        ("api.post_clear_task_instances", {"only_failed": False}, []),
        ("api.post_clear_task_instances", {}, [("tasks_cleared", ONE)]),  # without its body it says nothing of it
        ("ui.patch_task_instance", {"dry_run": False, "new_state": "failed"}, [("state_marked", {**ONE, "new_state": "failed"})]),
        ("api.update_dag_run_state", {"state": "failed"}, [("state_marked", {**ONE, "new_state": "failed"})]),
        # the command line
        ("cli_dag_pause", {"full_command": "['airflow', 'dags', 'pause', 'd']"}, [("dag_changed", {**ONE, "is_paused": True})]),
        ("cli_dag_unpause", {"full_command": "[]"}, [("dag_changed", {**ONE, "is_paused": False})]),
        ("cli_task_clear", {"full_command": "['airflow', 'tasks', 'clear', 'd']"}, [("tasks_cleared", ONE)]),
        ("cli_dag_backfill", {"full_command": "['airflow', 'dags', 'backfill', '--dry-run', 'd']"}, []),
        ("cli_dag_backfill", {"full_command": "['airflow', 'dags', 'backfill', 'd']"}, [("backfill_created", ONE)]),
        ("cli_pool_set", {"full_command": "['airflow', 'pools', 'set', 'db', '8', '']"}, [("pool_changed", {**ONE, "pool_name": "db", "slots": 8})]),
        # the pages of pools
        ("pool.edit", {"pk": "3"}, []),
        ("pool.edit", {"pk": "3", "pool": "db", "slots": "8"}, [("pool_changed", {**ONE, "pool_name": "db", "slots": 8})]),
        ("post_pool", {"name": "db", "slots": 4, "method": "POST"}, [("pool_changed", {**ONE, "pool_name": "db", "slots": 4})]),
        ("api.patch_pool", {"pool_name": "db", "slots": -1}, [("pool_changed", {**ONE, "pool_name": "db", "slots": -1})]),
        # left out
        ("trigger_dag_run", {"conf": {"password": "FAKE"}}, []),
        ("patch_variable", {"key": "a", "value": "FAKE"}, []),
    ],
)  # fmt: skip
def test_what_was_asked_is_told_and_looks_are_not(event: str, extra: Any, expected: Any) -> None:
    assert told(event, extra, **ONE) == expected


def test_many_at_once_are_told_one_by_one() -> None:
    pools = {"actions": [
        {"action": "update", "entities": [{"name": "db", "slots": 8, "description": "FAKE"}]},
        {"action": "delete", "entities": ["old"]}, {"action": "create"}, "x",
    ]}  # fmt: skip
    assert told("bulk_pools", pools) == [
        ("pool_changed", {"pool_name": "db", "slots": 8}),
        ("pool_changed", {"pool_name": "old"}),
    ]
    runs = {"actions": [
        {"action": "update", "entities": [{"dag_id": "a", "dag_run_id": "1", "state": "success"},
                                          {"dag_id": "a", "dag_run_id": "2", "state": "success"},
                                          {"dag_id": "b", "dag_run_id": "1", "note": "seen"}]},
        {"action": "delete", "entities": [{"dag_id": "c", "dag_run_id": "1"}]},
    ]}  # fmt: skip
    assert told("bulk_dag_runs", runs, dag_id="~") == [
        ("state_marked", {"dag_id": "a", "new_state": "success"}),
        ("runs_deleted", {"dag_id": "c"}),
    ]
    cleared = {
        "dry_run": False,
        "dag_runs": [{"dag_id": "a", "dag_run_id": "1"}, {"dag_id": "b", "dag_run_id": "1"}],
    }
    assert told("clear_dag_runs", cleared, dag_id="~") == [
        ("tasks_cleared", {"dag_id": "a"}),
        ("tasks_cleared", {"dag_id": "b"}),
    ]
    assert told("clear_dag_runs", cleared | {"dry_run": True}, dag_id="~") == []


WORDS = st.sampled_from(["actions", "entities", "action", "dag_runs", "dag_id", "state", "name", "slots", "dry_run", "confirmed",
                         "full_command", "note", "is_paused"])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(EVENTS)), VALUES | st.dictionaries(WORDS, VALUES, max_size=4))
def test_no_entry_breaks_it(event: str, extra: Any) -> None:
    for kind, value in told(event, extra):
        assert kind in EVENTS.values() and isinstance(value, dict)
