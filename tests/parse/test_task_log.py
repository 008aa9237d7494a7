"""Golden cases, one file per dialect: log text → what must be understood of it. A case is data; add one without Python."""

import gzip
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from windsock.model import LogKey, Reject
from windsock.parse import parse_key, read_task_log
from windsock.schema import TABLES

FOLDER = Path(__file__).parent / "task_log"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]
KNOWN = {"name", "key", "log", "encoding", "line_ends", "gzip", "timezone", "expect"}
COLUMNS = set(TABLES["task_logs"].columns) | {"reject", "partial", "error_events"}
NOBODY = LogKey("", "", "", -1, 0)


def read(case: dict[str, Any]) -> dict[str, Any]:
    """What is understood, with `reject`, `partial` and the number of `error_events` beside the row's columns."""
    text: str = case["log"]
    if case.get("line_ends") == "crlf":
        text = text.replace("\n", "\r\n")
    data = text.encode(case.get("encoding", "utf-8"), "surrogatepass")
    if case.get("gzip"):
        data = gzip.compress(data)
    key = parse_key(case["key"]) if "key" in case else NOBODY
    assert key is not None, "the case's key is no key of a log"
    outcome = read_task_log(
        key, data, object_url="mem://log", etag="e", modified_at=None, timezone=case.get("timezone", "UTC")
    )
    if isinstance(outcome, Reject):
        return {"reject": outcome.reason}
    (row,) = outcome.rows["task_logs"]
    events = outcome.rows["log_events"]
    return dict(row) | {"reject": None, "partial": outcome.partial, "error_events": len(events)}


@pytest.mark.parametrize("case", CASES)
def test_a_log_is_understood(case: dict[str, Any]) -> None:
    assert set(case) <= KNOWN
    assert set(case["expect"]) <= COLUMNS
    found = read(case)
    assert {name: _plain(found.get(name)) for name in case["expect"]} == case["expect"]


def test_every_dialect_has_cases_and_no_two_share_a_name() -> None:
    ids = [param.id for param in CASES]
    assert len(ids) == len(set(ids)) >= 80
    dialects = {read(param.values[0]).get("dialect") for param in CASES}  # type: ignore[arg-type]
    assert {
        "airflow1.10",
        "airflow2",
        "airflow2_ui",
        "airflow2_json",
        "airflow3",
        "airflow3_text",
    } <= dialects


def _plain(value: Any) -> Any:
    """YAML holds times as text here, so that a case reads like a row of the lake."""
    return value.isoformat() if isinstance(value, datetime) else value
