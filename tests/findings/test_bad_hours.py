"""WS111, and what a bad hour or a bad host tells in place of twenty lines: below, at and above, and on whole weeks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.findings.test_rules import WEEK, answers, found
from tests.findings.test_scenarios import fleet, judged, loud
from windsock.findings import told_once
from windsock.findings.rules.ws111_bad_hour import BadHour
from windsock.model import Finding

pytestmark = pytest.mark.long

AT = datetime(2026, 11, 18, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_hour(failed: int, at: datetime = AT, **changes: Any) -> dict[str, Any]:
    return {"hour_at": at, "dags": 40, "failed_dags": failed, "expected": 1.0, "variance": 0.9, "usual": 0.5, "spread": 1.1,
            "hosts": 4} | changes  # fmt: skip


def failing(count: int, at: datetime = AT, *, unlike: bool = True, **changes: Any) -> list[dict[str, Any]]:
    return [
        {"hour_at": at, "dag_id": f"d{n}", "own_rate": 0.01, "tries": 2, "tasks": 1, "tasks_well": 1, "lost_runs": 1,
         "wasted_hours": 0.5, "cause": f"E{n if unlike else ''}: <>", "hostname": f"w{n % 4}",
         "first_at": at + timedelta(minutes=10 + n), "last_at": at + timedelta(minutes=20 + n)} | changes
        for n in range(count)
    ]  # fmt: skip


def judge(hours: Sequence[dict[str, Any]], dags: Sequence[dict[str, Any]], **limits: float) -> list[Finding]:
    return found(BadHour, answers(failures_by_hour=hours, failing_dags_by_hour=dags), **limits)


def test_an_hour_in_which_many_fail_unlike_is_one_line_with_start_end_and_reach() -> None:
    (one,) = judge([an_hour(12)], failing(12))
    assert one.subject == {"hour": "2026-11-18T09:00Z"}
    assert (one.evidence["dags"], one.evidence["tries"], one.evidence["lost_runs"]) == (12, 24, 12)
    assert one.evidence["first_at"] == AT + timedelta(minutes=10)
    assert one.evidence["last_at"] == AT + timedelta(minutes=31)
    assert "12 different errors" in one.headline and "usual in an hour then: 1.0" in one.headline
    assert (one.severity, one.evidence["is_over"], one.evidence["concentration"]) == (
        "warning",
        True,
        "1 hour",
    )


@pytest.mark.parametrize(
    ("hour", "dags", "is_found"),
    [
        (an_hour(5, expected=0.1, variance=0.1, usual=0.0, spread=1.0), failing(5), False),  # too few DAGs
        (an_hour(6, expected=0.3, variance=0.3, usual=0.0, spread=1.0), failing(6), True),
        (an_hour(12, expected=4.0), failing(12), False),  # three times, but by chance
        (an_hour(24, expected=8.1), failing(24), False),  # below three times
        (an_hour(24, expected=6.0), failing(24), True),
        (an_hour(24, usual=8.1), failing(24), False),  # every night at that hour
        (an_hour(12, spread=30.0), failing(12), False),  # failures always come in heaps here
        (an_hour(12, spread=None), failing(12), False),  # no week before
        (an_hour(12), failing(12, unlike=False), False),  # one error: WS110
        (an_hour(12), [*failing(6, unlike=False), *failing(12)[6:]], True),  # half of them share one
        (an_hour(12), [*failing(7, unlike=False), *failing(12)[7:]], False),
        (an_hour(12), failing(12, own_rate=0.2), True),
        (an_hour(12), failing(12, own_rate=0.21), False),  # they fail that often
        (an_hour(12), failing(12, own_rate=None), True),
    ],
)
def test_below_at_and_above(hour: dict[str, Any], dags: list[dict[str, Any]], is_found: bool) -> None:
    assert bool(judge([hour], dags)) == is_found


def test_hours_side_by_side_are_one_with_what_failed_at_their_edges() -> None:
    before, after = AT - HOUR, AT + HOUR
    hours = [
        an_hour(4, before, expected=0.5, variance=0.5),
        an_hour(12),
        an_hour(12, after),
        an_hour(1, after + HOUR),
    ]
    (one,) = judge(hours, [*failing(4, before), *failing(12), *failing(12, after), *failing(1, after + HOUR)])
    assert one.subject == {"hour": "2026-11-18T08:00Z"}
    assert (one.evidence["first_at"], one.evidence["last_at"]) == (
        before + timedelta(minutes=10),
        after + timedelta(minutes=31),
    )
    far = AT + 3 * HOUR
    assert len(judge([an_hour(12), an_hour(12, far)], [*failing(12), *failing(12, far)])) == 2


def test_a_bad_hour_on_one_host_says_so_where_others_worked() -> None:
    (one,) = judge([an_hour(12)], failing(12, hostname="w3"))
    assert one.evidence["concentration"] == "one host, w3" and " on w3;" in one.headline
    (alone,) = judge([an_hour(12, hosts=1)], failing(12, hostname="w3"))
    assert alone.evidence["concentration"] == "1 hour"


def test_what_goes_on_with_many_lost_runs_is_critical() -> None:
    (one,) = judge([an_hour(12)], failing(12, tasks_well=0))
    assert (one.severity, one.evidence["is_over"]) == ("critical", False)
    (few,) = judge([an_hour(9)], failing(9, tasks_well=0))
    assert few.severity == "warning"


def test_an_hour_in_which_retries_saved_every_run_is_watched_and_asks_for_no_clearing() -> None:
    (saved,) = judge([an_hour(12)], failing(12, lost_runs=0))
    assert saved.severity == "watch" and saved.advice.endswith("retries saved every run.")
    (lost,) = judge([an_hour(12)], failing(12))
    assert "clear the lost runs of d0, d1, d10 and 9 more" in lost.advice


def a_finding(code: str, subject: dict[str, str], **evidence: Any) -> Finding:
    return Finding(":".join((code, *subject.values())), code, "x", "warning", subject, "", evidence, "", "q")


def test_a_dag_whose_lost_runs_the_hour_tells_is_not_told_again() -> None:
    (hour,) = judge([an_hour(12)], failing(12, lost_runs=6))
    mine, more = (a_finding("WS101", {"dag_id": "d1"}, excess_failures=excess) for excess in (10.9, 11.0))
    given = answers(
        failing_dags_by_hour=[*failing(12, lost_runs=6), *failing(12, AT + 5 * HOUR, lost_runs=9)]
    )
    assert told_once([hour, mine], given) == [hour]
    assert told_once([hour, more], given) == [hour, more]


def test_an_incident_within_the_hour_is_not_told_again() -> None:
    (hour,) = judge([an_hour(12)], failing(12))
    within = {"first_at": AT - timedelta(minutes=40), "last_at": AT + timedelta(minutes=30)}
    subject = {"error_signature": "E: x"}
    assert told_once([hour, a_finding("WS110", subject, **within)], {}) == [hour]
    later = a_finding("WS110", subject, **within | {"last_at": AT + HOUR})
    assert told_once([hour, later], {}) == [hour, later]


def test_what_a_bad_host_tells_is_not_told_again() -> None:
    host = a_finding("WS630", {"hostname": "w3"})
    (hour,) = judge([an_hour(12)], failing(12, hostname="w3"))
    error = a_finding(
        "WS110", {"error_signature": "E"}, concentration="one host, w3", first_at=AT, last_at=AT
    )
    mine = a_finding("WS101", {"dag_id": "d1"}, excess_failures=10.9)
    given = answers(lost_runs_by_host=[{"hostname": "w3", "dag_id": "d1", "tries": 9, "lost_runs": 6}])
    assert told_once([host, hour, error, mine], given) == [host]
    elsewhere = a_finding(
        "WS110", {"error_signature": "E"}, concentration="one host, w4", first_at=AT, last_at=AT
    )
    assert told_once([host, elsewhere], given) == [host, elsewhere]


def spoil(rows: Sequence[dict[str, Any]], rng: np.random.Generator, share: float) -> set[str]:
    """Let some of these tries fail, each with one of a hundred errors; returns their DAGs."""
    hit = [row for row in rows if rng.random() < share]
    for row in hit:
        row |= {"state": "failed", "error_signature": f"E{rng.integers(100)}: <> @ {row['dag_id']}.py:t", "exception_type": "E"}  # fmt: skip
    return {row["dag_id"] for row in hit}


def failed_share(rows: Sequence[dict[str, Any]], dag_id: str) -> float:
    return float(np.mean([row["state"] == "failed" for row in rows if row["dag_id"] == dag_id]))


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_hour_of_a_fleet_is_found_with_its_start_end_and_reach(tmp_path: Path, seed: int) -> None:
    rows, start, end = fleet(seed), datetime(2026, 11, 18, 8, 40, tzinfo=UTC), datetime(2026, 11, 18, 9, 40, tzinfo=UTC)  # fmt: skip
    within = [row for row in rows if start <= row["ended_at"] < end]
    reach = spoil(within, np.random.default_rng(seed), 0.85)
    findings, _ = judged(tmp_path, rows)
    assert [one.code for one in findings if one.severity in ("warning", "critical")] == ["WS111"], loud(
        findings
    )
    (one,) = (one for one in findings if one.code == "WS111")
    assert start <= one.evidence["first_at"] and one.evidence["last_at"] < end
    assert one.evidence["last_at"] - one.evidence["first_at"] >= timedelta(minutes=20)
    elsewhere = [row for row in rows if not start <= row["ended_at"] < end]
    seldom = {dag_id for dag_id in reach if failed_share(elsewhere, dag_id) < 0.2}
    # the twenty minutes before nine may hold too few to be told from an ordinary hour
    at_nine = {row["dag_id"] for row in within if row["ended_at"] >= AT and row["state"] == "failed"}
    assert seldom & at_nine <= set(one.evidence["dag_ids"]) <= seldom | (at_nine - reach)
    assert len(one.evidence["dag_ids"]) >= 8


@pytest.mark.parametrize("seed", range(2))
def test_a_bad_host_with_unlike_errors_is_one_line(tmp_path: Path, seed: int) -> None:
    rows, rng = fleet(seed), np.random.default_rng(seed)
    for row in rows:
        row |= {"hostname": f"worker-{rng.integers(4)}", "executor": "CeleryExecutor", "queue": "default"}
    bad = [row for row in rows if row["hostname"] == "worker-2" and WEEK.from_at + 40 * HOUR <= row["started_at"] < WEEK.from_at + 72 * HOUR]  # fmt: skip
    spoil(bad, rng, 0.6)
    findings, _ = judged(tmp_path, rows)
    assert [(one.code, one.subject) for one in findings if one.severity in ("warning", "critical")] == [
        ("WS630", {"hostname": "worker-2"})
    ], loud(findings)
    (one,) = (one for one in findings if one.code == "WS630")
    assert one.evidence["lost_runs"] >= 30 and one.evidence["dags"] >= 15
