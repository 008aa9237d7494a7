"""On real runs of Airflow: planted jumps of parse time are found at their moments, and no other file is blamed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.parse.component.test_corpora import CORPORA
from windsock.findings.rules.ws201_parse_time_regression import ParseTimeRegression
from windsock.model import Answer, Finding, Parsed
from windsock.parse.component import read_component_log
from windsock.parse.metrics import read_statsd
from windsock.week import Week

NOW = datetime(2026, 11, 24, tzinfo=UTC)
WEEK = Week.parse("2026-W48")
pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")


def judged(rows: list[dict[str, Any]]) -> list[Finding]:
    """As the question `parse_samples_of_window` would give them."""
    told = {(r["source"], r.get("bundle_name") or "", r["dag_file"], r["parsed_at"]): r for r in rows}
    samples = tuple(
        {**row, "bundle_name": key[1], "bundle_version": None} for key, row in sorted(told.items())
    )
    given = {"parse_samples_of_window": Answer("parse_samples_of_window", tuple(samples[0]), samples)}
    return ParseTimeRegression.judge(given, ParseTimeRegression.limits(), week=WEEK).findings


def jumps(airflow: str) -> dict[str, datetime]:
    """File → moment of its first planted jump."""
    events = json.loads((CORPORA / airflow / "ground_truth.json").read_text())["events"]
    found: dict[str, datetime] = {}
    for one in events:
        if "parse" in str(one.get("event") or one.get("kind")):
            found.setdefault(
                one["file"].removesuffix(".py"), datetime.fromisoformat(one.get("ts") or one["at"])
            )
    return found


def as_planted(findings: list[Finding], airflow: str) -> None:
    planted = jumps(airflow)
    told = {one.subject["dag_file"].rsplit("/", 1)[-1].removesuffix(".py"): one.evidence for one in findings}
    assert told.keys() == planted.keys()
    for name, evidence in told.items():
        assert evidence["changed_from"] <= planted[name] <= evidence["changed_to"], name


def test_jumps_in_the_metrics_of_airflow_3() -> None:
    data = (CORPORA / "airflow3/metrics/statsd_raw.txt").read_bytes()
    outcome = read_statsd((data,), object_url="x", modified_at=NOW)
    assert isinstance(outcome, Parsed)
    as_planted(judged([dict(row) for row in outcome.rows["parse_samples"]]), "airflow3")


def test_jumps_in_the_logs_of_the_processors_of_airflow_2() -> None:
    rows: list[dict[str, Any]] = []
    for path in sorted((CORPORA / "airflow2/local_logs/scheduler").rglob("*.log")):
        outcome = read_component_log(path.read_bytes(), path=str(path), modified_at=NOW)
        if isinstance(outcome, Parsed):
            rows += [dict(row) for row in outcome.rows.get("parse_samples", ())]
    found = judged(rows)
    as_planted(found, "airflow2")
    assert [one.severity for one in found] == ["warning", "info"]  # slow_parse_a was mended at 15:42
