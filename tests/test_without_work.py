"""A task that has nothing to do any more still succeeds: it is told by how soon it is over."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import put_logs, report_of
from tests.test_two_bad_nights import FIRST, WEEK, steady

pytestmark = pytest.mark.long

TUESDAY = 57


def nightly(seconds: float, *, ending: str = "success") -> Iterator[Attempt]:
    """One run a night of about ten minutes, for nine weeks; since Tuesday's, on a new version, so many seconds."""
    for day in range(63):
        due = FIRST + timedelta(days=day, hours=2)
        is_new = day >= TUESDAY
        took = seconds if is_new else 600 + 7.0 * (day % 5)
        error = ("KeyError", "no") if is_new and ending == "failed" else ("", "")
        yield Attempt("nightly", f"scheduled__{due.isoformat()}", "load", 1, 2, due, took, ending if is_new else "success",
                      error, bundle_version="b2" * 20 if is_new else "a1" * 20)  # fmt: skip


def codes(body: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["code"] for one in body["findings"]]


def test_a_task_that_is_over_at_once_is_told_since_when_and_with_what_changed(tmp_path: Path) -> None:
    put_logs(tmp_path, [*steady(2), *nightly(7.0)])
    body, mail = report_of(tmp_path, WEEK)
    (finding,) = [one for one in body["findings"] if one["code"] == "WS408"]
    assert finding["severity"] == "warning"
    assert "since Tue 17 Nov" in finding["headline"] and "check that it still has work" in finding["headline"]
    assert finding["evidence"]["before_s"] > 590 and finding["evidence"]["after_s"] < 10
    assert any(
        line.startswith("bundle dags-git a1a1a1a → b2b2b2b") for line in finding["evidence"]["changes"]
    )
    assert "check that it still has work" in mail


@pytest.mark.parametrize(("seconds", "ending"), [(400.0, "success"), (7.0, "failed"), (610.0, "success")])
def test_a_good_change_and_quick_failures_are_none(tmp_path: Path, seconds: float, ending: str) -> None:
    put_logs(tmp_path, [*steady(2), *nightly(seconds, ending=ending)])
    body, _ = report_of(tmp_path, WEEK)
    assert "WS408" not in codes(body)
    assert ("WS106" in codes(body)) == (ending == "failed")
