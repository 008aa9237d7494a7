"""A report of a week that is not over says so, and does not hold half a week against whole ones."""

from datetime import timedelta
from pathlib import Path

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import put_logs, report_of
from tests.test_two_bad_nights import FIRST, WEEK, nightly, one, steady

pytestmark = pytest.mark.long

NOON = WEEK.from_at + timedelta(days=2, hours=12)  # Wednesday's
UNTIL = "The week is not over: seen until Wed 18 Nov 12:00 UTC."


def of_fridays() -> list[Attempt]:
    return [one("weekly", FIRST + timedelta(days=7 * n + 4, hours=3), "success") for n in range(9)]


def test_the_same_so_far(tmp_path: Path) -> None:
    tries = [*steady(4), *nightly(()), *of_fridays()]
    put_logs(tmp_path, [each for each in tries if each.ended_at < NOON])
    body, mail = report_of(tmp_path, WEEK, now=NOON)
    assert [found["headline"] for found in body["findings"]] == []  # the weekly run is not due yet
    assert body["verdict"] == "same"
    assert body["verdict_sentence"].startswith(f"Same as before so far: nothing new passed its test. {UNTIL}")
    assert UNTIL in mail
    assert body["subject"] == "Airflow prod, week 47: same so far"
    assert {row["key"]: row["mark"] for row in body["measures"]} == dict.fromkeys(
        (row["key"] for row in body["measures"]), ""
    )
    (page,) = (tmp_path / "out").rglob("report.html")
    assert UNTIL in page.read_text() and "seen until Wed 18 Nov 12:00 UTC so far" in page.read_text()


def test_worse_so_far(tmp_path: Path) -> None:
    bad = [
        one("hourly", FIRST + timedelta(hours=n), "failed" if n >= 56 * 24 else "success")
        for n in range(63 * 24)
    ]
    put_logs(tmp_path, [each for each in [*steady(4), *bad] if each.ended_at < NOON])
    body, _ = report_of(tmp_path, WEEK, now=NOON)
    assert body["verdict_sentence"].startswith("Worse so far: hourly: ")
    assert UNTIL in body["verdict_sentence"]
    assert body["subject"].startswith("Airflow prod, week 47: worse so far.")


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=3)])
def test_a_week_that_is_over_is_told_as_one(tmp_path: Path, late: timedelta) -> None:
    put_logs(tmp_path, [*steady(4), *nightly(())])
    body, mail = report_of(tmp_path, WEEK, now=WEEK.to_at + late)
    assert "not over" not in f"{body['verdict_sentence']}{mail}"
    assert "so far" not in f"{body['verdict_sentence']}{body['subject']}{mail}"


def test_a_weekly_run_that_did_not_come_is_told_a_day_later(tmp_path: Path) -> None:
    put_logs(tmp_path, [each for each in [*steady(4), *of_fridays()[:-1]] if each.ended_at < WEEK.to_at])
    for hours, codes in ((24 * 5 + 3, []), (24 * 5 + 4, ["WS501"])):
        body, _ = report_of(tmp_path, WEEK, now=WEEK.from_at + timedelta(hours=hours))
        assert [found["code"] for found in body["findings"]] == codes
