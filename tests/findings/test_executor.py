"""WS311: full minutes and growing queues, below, at and above."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.settings import week_of_settings
from windsock.findings.rules.ws311_executor_full import ExecutorFull
from windsock.model import Finding
from windsock.week import Week

WEEK = Week.parse("2026-W47")


def judged(hours: int = 100, **changes: Any) -> list[Finding]:
    rows = [
        {"executor": "", "hour_at": WEEK.from_at + timedelta(hours=n), "minutes": 60, "full_minutes": 0, "slots": 32.0,
         "running_most": 20.0, "queued_mean": 1.0, "queued_usual": 1.0, "weeks_before": 8} | changes
        for n in range(hours)
    ]  # fmt: skip
    given = week_of_settings(executor_load_by_hour=rows)
    return ExecutorFull.judge(given, ExecutorFull.limits(), week=WEEK).findings


@pytest.mark.parametrize(
    ("hours", "changes", "is_found"),
    [
        (100, {}, False),
        (100, {"full_minutes": 2}, False),
        (100, {"full_minutes": 3}, True),
        (100, {"full_minutes": 4}, True),
        (23, {"full_minutes": 60}, False),
        (24, {"full_minutes": 60}, True),
        (100, {"queued_mean": 3.9, "queued_usual": 2.0}, False),
        (100, {"queued_mean": 4.0, "queued_usual": 2.0}, True),
        (100, {"queued_mean": 1.9, "queued_usual": 0.1}, False),  # hardly a queue
        (100, {"queued_mean": 9.0, "queued_usual": 2.0, "weeks_before": 2}, False),
        (100, {"queued_mean": None}, False),
    ],
)
def test_an_executor_is_full_or_its_queue_grows(hours: int, changes: dict[str, Any], is_found: bool) -> None:
    assert bool(judged(hours, **changes)) == is_found


def test_the_finding_says_how_long_head_room_and_when() -> None:
    (finding,) = judged(full_minutes=30, queued_mean=6.0, queued_usual=2.0)
    assert finding.headline == (
        "The executor had no open slot in 50 % of the minutes seen (50 hours) and "
        "had a queue 3.0 times as long as in the same hours of the weeks before"
    )
    evidence = finding.evidence
    assert (evidence["head_room_slots"], evidence["slots"], len(evidence["fullest"])) == (12.0, 32.0, 3)
    assert evidence["apply"] == "AIRFLOW__CORE__PARALLELISM=48"
    assert evidence["undo"] == "AIRFLOW__CORE__PARALLELISM=32"
    assert evidence["queued_hours_when_full"] == 300.0
    assert "[core] parallelism of each scheduler from 32 to 48 (1.5 times)" in finding.advice
    assert (
        "at most 300 hours in the queue were spent without an open slot. The risk: 16 more" in finding.advice
    )
