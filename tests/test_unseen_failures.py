"""Failures that no state shows: each planted in a week of logs, and read in the report as its user would."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt
from benchmarks.fleet.scheduler import logs_of

from tests.support.deferrals import Deferral, put_deferrals
from tests.support.fleets import WEEK, calm, every, runs, since
from tests.support.weeks import LOGS, put, put_logs, report_of
from windsock.lake import Lake
from windsock.questions import ask, load_questions
from windsock.resources import folder

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


# --- tasks that defer

Change = Callable[[Deferral], Deferral]


def deferring(dag_id: str, change: Change, *, from_day: float = 2, away_s: float = 600) -> list[Deferral]:
    """A daily task that defers for ten minutes; what begins from that day of the week on is changed."""
    made = []
    for due in every(1, since(6)):
        one = Deferral(
            Attempt(dag_id, f"scheduled__{due.isoformat()}", "wait", 1, 1, due, 20, "success"), away_s
        )
        made.append(change(one) if due >= since(from_day) else one)
    return made


def failed(one: Deferral, **more: Any) -> Deferral:
    error = ("ValueError", "remote job 88 ended in state FAILED")
    return replace(one, attempt=replace(one.attempt, ending="failed", error=error), **more)


def told_of(tmp_path: Path, tries: Iterable[Deferral], airflow: int) -> tuple[dict[str, Any], str]:
    put_deferrals(tmp_path, list(tries), airflow=airflow)
    return told(tmp_path)


@pytest.mark.parametrize("airflow", [2, 3])
@pytest.mark.parametrize(
    ("change", "signature", "blame"),
    [
        (lambda one: failed(one, trigger=("RuntimeError", "lost connection to the job API")),
         "TaskDeferralError: Trigger failure | RuntimeError: lost connection to the job API", "external"),
        (lambda one: failed(one, trigger=("KeyError", "'job_id'")),
         "TaskDeferralError: Trigger failure | KeyError: 'job_id'", "user_code"),
        (lambda one: failed(one, is_timeout=True, away_s=3600), "TaskDeferralTimeout: Trigger timeout", "external"),
        (failed, "ValueError: remote job <n> ended in state FAILED", "external"),
    ],
    ids=["the trigger raised", "the trigger has a bug", "the trigger never fired", "what it resumed to failed"],
)  # fmt: skip
def test_a_deferral_that_fails_is_told_by_its_own_error_in_both_generations(
    tmp_path: Path, change: Change, signature: str, blame: str, airflow: int
) -> None:
    body, mail = told_of(tmp_path, deferring("waits", change), airflow)
    assert (body["verdict"], codes(body)) == ("worse", ["WS106"])
    (finding,) = body["findings"]
    assert finding["evidence"]["error_signature"] == signature and signature in mail
    assert finding["evidence"]["task_ids"] == ["wait"]
    assert blames(tmp_path) == {blame: 5}


def blames(root: Path) -> dict[str, int]:
    """The lake's failed tries of the week by what they are blamed on."""
    conn = Lake.open(str(root / "lake"), deployment="prod").connect(WEEK)
    told = "select blame, count(*) from task_tries where state = 'failed' and week = report_week() group by blame"
    return dict(conn.execute(told).fetchall())


@pytest.mark.parametrize("airflow", [2, 3])
def test_tries_that_nothing_resumes_are_a_finding(tmp_path: Path, airflow: int) -> None:
    body, mail = told_of(tmp_path, deferring("waits", lambda one: replace(one, never=True)), airflow)
    assert (body["verdict"], codes(body), len(body["actions"])) == ("worse", ["WS533"], 1)
    sentence = (
        "waits.wait: 5 tries deferred since Wed 18 Nov 00:00 UTC and were never resumed, the longest for 4 d 5 h (usually at "
        "most 10 min); nor was any that began later"
    )
    assert sentence in body["verdict_sentence"] and "See that a triggerer runs" in mail
    assert "5 without a known end" in mail


def test_a_triggerer_that_died_is_one_action(tmp_path: Path) -> None:
    hung = [
        one
        for n in range(4)
        for one in deferring(f"waits_{n}", lambda one: replace(one, never=True), from_day=5)
    ]
    body, mail = told_of(tmp_path, hung, 3)
    assert codes(body) == ["WS533"] * 4 and len(body["actions"]) == 1
    assert (
        "4 tasks left their worker to wait and were never resumed (8 tries, since Sat 21 Nov 00:00 UTC)"
        in mail
    )
    assert "All began to hang between Sat 21 Nov 00:00 UTC and Sat 21 Nov 00:00 UTC." in mail


def test_a_task_that_its_trigger_ends_is_never_called_forgotten(tmp_path: Path) -> None:
    """From 2.10 on a trigger may end its task: the log ends with the deferral, in every week."""
    body, mail = told_of(tmp_path, deferring("ends", lambda one: replace(one, never=True), from_day=-100), 3)
    assert (body["verdict"], codes(body)) == ("same", []) and "7 without a known end" in mail


@pytest.mark.parametrize("airflow", [2, 3])
def test_time_deferred_is_no_work_and_is_named_where_runs_take_longer(tmp_path: Path, airflow: int) -> None:
    body, mail = told_of(tmp_path, deferring("waits", lambda one: replace(one, away_s=6000)), airflow)
    assert codes(body) == ["WS402"]
    assert "wait stayed deferred for 1 h 40 min in the median (10 min before): no work of its own." in mail


