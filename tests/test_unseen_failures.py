"""Failures that no state shows: each planted in a week of logs, and read in the report as its user would."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.fleets import WEEK, calm, every, runs, since
from tests.support.weeks import put_logs, report_of

pytestmark = pytest.mark.long


def told(tmp_path: Path, *tries: Attempt) -> tuple[dict[str, Any], str]:
    put_logs(tmp_path, [*calm(), *tries])
    body, mail = report_of(tmp_path, WEEK)
    return body, " ".join(mail.split())


def codes(body: dict[str, Any]) -> list[str]:
    return [one["code"] for one in body["findings"]]


def nightly(dag_id: str, seconds: float = 60) -> Iterable[Attempt]:
    """Each night of all weeks: the first try fails, a retry saves it."""
    return runs(dag_id, every(1, since(6)), ["retry", "success"], seconds=seconds)


def test_a_first_try_that_never_works_is_told_with_its_cost(tmp_path: Path) -> None:
    body, mail = told(tmp_path, *nightly("orders"))
    assert (body["verdict"], codes(body), body["actions"]) == ("same", ["WS117"], [])
    sentence = (
        "orders.load: the first try failed in 35 of 35 executions since Mon 19 Oct 00:00 UTC, a retry saved all of them; this "
        "week that cost 42 minutes of delay and 7 minutes of workers"
    )
    assert sentence in body["verdict_sentence"] and sentence in mail
    assert (
        "7 of 7 failed with KeyError: 'amount' @ orders.py:load: what it needs is not ready"
        in body["findings"][0]["advice"]
    )


def test_many_of_them_are_one_line(tmp_path: Path) -> None:
    body, mail = told(tmp_path, *(one for n in range(5) for one in nightly(f"dag_{n}")))
    assert codes(body) == ["WS117"] * 5 and body["verdict"] == "same"
    assert (
        "The first try of 5 tasks fails (nearly) every time, and a retry saves it: dag_0.load, dag_1.load, dag_2.load and 2 more"
        in mail
    )
    assert "dag_3.load" not in mail
