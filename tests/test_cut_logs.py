"""Logs that stop without an end: nobody knows how these tries ended, and no figure says they went well."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import put_logs, report_of
from tests.test_two_bad_nights import FIRST, WEEK, one, steady

pytestmark = pytest.mark.long

HANGING = (1, 2, 4, 5)  # nights of the judged week


def nightly(*, ending: str = "cut", saved: bool = False) -> Iterator[Attempt]:
    """One run a night for nine weeks; on four nights of the last one something else than a good end."""
    for day in range(63):
        due = FIRST + timedelta(days=day, hours=2)
        is_bad = day - 56 in HANGING
        yield one("nightly", due, ending if is_bad else "success")
        if is_bad and saved:
            yield one("nightly", due, "success", 2)


def told(body: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [finding for finding in body["findings"] if finding["code"] == code]


def measure(body: dict[str, Any], key: str) -> dict[str, Any]:
    return next(row for row in body["measures"] if row["key"] == key)


def row_of(page: str, *words: str) -> str:
    """The page's table row that holds these words, without its tags."""
    rows = (row.split("</tr>")[0] for row in page.split("<tr")[1:])
    texts = (" ".join("".join(part.partition(">")[2] for part in row.split("<")).split()) for row in rows)
    return next(text for text in texts if all(word in text for word in words))


def test_tries_without_a_known_end_are_counted_beside_every_rate(tmp_path: Path) -> None:
    put_logs(tmp_path, [*steady(2), *nightly()])
    body, mail = report_of(tmp_path, WEEK)
    for key in ("lost_runs", "first_try_failed_runs", "failures"):
        assert ", 4 without a known end; 95 % interval" in measure(body, key)["detail"]
    assert "4 without a known end" in body["verdict_sentence"]
    assert "4 without a known end" in mail
    (page,) = (tmp_path / "out").rglob("report.html")
    assert "0 of 7, 4 without a known end" in row_of(page.read_text(), "nightly", "0 of 56")
    assert "unknown since 2026-11-17" in row_of(page.read_text(), "nightly", "load", "no known end of 4 of 7")


def test_logs_without_an_end_are_told_since_the_first_of_them(tmp_path: Path) -> None:
    put_logs(tmp_path, [*steady(2), *nightly()])
    body, _ = report_of(tmp_path, WEEK)
    (finding,) = told(body, "WS512")
    assert finding["severity"] == "warning"
    assert "4 of 7 tries stops without an end (since Tue 17 Nov 02:15 UTC)" in finding["headline"]
    assert finding["evidence"]["first_at"] == "2026-11-17T02:15:00Z"


def test_failures_whose_logs_stop_now_are_no_recovery(tmp_path: Path) -> None:
    """An hourly DAG lost a run in six; now the logs of these stop."""
    tries = [
        one("hourly", FIRST + timedelta(hours=n), "success" if n % 6 else "failed" if n < 56 * 24 else "cut")
        for n in range(63 * 24)
    ]
    put_logs(tmp_path, [*steady(2), *tries])
    body, _ = report_of(tmp_path, WEEK)
    assert told(body, "WS102") == []
    assert body["verdict"] != "better"
    assert measure(body, "lost_runs")["mark"] == ""


def test_another_try_tells_that_the_one_before_did_not_end_well(tmp_path: Path) -> None:
    put_logs(tmp_path, [*steady(2), *nightly(saved=True)])
    body, _ = report_of(tmp_path, WEEK)
    assert "without a known end" not in json.dumps(body)
    assert told(body, "WS512") == []
    now = body["scoreboard"][-1]
    assert (now["first_try_failed_runs"] - now["lost_runs"], now["failures"] - now["lost_runs"]) == (4, 4)