# --- failures that another task deals with

WITH_SCHEDULER = f"{LOGS}[sources.component_logs]\nurl = 'components'\n"


def and_cleaned(dag_id: str, from_day: float) -> list[Attempt]:
    """A daily DAG whose `extract` fails from that day on; `clean_up`, which runs after it whatever happened, ends well."""
    made = []
    for due in every(1, since(6)):
        is_lost = due >= since(from_day)
        (one,) = runs(dag_id, [due], ["failed" if is_lost else "success"], tasks=("extract",))
        made += [one, replace(one, task_id="clean_up", started_at=one.started_at + timedelta(seconds=90), ending="success", error=("", ""))]  # fmt: skip
    return made


def with_scheduler(root: Path, tries: list[Attempt]) -> None:
    for name, body, at in logs_of(tries):
        put(root / "components" / name, body, at)


def test_where_nothing_tells_how_runs_ended_it_is_said(tmp_path: Path) -> None:
    body, mail = told(tmp_path, *and_cleaned("teardowns", 2))
    assert (body["verdict"], codes(body)) == ("worse", ["WS106"])
    assert (
        "Perhaps not lost: in 5 runs other tasks ran well after the failure, and nothing tells how Airflow ended them."
        in mail
    )
    assert body["findings"][0]["evidence"]["went_on_runs"] == 5


def test_a_run_that_airflow_calls_a_success_is_not_lost(tmp_path: Path) -> None:
    tries = and_cleaned("teardowns", 2)
    with_scheduler(tmp_path, [*calm(), *tries])
    put_logs(tmp_path, [*calm(), *tries])
    body, mail = report_of(tmp_path, WEEK, WITH_SCHEDULER)
    # the task is broken all the same, and named; no run is
    assert (body["verdict"], codes(body)) == ("same", ["WS116"])
    assert (
        "to watch: teardowns.extract failed each time since Wed 18 Nov 00:00 UTC" in body["verdict_sentence"]
    )
    assert "Runs lost: 0 % (0 of 49" in mail


def test_a_past_of_which_nothing_tells_is_no_improvement(tmp_path: Path) -> None:
    """The scheduler's log came in this week only: failures of the weeks before were dealt with as those of this week are."""
    tries = and_cleaned("teardowns", -100)
    with_scheduler(tmp_path, [one for one in [*calm(), *tries] if one.started_at >= since(0)])
    put_logs(tmp_path, [*calm(), *tries])
    body, _ = report_of(tmp_path, WEEK, WITH_SCHEDULER)
    assert (body["verdict"], codes(body)) == ("same", [])
    assert {one["lost_runs"] for one in asked(tmp_path) if one["dag_id"] == "teardowns"} == {0}


def asked(root: Path) -> list[dict[str, Any]]:
    """How often each DAG lost runs, and in the weeks before."""
    conn = Lake.open(str(root / "lake"), deployment="prod").connect(WEEK)
    answer = ask(conn, load_questions(folder("sql"))["failure_counts_by_dag_day"])
    return [dict(row) for row in answer.rows]


def test_the_same_failure_as_the_last_task_of_its_run_loses_it(tmp_path: Path) -> None:
    tries = list(runs("orders", every(1, since(6)), lambda due: "failed" if due >= since(2) else "success"))
    with_scheduler(tmp_path, [*calm(), *tries])
    put_logs(tmp_path, [*calm(), *tries])
    body, mail = report_of(tmp_path, WEEK, WITH_SCHEDULER)
    assert (body["verdict"], codes(body)) == ("worse", ["WS106"]) and "Perhaps not lost" not in mail


# --- tiny fleets, one week before


def week_before(dag_id: str, days: float, ending: Callable[[Any], str], others: int) -> list[Attempt]:
    first, last = since(-7), since(7 - days)
    beside = [one for n in range(others) for one in runs(f"calm_{n}", every(1, since(6), first))]
    return [*runs(dag_id, every(days, last, first), ending, seconds=20), *beside]


@pytest.mark.parametrize("others", [0, 4])
def test_a_daily_dag_of_a_tiny_fleet_that_lost_six_of_seven(tmp_path: Path, others: int) -> None:
    well = since(6)
    put_logs(tmp_path, week_before("daily", 1, lambda due: "failed" if since(0) <= due < well else "success", others))  # fmt: skip
    body, mail = report_of(tmp_path, WEEK)
    assert (body["verdict"], codes(body)) == ("worse", ["WS118"])
    assert "daily: 6 of 7 runs failed (before: 0 of 7)" in " ".join(mail.split())


def test_an_hourly_dag_of_a_tiny_fleet_that_lost_half(tmp_path: Path) -> None:
    is_lost = lambda due: due >= since(0) and (due.hour + due.day) % 2  # noqa: E731
    put_logs(tmp_path, week_before("hourly", 1 / 24, lambda due: "failed" if is_lost(due) else "success", 2))
    body, _ = report_of(tmp_path, WEEK)
    assert (body["verdict"], codes(body)) == ("worse", ["WS101"])


def test_two_bad_nights_of_a_tiny_fleet_give_nothing(tmp_path: Path) -> None:
    bad = {since(1), since(2)}
    put_logs(tmp_path, week_before("daily", 1, lambda due: "failed" if due in bad else "success", 2))
    body, _ = report_of(tmp_path, WEEK)
    assert (body["verdict"], codes(body)) == ("same", [])
