"""Runs that no next one soon makes good: the first of a DAG, the month's; each is named, many of them once."""

from pathlib import Path
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.fleets import WEEK, calm, every, failing, runs, since
from tests.support.weeks import put_logs, report_of

pytestmark = pytest.mark.long

MONTH = [since(2 - 30), since(2)]


def told(tmp_path: Path, *tries: Attempt) -> tuple[dict[str, Any], str]:
    put_logs(tmp_path, [*calm(), *tries])
    body, mail = report_of(tmp_path, WEEK)
    return body, " ".join(mail.split())


def codes(body: dict[str, Any]) -> list[str]:
    return [one["code"] for one in body["findings"]]


def test_the_first_run_of_a_dag_that_was_lost_is_named(tmp_path: Path) -> None:
    body, mail = told(tmp_path, *runs("new_monthly", [since(2)], ["failed"]))
    assert (body["verdict"], codes(body), body["actions"]) == ("same", ["WS113"], [])
    sentence = "new_monthly lost its first run, of Wed 18 Nov 00:00 UTC; none was seen in 30 days before"
    assert sentence in body["verdict_sentence"] and sentence in mail
    assert "clear its failed tasks" in body["findings"][0]["advice"]


def test_a_weekly_dag_that_failed_its_newest_of_five_gives_nothing(tmp_path: Path) -> None:
    body, _ = told(
        tmp_path,
        *runs("weekly", every(7, since(3)), failing(3)),
        *runs("new_and_well", [since(2)]),
        *runs("cleared", [since(2)], ["failed", "success"]),
    )
    assert (body["verdict"], codes(body)) == ("same", [])


def test_many_first_runs_that_were_lost_are_one_line(tmp_path: Path) -> None:
    body, mail = told(
        tmp_path, *(one for n in range(7) for one in runs(f"once_{n}", [since(n / 2)], ["failed"],
                                                          error=(f"Error{chr(65 + n)}", "odd")))
    )  # fmt: skip
    assert codes(body) == ["WS113"] * 7 and body["verdict"] == "same"
    sentence = "7 DAGs never seen before lost all they ran (7 runs): once_0, once_1, once_2 and 4 more"
    assert sentence in body["verdict_sentence"] and mail.count("never seen before") == 2
    assert "once_5" not in mail


def monthly(count: int, error: str = "Error{}") -> list[Attempt]:
    """Monthly DAGs that all lost their newest run, and twenty that did not."""
    lost = [one for n in range(count) for one in runs(f"month_{n}", MONTH, failing(2), error=(error.format(chr(65 + n)), "odd"))]  # fmt: skip
    return [*lost, *(one for n in range(20) for one in runs(f"fine_{n}", MONTH))]


def test_many_monthly_runs_that_were_lost_at_once_are_one_action(tmp_path: Path) -> None:
    body, mail = told(tmp_path, *monthly(12))
    assert codes(body) == ["WS109"] * 12 and {one["severity"] for one in body["findings"]} == {"warning"}
    (action,) = body["actions"]
    group = body["alike"][action]
    assert (
        group["headline"]
        == "12 DAGs that run every 30 days lost their newest runs (12 in all): month_0, month_1, month_10 and 9 more"
    )
    assert (
        "clear the failed tasks of these 12 runs (Grid, the run, Clear, only failed tasks)" in group["advice"]
    )
    assert body["verdict"] == "worse" and group["headline"] in body["verdict_sentence"]
    assert mail.count("month_1,") == 2


def test_a_few_of_many_monthly_runs_are_no_action(tmp_path: Path) -> None:
    """Three of 23 where none was lost a month before is what chance makes."""
    body, _ = told(tmp_path, *monthly(3))
    assert (body["verdict"], body["actions"], codes(body)) == ("same", [], ["WS109"] * 3)


def test_an_incident_says_which_lost_runs_have_to_be_cleared(tmp_path: Path) -> None:
    daily = (one for n in range(2) for one in runs(f"daily_{n}", every(1, since(6)), failing(2, 3)))
    body, mail = told(tmp_path, *monthly(12, "AuthError"), *daily)
    incident = next(one for one in body["findings"] if one["code"] == "WS110")
    assert codes(body) == ["WS110"]
    assert len(incident["evidence"]["rare_dags"]) == incident["evidence"]["rare_runs"] == 12
    clear = "Then clear 12 lost runs whose next ones are a week or more away (Grid, the run, Clear, only failed tasks)."
    assert clear in incident["advice"] and clear in mail


def test_a_new_dag_s_lost_runs_stand_beside_a_graver_finding(tmp_path: Path) -> None:
    broken = runs("orders", every(1, since(6)), lambda due: "failed" if due >= since(2) else "success")
    body, mail = told(
        tmp_path, *broken, *runs("new_one", every(1, since(6), since(2)), ["failed"], error=("ValueError", "row 1"))
    )  # fmt: skip
    sentence = "; to watch: new_one is new and has never succeeded"
    assert body["verdict"] == "worse" and sentence in body["verdict_sentence"] and sentence in mail


def test_a_first_report_counts_against_no_other(tmp_path: Path) -> None:
    body, mail = told(tmp_path, *runs("new_monthly", [since(2)], ["failed"]))
    assert body["last_report"] is None
    assert "No report before this one: 1 new." in mail and "Since the last report" not in mail
