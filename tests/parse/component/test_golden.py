"""Golden cases as data: text in, rows out. Columns that a case does not name are not compared; tables must all be named."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from windsock.model import Parsed
from windsock.parse.component import read_component_log
from windsock.parse.component.facts import EVENTS
from windsock.schema import TABLES

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 24, tzinfo=UTC)
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(HERE.glob("*.yaml"))
    if path.stem != "wrappers"
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def wanted(case: dict[str, Any], name: str) -> Any:
    """A case's value as the lake holds it: times are moments."""
    value = case[name]
    return datetime.fromisoformat(value) if name.endswith(("_at", "_date")) and value else value


@pytest.mark.parametrize("case", CASES)
def test_a_text_gives_its_rows(case: dict[str, Any]) -> None:
    outcome = read_component_log(
        case["text"].encode(), path=case.get("path", "scheduler.log"), modified_at=NOW
    )
    assert isinstance(outcome, Parsed), outcome
    assert set(outcome.rows) == set(case["rows"])
    for table, expected in case["rows"].items():
        rows = outcome.rows[table]
        found = [{name: row.get(name) for name in one} for row, one in zip(rows, expected, strict=False)]
        assert found == [{name: wanted(one, name) for name in one} for one in expected]
        assert len(rows) == len(expected), rows
        assert {name for row in rows for name in row} <= set(TABLES[table].columns)


def test_every_event_that_is_told_has_a_case_and_a_meaning() -> None:
    told = {
        row["event"]
        for param in CASES
        for row in param.values[0]["rows"].get("component_events", ())  # type: ignore[union-attr]
    }
    assert told <= set(EVENTS)
    assert set(EVENTS) - told == {"pool_missing"}
