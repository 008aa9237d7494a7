"""Questions on what components tell, over lakes of a few rows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from windsock.lake import Lake
from windsock.model import Parsed, Row, SourceObject
from windsock.questions import ask, load_questions
from windsock.week import Week

WEEK = Week.parse("2026-W48")
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUESTIONS = load_questions(Path(__file__).parents[1] / "sql")
Asker = Callable[[str, dict[str, list[Row]]], list[Row]]


@pytest.fixture
def asked(tmp_path: Path) -> Asker:
    """Write the rows into a lake, and ask one question of it."""

    def run(question: str, rows: dict[str, list[Row]]) -> list[Row]:
        lake = Lake.open(str(tmp_path / "lake"), deployment="prod", create=True)
        obj = SourceObject("file:///x", "x", 1, AT, "1")
        with lake.writer(shard=0, holder="test", now=AT + timedelta(days=6)) as writer:
            writer.add(obj, Parsed("component_logs", rows), kind="component_logs", parser_version="1")
            writer.checkpoint()
        conn = lake.connect(WEEK)
        try:
            return list(ask(conn, QUESTIONS[question]).rows)
        finally:
            conn.close()

    return run


def told(task: str, state: str, **more: Any) -> Row:
    started = more.pop("started_at", AT)
    return {"dag_id": "d", "run_id": "r", "task_id": task, "map_index": -1, "try_number": 1, "state": state, "max_tries": 0,
            "pool": "p", "started_at": started, "anchor_at": started or AT, "queued_at": AT, "source": "component_log",
            "told_at": AT + timedelta(minutes=5)} | more  # fmt: skip


def event(name: str, task: str | None, **more: Any) -> Row:
    return {"event_at": AT + timedelta(minutes=2), "component": "scheduler", "event": name, "dag_id": "d", "run_id": "r",
            "task_id": task, "map_index": -1, "try_number": 1} | more  # fmt: skip


def log(task: str) -> Row:
    return {
        "dag_id": "d",
        "run_id": "r",
        "task_id": task,
        "map_index": -1,
        "try_number": 1,
        "state": "failed",
        "started_at": AT,
    }


def test_a_lost_try_is_told_with_the_most_telling_event(asked: Asker) -> None:
    rows = asked(
        "lost_tries",
        {
            "task_logs": [log("has_log")],
            "task_instances": [
                told("has_log", "failed"),
                told("oom", "failed"),
                told("image", "failed", started_at=None),
                told("zombie", "failed", try_number=2),
                told("marked", "running"),
                told("silent", "failed"),
                told("fine", "success"),
                told("never", "upstream_failed", try_number=0),
            ],
            "component_events": [
                event("pod_failed", "oom", reason="OOMKilled", exit_code=137),
                event("state_mismatch", "oom", reason="running_but_failed"),
                event("pod_failed", "oom", try_number=7, reason="Evicted", exit_code=1),
                event("pod_not_started", "image", run_id=None, map_index=None, reason="ImagePullBackOff"),
                event(
                    "heartbeat_timeout",
                    "zombie",
                    try_number=2,
                    reason="heartbeat",
                    started_at=AT.replace(microsecond=0),
                ),
                event("heartbeat_timeout", "zombie", try_number=1, reason="heartbeat"),
                event("state_marked", "marked", try_number=None, reason="failed", started_at=AT),
                event(
                    "state_marked",
                    "silent",
                    try_number=None,
                    reason="failed",
                    started_at=AT - timedelta(hours=3),
                ),
                event(
                    "pod_failed", "silent", run_id=None, reason="OOMKilled", event_at=AT + timedelta(hours=9)
                ),
            ],
        },
    )
    assert [
        (row["task_id"], row["try_number"], row["event"], row["reason"], row["exit_code"]) for row in rows
    ] == [
        ("image", 1, "pod_not_started", "ImagePullBackOff", None),
        ("marked", 1, "state_marked", "failed", None),
        ("oom", 1, "pod_failed", "OOMKilled", 137),
        ("silent", 1, None, None, None),
        ("zombie", 1, "heartbeat_timeout", "heartbeat", None),  # of which the event alone tells
        ("zombie", 2, "heartbeat_timeout", "heartbeat", None),
    ]


def test_without_task_logs_no_try_is_called_lost(asked: Asker) -> None:
    assert asked("lost_tries", {"task_instances": [told("t", "failed")]}) == []


def test_holds_count_minutes_not_passes(asked: Asker) -> None:
    def held(name: str, minute: int, **more: Any) -> Row:
        return {"event_at": AT + timedelta(minutes=minute), "component": "scheduler", "event": name} | more

    rows = asked(
        "holds_by_limit",
        {
            "component_events": [
                held("pool_full", 0, pool="db"),
                held("pool_full", 1, pool="db"),
                held("pool_full", 61, pool="db"),
                held("max_active_tasks", 0, dag_id="d", task_id="a", run_id="r", map_index=-1, limit_value=4),
                held("max_active_tasks", 0, dag_id="d", task_id="b", run_id="r", map_index=-1, limit_value=4),
                held("max_active_tasks", 5, dag_id="d", task_id="b", run_id="r", map_index=-1, limit_value=8),
                held("dag_task_count", 5, dag_id="d", value=4, limit_value=8),
                held("max_active_runs", -60 * 24 * 9, dag_id="d", value=2, limit_value=2),
            ]
        },
    )
    assert [tuple(row.values()) for row in rows] == [
        ("max_active_tasks", "d", "", AT, 2, 3, 2, 8),
        ("pool_full", "", "db", AT, 2, 2, 0, None),
        ("pool_full", "", "db", AT + timedelta(hours=1), 1, 1, 0, None),
    ]


def test_an_import_error_is_new_or_old_open_or_mended(asked: Asker) -> None:
    def seen(file: str, hours: int, signature: str = "E: x") -> Row:
        return {
            "seen_at": AT + timedelta(hours=hours),
            "dag_file": file,
            "message": f"at {hours}",
            "error_signature": signature,
        }

    def parsed(file: str, hours: int, errors: int) -> Row:
        return {
            "parsed_at": AT + timedelta(hours=hours),
            "dag_file": file,
            "parse_s": 1.0,
            "error_count": errors,
            "source": "stats_table",
        }

    rows = asked(
        "import_errors_of_week",
        {
            "import_errors": [
                seen("new.py", 0), seen("new.py", 1), seen("old.py", -24 * 10), seen("old.py", 2), seen("gone.py", -24 * 10, "F"),
            ],
            "parse_samples": [parsed("new.py", 0, 0), parsed("new.py", 3, 0), parsed("new.py", 4, 0), parsed("old.py", 3, 1)],
        },
    )  # fmt: skip
    names = ("dag_file", "sightings", "is_new", "first_at", "mended_at", "message", "files")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("new.py", 2, True, AT, AT + timedelta(hours=3), "at 1", 2),
        ("old.py", 1, False, AT - timedelta(days=10), None, "at 2", 2),
    ]
