"""A fleet that stands still from Wednesday on fails nothing: from objects to the report's first line."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.fleet.records import Attempt

from tests.support.weeks import put_logs, report_of
from windsock.week import Week

WEEK = Week.parse("2026-W47")


def fleet(until: datetime, *, kind: str = "scheduled") -> Iterator[Attempt]:
    for n in range(63 * 12):
        due = WEEK.minus(8).from_at + timedelta(hours=2 * n)
        for dag in range(4 if due < until else 0):
            yield Attempt(
                f"dag_{dag}",
                f"{kind}__{due.isoformat()}",
                "load",
                1,
                0,
                due + timedelta(minutes=5),
                300,
                "success",
            )


def test_a_fleet_that_stands_still_is_worse_and_says_since_when(tmp_path: Path) -> None:
    put_logs(tmp_path, fleet(WEEK.from_at + timedelta(days=2, hours=10)))
    body, _ = report_of(tmp_path, WEEK)
    assert body["verdict"] == "worse"
    assert body["verdict_sentence"].startswith(
        "Worse: Nothing started after Wed 18 Nov 08:05 UTC, for 4 d 15 h; the four weeks before started at least 220 tries in"
    )
    (finding,) = (one for one in body["findings"] if one["code"] == "WS531")
    assert (finding["severity"], finding["evidence"]["usual_tries"]) == ("critical", 220)


def test_runs_made_by_hand_alone_are_no_healthy_week(tmp_path: Path) -> None:
    put_logs(tmp_path, fleet(WEEK.to_at, kind="manual"))
    body, mail = report_of(tmp_path, WEEK)
    assert body["verdict"] == "cannot_tell"
    assert body["verdict_sentence"].startswith(
        "Cannot tell: no run of a schedule or an asset began this week."
    )
    assert "manual: 336 runs in 4 DAGs" in mail
