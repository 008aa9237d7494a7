"""The rules of silent failures: below, at and above each threshold, and nothing in a quiet week."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.findings.test_rules import MONDAY, WEEK, answers, found
from windsock.findings import RULES, told_once
from windsock.findings.cadence import every
from windsock.findings.methods.proportions import chance_of_rise
from windsock.findings.rules.ws501_silent_dag import SilentDag
from windsock.findings.rules.ws502_missing_runs import MissingRuns
from windsock.findings.rules.ws503_dag_paused import DagPaused
from windsock.findings.rules.ws504_dag_vanished import DagVanished
from windsock.findings.rules.ws505_silent_task import SilentTask
from windsock.findings.rules.ws511_no_log import NOT_SEEN, OUT_OF_MEMORY, NoLog, cause_of
from windsock.findings.rules.ws512_false_success import FalseSuccess
from windsock.findings.rules.ws513_timed_out_runs import TimedOutRuns
from windsock.findings.rules.ws514_callback_failed import CallbackFailed
from windsock.findings.rules.ws515_unheard_failures import Unheard
from windsock.findings.rules.ws516_state_mismatch import StateMismatch
from windsock.findings.rules.ws517_errors_in_successes import ErrorsInSuccesses
from windsock.findings.rules.ws531_nothing_started import NothingStarted
from windsock.findings.rules.ws533_never_resumed import NeverResumed
from windsock.findings.rules.ws534_map_shrank import MapShrank
from windsock.findings.wording import moment
from windsock.model import Answer, Finding
from windsock.report.cards import card

AT = datetime(2026, 11, 17, 1, tzinfo=UTC)
SPAN = {"first_at": AT, "last_at": AT + timedelta(days=2)}
SILENT = [rule for rule in RULES if rule.section == "silent"]


@pytest.mark.parametrize("rule", SILENT, ids=lambda rule: rule.code)
def test_nothing_seen_is_no_finding(rule: Any) -> None:
    assert rule.judge({}, rule.limits(), week=WEEK).findings == []


# --- WS505


def gone(task_id: str = "load", **more: Any) -> dict[str, Any]:
    """A task of a daily DAG that ran last on Tuesday, and in five runs since not."""
    return {"dag_id": "d", "task_id": task_id, "last_at": AT, "first_missed_at": AT + timedelta(days=1),
            "newest_at": AT + timedelta(days=5), "runs_with": 40, "runs_before": 40, "longest_gap": 0, "runs_since": 5,
            "new_tasks": 0} | more  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "is_found", "why"),
    [
        ({}, True, "a branch never taken any more"),
        ({"runs_since": 2}, False, "a branch not taken twice"),
        ({"runs_since": 3}, True, "at the threshold"),
        ({"newest_at": AT + timedelta(days=2)}, True, "a day over which they began"),
        ({"newest_at": AT + timedelta(hours=47)}, False, "three runs of a morning"),
        ({"runs_with": 38}, True, "it was in 95 of 100 before"),
        ({"runs_with": 37, "runs_since": 30}, False, "a branch that is often left out"),
        ({"longest_gap": 1, "runs_with": 39, "runs_since": 3}, True, "three times the longest gap"),
        ({"longest_gap": 2, "runs_with": 38, "runs_since": 5}, False, "a month end lacked it twice"),
        ({"runs_with": 6, "runs_before": 6, "runs_since": 3}, True, "three in a row after six: 0.4 %"),
        ({"runs_with": 5, "runs_before": 5, "runs_since": 3}, False, "after five: 0.6 %"),
        ({"new_tasks": 1}, False, "the DAG was rebuilt"),
        ({"last_at": AT - timedelta(days=15)}, True, "two weeks ago"),
        ({"last_at": AT - timedelta(days=16)}, False, "it was told three times"),
    ],
)
def test_a_task_that_no_longer_runs(changes: dict[str, Any], is_found: bool, why: str) -> None:
    assert bool(found(SilentTask, answers(tasks_gone=[gone(**changes)]))) == is_found, why


def test_the_tasks_of_one_dag_are_one_finding() -> None:
    rows = [gone("load", last_at=AT + timedelta(days=1)), gone("mail"), gone("rare", runs_with=20)]
    (finding,) = found(SilentTask, answers(tasks_gone=rows))
    assert finding.id == "WS505:d"
    assert (
        finding.headline
        == "load, mail of d have not run since Tue 17 Nov 01:00 UTC, in 5 runs that ended well"
    )


# --- WS534


def mapped(*sizes: int, every_h: float = 24, until: timedelta = timedelta(days=5)) -> dict[str, Any]:
    """Runs of a mapped task with so many indexes each, the last one on Sunday morning."""
    last = AT + until
    times = [(last - timedelta(hours=every_h * back)).timestamp() for back in range(len(sizes))][::-1]
    names = [f"run_{number}" for number in range(len(sizes))]
    return {"dag_id": "d", "task_id": "load", "run_ids": names, "times_s": times, "sizes": list(sizes)}


@pytest.mark.parametrize(
    ("row", "severity", "why"),
    [
        (mapped(*[60] * 28, 1, 1, 1), "warning", "sixty times as short"),
        (mapped(*[60] * 28, 4, 4, 4), "watch", "fifteen times"),
        (mapped(*[60] * 28, 3, 3, 3), "warning", "at the alarm's threshold"),
        (mapped(*[60] * 28, 20, 20, 20), "watch", "at the threshold"),
        (mapped(*[60] * 28, 21, 21, 21), None, "a little more than a third"),
        (mapped(*[60] * 28, 1, 1), None, "two slow days"),
        (mapped(*[60] * 28, 1, 60, 1), None, "it came back in between"),
        (mapped(*[60] * 28, 1, 1, 60), None, "it is back"),
        (mapped(*[60, 60, 60, 60, 60, 2, 2] * 4, 2, 2, 2), None, "short each weekend"),
        (mapped(*[60] * 39, 2, *[60] * 10, 1, 1, 1), "warning", "one short day of fifty"),
        (mapped(*[60] * 8, 2, *[60] * 10, 1, 1, 1), None, "one short day of nineteen"),
        (mapped(*[5] * 28, 1, 1, 1), "watch", "five, the smallest map that is looked at"),
        (mapped(*[4] * 28, 1, 1, 1), None, "four"),
        (mapped(*[60] * 17, 1, 1, 1), "warning", "three of twenty: 0.9 in a thousand"),
        (mapped(*[60] * 16, 1, 1, 1), None, "three of nineteen: 1.03 in a thousand"),
        (mapped(*[60] * 10, 1, 1, 1, 1), "warning", "four of fourteen"),
        (mapped(*[60] * 60, *[1] * 6, every_h=2), None, "five days of runs before"),
        (mapped(*[60] * 90, *[1] * 6, every_h=2), "warning", "seven days and more"),
        (mapped(*[60] * 28, *[1] * 14), "warning", "since Monday of last week"),
        (mapped(*[60] * 28, *[1] * 15), None, "it began two weeks ago"),
    ],
)
def test_a_map_that_shrank(row: dict[str, Any], severity: str | None, why: str) -> None:
    told = found(MapShrank, answers(map_sizes=[row]))
    assert [one.severity for one in told] == ([severity] if severity else []), why


def test_a_map_that_shrank_is_told_with_both_sizes_and_where_to_look() -> None:
    (told,) = found(MapShrank, answers(map_sizes=[mapped(*[58, 62] * 14, 1, 2, 1)]))
    assert told.headline == (
        "d.load maps over 1 instead of 60 since Fri 20 Nov 01:00 UTC (3 runs, all well): check that it still gets all of "
        "its input"
    )
    assert (told.evidence["runs"], told.evidence["runs_before"], told.evidence["last_run_id"]) == (
        3,
        28,
        "run_27",
    )
    assert "windsock diff d load run_28" in told.advice


@given(sizes=st.lists(st.integers(1, 10_000), min_size=6, max_size=60), seed=st.integers(0, 10_000))
def test_no_order_of_any_sizes_is_told_more_often_than_it_may(sizes: list[int], seed: int) -> None:
    """A finding needs the shortest maps of all at the end, in that many of the orders at most."""
    shuffled = [int(one) for one in np.random.default_rng(seed).permutation(sizes)]
    for told in found(MapShrank, answers(map_sizes=[mapped(*shuffled, until=timedelta(days=5))])):
        runs = told.evidence["runs"]
        assert sorted(shuffled)[:runs] == sorted(shuffled[-runs:])
        assert comb(len(shuffled), runs) >= 1000


# --- WS502


def cadence(dag_id: str = "d", **more: Any) -> dict[str, Any]:
    return {"dag_id": dag_id, "weeks_seen": 4, "expected": 28, "missing": 4, "runs": 24, "least_runs": 28,
            "last_run_at": AT, "every_s": None, "every_prev_s": 21600.0, "gap_from": [SPAN["first_at"]],
            "gap_until": [SPAN["last_at"]], **SPAN} | more  # fmt: skip


@pytest.mark.parametrize(
    ("row", "is_found", "why"),
    [
        (cadence(missing=1, runs=27), False, "one may be skipped by a restart"),
        (cadence(missing=2, runs=26), True, "at the threshold"),
        (cadence(missing=3, runs=25), True, "above it"),
        (cadence(missing=2, runs=58, expected=60, least_runs=60), False, "below the share"),
        (cadence(missing=28, runs=28), False, "as many runs at other minutes: a changed schedule"),
        (cadence(missing=28, runs=0), False, "no run at all is WS501's"),
    ],
)
def test_a_gap_in_a_cadence(row: dict[str, Any], is_found: bool, why: str) -> None:
    assert bool(found(MissingRuns, answers(missing_runs=[row]))) == is_found, why


def test_many_gaps_at_once_are_one_line() -> None:
    rows = [cadence(f"d{n}") for n in range(5)]
    (finding,) = found(MissingRuns, answers(missing_runs=rows))
    assert (finding.subject, finding.evidence["missing"]) == ({"reach": "many DAGs"}, 20)
    assert len(found(MissingRuns, answers(missing_runs=rows[:4]))) == 4


@pytest.mark.parametrize(
    ("every_s", "severity"),
    [(None, "warning"), (21600.0, "warning"), (32399.0, "warning"), (32400.0, "watch"), (86400.0, "watch")],
)
def test_runs_that_keep_a_longer_distance_are_a_schedule_made_rarer(
    every_s: float | None, severity: str
) -> None:
    (finding,) = found(MissingRuns, answers(missing_runs=[cadence(every_s=every_s)]))
    assert finding.severity == severity
    assert ("runs every" in finding.headline) == (severity == "watch")


def test_a_rarer_schedule_is_told_in_words_and_loses_no_runs() -> None:
    (one,) = found(
        MissingRuns, answers(missing_runs=[cadence(every_s=86400.0, every_prev_s=3600.0, missing=112)])
    )
    assert one.headline == "d runs every day since Tue 17 Nov 01:00 UTC, before every hour"
    assert "missing" not in one.evidence
    facts = dict(card(one, base_url="").facts)
    assert (facts["runs now"], facts["ran before"]) == ("every day", "every hour")
    assert not any("86,400" in text for text in facts.values())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(86400, "every day"), (172800, "every 2 days"), (604800, "every week"), (21600, "every 6 hours"), (5400, "every 90 minutes"),
     (60, "every minute"), (90, "every 1 min 30 s")],
)  # fmt: skip
def test_a_distance_of_runs_is_told_as_people_say_it(seconds: float, words: str) -> None:
    assert every(seconds) == words


def holes(*days: int, dag_id: str = "d", hour: int = 0) -> dict[str, Any]:
    at = [AT + timedelta(days=day, hours=hour) for day in days]
    return cadence(dag_id, gap_from=at, gap_until=at, first_at=at[0], last_at=at[-1], missing=len(at))


def test_holes_with_runs_between_them_are_told_one_by_one() -> None:
    (one,) = found(MissingRuns, answers(missing_runs=[holes(0, 2)]))
    assert one.headline.endswith("never came, in 2 gaps: Tue 17 Nov 01:00 UTC; Thu 19 Nov 01:00 UTC")
    assert one.evidence["gaps"] == 2
    (many,) = found(MissingRuns, answers(missing_runs=[holes(0, 1, 2, 4, 5)]))
    assert many.headline.endswith("Thu 19 Nov 01:00 UTC; 2 more until Sun 22 Nov 01:00 UTC")
    (one_gap,) = found(MissingRuns, answers(missing_runs=[cadence()]))
    assert one_gap.headline.endswith("never came, Tue 17 Nov 01:00 UTC to Thu 19 Nov 01:00 UTC")
    assert one_gap.evidence["gaps"] is None


def test_the_days_without_runs_of_many_dags_are_told_one_by_one() -> None:
    """A holiday on Tuesday and one on Friday; the DAGs are due at different hours."""
    rows = [holes(0, 3, dag_id=f"d{n}", hour=2 * n) for n in range(5)]
    (one,) = found(MissingRuns, answers(missing_runs=rows))
    assert (
        "never came, in 2 gaps: Tue 17 Nov 01:00 UTC to Tue 17 Nov 09:00 UTC; Fri 20 Nov 01:00 UTC to"
        in one.headline
    )
    assert (one.evidence["missing"], one.evidence["gaps"]) == (10, 2)


RENAMED = {"dag_id": "d_v2", "former_dag_id": "d", "dag_file": "d.py", "tasks": 1, "alike": 2, "runs": 2, "former_runs": 90,
           "former_until": AT, "first_at": AT + timedelta(hours=1), "gap_s": 3600.0}  # fmt: skip


def test_a_dag_that_stopped_where_one_of_its_file_began_may_have_another_name() -> None:
    (one,) = found(MissingRuns, answers(missing_runs=[cadence()], renamed_dags=[RENAMED]))
    assert one.advice.startswith(
        "d_v2, of the same tasks in d.py, began Tue 17 Nov 02:00 UTC: if d was renamed, add"
    )
    assert "Else see whether it was paused or held then" in one.advice
    for other in (RENAMED | {"dag_file": ""}, RENAMED | {"former_dag_id": "e"}):
        (plain,) = found(MissingRuns, answers(missing_runs=[cadence()], renamed_dags=[other]))
        assert plain.advice.startswith("See whether it was paused or held then")
    silent = [
        {"dag_id": "d", "runs": 0, "weeks_seen": 4, "median_runs": 7.0, "least_runs": 7, "last_at": AT, "last_run_id": "r"},
        {"dag_id": "d_v2", "runs": 7, "weeks_seen": 0, "median_runs": None, "least_runs": None, "last_at": AT, "last_run_id": "r"},
    ]  # fmt: skip
    (gone_dag,) = found(SilentDag, answers(runs_by_dag_week=silent, renamed_dags=[RENAMED]))
    assert "if d was renamed" in gone_dag.advice


# --- WS503, WS504


def test_a_pause_by_airflow_is_a_warning_and_one_by_a_person_is_not() -> None:
    row = {
        "dag_id": "d",
        "paused_at": AT,
        "is_auto": True,
        "failed_runs": 3,
        "runs_after": 0,
        "runs_prev": 28,
    }
    (by_airflow,) = found(DagPaused, answers(paused_dags=[row]))
    (by_hand,) = found(DagPaused, answers(paused_dags=[row | {"is_auto": False, "failed_runs": None}]))
    assert (by_airflow.severity, by_hand.severity) == ("warning", "info")
    assert "after 3 failed runs in a row" in by_airflow.headline
    assert not found(DagPaused, answers(paused_dags=[row | {"runs_prev": 0}]))


@pytest.mark.parametrize(
    ("zero_parses", "zero_s", "is_found"),
    [(2, 900.0, False), (3, 599.0, False), (3, 600.0, True), (9, 900.0, True)],
)
def test_a_file_must_give_no_dag_for_a_while(zero_parses: int, zero_s: float, is_found: bool) -> None:
    row = {"source": "stats_table", "bundle_name": "git", "dag_file": "gen.py", "had_dags": 12, "had_at": AT,
           "lost_at": AT, "zero_parses": zero_parses, "zero_s": zero_s, "bundle_version": "b2"}  # fmt: skip
    got = found(DagVanished, answers(files_without_dags=[row, row | {"source": "json"}]))
    assert bool(got) == is_found
    if got:
        assert "it held 12 DAGs" in got[0].headline


# --- WS511


def lost(n: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"dag_id": f"d{i % 6}", "run_id": f"r{i}", "task_id": "t", "map_index": -1, "try_number": 1, "state": "failed",
         "last_try": True, "started_at": AT, "ended_at": AT, "pool": None, "hostname": f"pod-{i}", "event": None,
         "reason": None, "exit_code": None, "detail": None, "told_at": None, "known_by": "state", "is_judged": True}
        | more
        for i in range(n)
    ]  # fmt: skip


def no_log(rows: list[dict[str, Any]], before: int = 0, lost_runs: int = 0) -> Mapping[str, Answer]:
    weeks = [MONDAY - timedelta(days=7 * n) for n in range(9)]
    return answers(
        lost_tries=rows,
        tries_without_log_by_week=[
            {"week": week, "tries": 1000, "failures": 60, "without_log": len(rows) if week == MONDAY else before,
             "dags": 6, "runs": 40, "unknown_end": 2}
            for week in weeks
        ],
        scoreboard=[{"week": week, "lost_runs": lost_runs if week == MONDAY else 2} for week in weeks],
    )  # fmt: skip


@pytest.mark.parametrize(("tries", "is_found"), [(4, False), (5, True), (6, True)])
def test_tries_without_a_log(tries: int, is_found: bool) -> None:
    assert bool(found(NoLog, no_log(lost(tries)))) == is_found


def test_out_of_memory_is_said_with_the_runs_it_cost() -> None:
    rows = lost(41, event="pod_failed", reason="OOMKilled", exit_code=137, told_at=AT)
    (finding,) = found(NoLog, no_log(rows, lost_runs=23))
    assert finding.headline == (
        "41 tries in 6 DAGs ran out of memory and left no log; the fleet lost 23 runs this week, 2 in the median of the weeks before"
    )
    assert (finding.severity, finding.evidence["exit_codes"]) == ("critical", [137])


def test_without_a_component_log_the_cause_is_not_seen() -> None:
    (finding,) = found(NoLog, no_log(lost(41, known_by="next_try"), lost_runs=2))
    assert finding.headline.startswith(
        "41 tries in 6 DAGs left no log, cause not seen; the fleet lost 2 runs"
    )
    assert (finding.severity, finding.subject) == ("warning", {"cause": NOT_SEEN})
    assert "component_logs" in finding.advice


def test_a_schedulers_log_that_says_nothing_is_not_asked_for_again() -> None:
    asked = {
        "kind": "why tries left no log",
        "unit": "tries",
        "looked_at": 41,
        "not_known": 0,
        "missing": None,
    }
    given = {**no_log(lost(41)), **answers(silent_coverage=[asked])}
    (finding,) = found(NoLog, given)
    assert "component_logs" not in finding.advice and "says nothing of them" in finding.advice
    unasked = answers(silent_coverage=[asked | {"missing": "scheduler log"}])
    (finding,) = found(NoLog, {**no_log(lost(41)), **unasked})
    assert "component_logs" in finding.advice


def test_as_many_as_every_week_are_only_watched() -> None:
    (finding,) = found(NoLog, no_log(lost(10), before=10, lost_runs=30))
    assert finding.severity == "watch"


@pytest.mark.parametrize(("runs", "is_found"), [(9, False), (10, True), (11, True)])
def test_runs_short_of_a_task_alone_are_told_from_ten_on(runs: int, is_found: bool) -> None:
    short = [
        {"dag_id": f"d{n % 6}", "run_id": f"r{n}", "task_id": "t", "ended_at": AT, "runs": 100}
        for n in range(runs)
    ]
    given = {**no_log([], lost_runs=2), **answers(runs_short_of_a_task=short)}
    got = found(NoLog, given)
    assert bool(got) == is_found
    assert all(f"in {runs} runs a task that always ran left nothing" in one.headline for one in got)


@pytest.mark.parametrize(("other_runs", "is_found"), [(19, False), (20, True), (21, True)])
def test_a_task_of_few_runs_is_not_missed(other_runs: int, is_found: bool) -> None:
    row = {"dag_id": "d", "task_id": "t", "ended_at": AT, "runs": other_runs}
    short = [row | {"run_id": f"r{n}"} for n in range(12)]
    assert bool(found(NoLog, {**no_log([], lost_runs=2), **answers(runs_short_of_a_task=short)})) == is_found


def test_without_task_logs_no_try_is_missed() -> None:
    verdicts = NoLog.judge(answers(lost_tries=lost(41)), NoLog.limits(), week=WEEK)
    assert (verdicts.findings, verdicts.judged) == ([], 0)


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        ({"event": "pod_failed", "reason": "Error", "exit_code": 137}, OUT_OF_MEMORY),
        ({"event": "pod_failed", "reason": "Evicted", "exit_code": None}, "pod failed"),
        ({"event": "heartbeat_timeout", "reason": "heartbeat", "exit_code": None}, "heartbeat lost"),
        ({"event": None, "reason": None, "exit_code": None}, NOT_SEEN),
    ],
)
def test_the_cause_is_what_a_component_told(told: dict[str, Any], cause: str) -> None:
    assert cause_of(told) == cause


# --- WS512, WS516


def ending(**more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "task_id": "t", "tries": 20, "both_known": 18, "reported_success": 0, "failed_unseen": 0,
            "deferred_unseen": 0, "no_end": 0, "no_end_prev": 0, "no_end_since": SPAN["first_at"], "tries_prev": 160, "reasons": [], **SPAN} | more  # fmt: skip


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        (ending(reported_success=1, reasons=["oom"]), "warning"),
        (ending(no_end=2), None),
        (ending(no_end=3), "warning"),
        (ending(no_end=4, no_end_prev=30), "watch"),
        (ending(no_end=3, no_end_prev=7), "warning"),
        (ending(no_end=3, no_end_prev=8), "warning"),
        (ending(no_end=3, no_end_prev=9), "watch"),
    ],
)
def test_a_success_that_never_ran_to_its_end(row: dict[str, Any], severity: str | None) -> None:
    got = found(FalseSuccess, answers(endings_that_disagree=[row]))
    assert [one.severity for one in got] == ([severity] if severity else [])
    assert all(one.evidence["not_known"] == 2 for one in got)


@pytest.mark.parametrize(("deferred", "is_found"), [(1, False), (2, True), (3, True)])
def test_deferred_tasks_that_failed_without_an_error(deferred: int, is_found: bool) -> None:
    row = ending(deferred_unseen=deferred, failed_unseen=deferred)
    assert bool(found(StateMismatch, answers(endings_that_disagree=[row]))) == is_found


def test_a_mismatch_told_and_seen_is_one_finding() -> None:
    word = {"dag_id": "d", "task_id": "t", "mismatches": 3, "lost": 1, "at_deferral": 3, "no_log": 0, "tries": 20,
            "prev": 0, "reasons": ["queued_but_success"], **SPAN}  # fmt: skip
    given = answers(state_mismatches=[word], endings_that_disagree=[ending(deferred_unseen=2)])
    (finding,) = found(StateMismatch, given)
    assert (finding.evidence["tries"], finding.evidence["deferrable"]) == (3, True)
    assert finding.severity == "warning"


# --- WS533


def waits(**more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "task_id": "wait", "kind": "deferred", "waiting": 2, "runs": 2, "first_at": SPAN["first_at"],
            "last_at": SPAN["last_at"], "waited_s": 6 * 3600.0, "waited_hours": 9.0, "resumed": 4, "resumed_since": 0,
            "resumed_prev": 28, "waiting_prev": 0, "longest_away_s": 2 * 3600.0} | more  # fmt: skip


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        (waits(), "warning"),
        (waits(waited_s=6 * 3600.0 - 1), None),  # an upgrade may take that long
        (waits(longest_away_s=2 * 3600.0 + 1), None),  # not three times its longest wait
        (waits(longest_away_s=60.0), "warning"),
        (waits(longest_away_s=None), None),  # none ever came back: its trigger may end it
        (waits(resumed_since=1), "watch"),  # the triggerer lives: one trigger was lost
        (waits(waiting=1), "watch"),
        (waits(waiting=1, waited_s=24 * 3600.0), "warning"),
        (waits(kind="up_for_reschedule"), "warning"),
    ],
)
def test_a_try_that_was_never_resumed(row: dict[str, Any], severity: str | None) -> None:
    got = found(NeverResumed, answers(never_resumed=[row]))
    assert [one.severity for one in got] == ([severity] if severity else [])
    if row["longest_away_s"] is None:
        assert (
            NeverResumed.judge(answers(never_resumed=[row]), NeverResumed.limits(), week=WEEK).not_enough == 1
        )


def test_what_resumes_a_try_is_named() -> None:
    (deferred,) = found(NeverResumed, answers(never_resumed=[waits()]))
    assert deferred.headline == (
        f"d.wait: 2 tries deferred since {moment(SPAN['first_at'])} and were never resumed, the longest for 6 h (usually "
        "at most 2 h); nor was any that began later"
    )
    assert deferred.advice.startswith("See that a triggerer runs")
    (sensor,) = found(
        NeverResumed, answers(never_resumed=[waits(kind="up_for_reschedule", waiting=1, resumed_since=3)])
    )
    assert ": 1 try was rescheduled on " in sensor.headline and sensor.headline.endswith(
        "; 3 later ones were"
    )
    assert sensor.advice.startswith("See that the scheduler runs")


# --- WS513


@pytest.mark.parametrize(
    ("timed_out", "before", "severity"),
    [(1, 0, None), (2, 0, "warning"), (3, 1, "warning"), (3, 24, "watch")],
)
def test_runs_that_timed_out(timed_out: int, before: int, severity: str | None) -> None:
    row = {"dag_id": "d", "runs": 28, "timed_out": timed_out, "by_component": timed_out, "without_fail": timed_out,
           "skipped_tasks": 9, "longest_s": 7210.0, "shortest_s": 7200.0, "prev": before, **SPAN}  # fmt: skip
    got = found(TimedOutRuns, answers(runs_timed_out=[row]))
    assert [one.severity for one in got] == ([severity] if severity else [])


# --- WS514, WS515


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        ({"failures": 1}, None),
        ({}, "warning"),
        ({"failed_tries": 0}, "watch"),
        ({"prev": 9}, "watch"),
        ({"task_id": None, "kind": "dag callback"}, "warning"),
    ],
)
def test_a_callback_that_fails(change: dict[str, Any], severity: str | None) -> None:
    row = {"dag_id": "d", "task_id": "t", "kind": "callback", "failures": 2, "tries": 2, "failed_tries": 2, "prev": 0,
           "tries_known": 28, "error_signature": "RuntimeError: slack down", "exception_type": "RuntimeError",
           "sample": "Error in callback", **SPAN} | change  # fmt: skip
    got = found(CallbackFailed, answers(failed_callbacks=[row]))
    assert [one.severity for one in got] == ([severity] if severity else [])


@pytest.mark.parametrize(("unheard", "is_found"), [(4, False), (5, True), (6, True)])
def test_failures_that_nobody_heard_of(unheard: int, is_found: bool) -> None:
    row = {"dag_id": "d", "lost": 10, "ran_to_end": 4, "unheard": unheard, "unheard_prev": 0, "told": 0, "heard": 3, "callback": None,
           "components": False, **SPAN}  # fmt: skip
    other = row | {"dag_id": "never_heard", "unheard": 9, "heard": 0}
    got = found(Unheard, answers(unheard_failures=[row, other]))
    assert bool(got) == is_found
    assert all(one.severity == "watch" and one.evidence["not_known"] == 9 for one in got)


@pytest.mark.parametrize(("unheard", "is_found"), [(4, False), (5, True)])
def test_a_callback_that_the_database_tells_of_was_expected_to_run(unheard: int, is_found: bool) -> None:
    row = {"dag_id": "d", "lost": 10, "ran_to_end": 4, "unheard": unheard, "unheard_prev": 0, "told": 0, "heard": 0, "callback": True,
           "components": False, **SPAN}  # fmt: skip
    without, unread = (
        row | {"dag_id": "e", "callback": False, "unheard": 7},
        row | {"dag_id": "f", "callback": None},
    )
    got = found(Unheard, answers(unheard_failures=[row, without, unread]))
    assert bool(got) == is_found
    for one in got:
        assert (one.evidence["dag_ids"], one.evidence["lost"]) == (["d"], 10)
        assert (one.evidence["not_known"], one.evidence["without_callback"]) == (5, 7)


@pytest.mark.parametrize(("before", "prev"), [((0, 0), 0), ((0, 3), 3), ((None, 2), 2), ((None, None), None)])
def test_what_was_unheard_before_says_whether_it_is_new(
    before: tuple[int | None, ...], prev: int | None
) -> None:
    rows = [
        {"dag_id": name, "lost": 4, "ran_to_end": 0, "unheard": 4, "unheard_prev": count, "told": 0, "heard": 3,
         "callback": None, "components": False, **SPAN}
        for name, count in zip("ab", before, strict=True)
    ]  # fmt: skip
    (one,) = found(Unheard, answers(unheard_failures=rows))
    assert one.evidence["unheard_prev"] == prev


def test_each_dag_with_enough_is_told_alone_and_the_others_together() -> None:
    def row(dag_id: str, unheard: int) -> dict[str, Any]:
        return {"dag_id": dag_id, "lost": 10, "ran_to_end": 4, "unheard": unheard, "unheard_prev": 0, "told": 0, "heard": 3, "callback": None,
                "components": False, **SPAN}  # fmt: skip

    def subjects(*rows: dict[str, Any]) -> list[tuple[list[str], int]]:
        got = found(Unheard, answers(unheard_failures=list(rows)))
        return [(list(one.subject.values()), one.evidence["unheard"]) for one in got]

    assert subjects(row("a", 5), row("b", 7), row("c", 0)) == [(["a"], 5), (["b"], 7)]
    assert subjects(row("a", 5), row("b", 1), row("c", 2)) == [(["a"], 5), (["all DAGs"], 3)]
    assert subjects(row("b", 2), row("c", 3)) == [(["all DAGs"], 5)]
    assert subjects(row("a", 5), row("b", 1)) == [(["a"], 5), (["b"], 1)]
    assert subjects(row("b", 2), row("c", 2)) == []


# --- WS517


def errors(**more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "task_id": "t", "successes": 28, "with_errors": 10, "successes_prev": 220,
            "with_errors_prev": 0, "new_errors": 10, "error_signature": "KeyError: x", "exception_type": "KeyError",
            "sample": "x", **SPAN} | more  # fmt: skip


@pytest.mark.parametrize(
    ("row", "is_found", "why"),
    [
        (errors(), True, "above all"),
        (errors(new_errors=5, with_errors=5), True, "at the threshold"),
        (errors(new_errors=4, with_errors=4), False, "below it"),
        (errors(new_errors=5, successes=100), False, "below the share"),
        (errors(successes_prev=19), False, "what is usual is not known"),
        (errors(with_errors=28, with_errors_prev=220), False, "it always logged errors"),
        (errors(new_errors=0), False, "errors that it always logged"),
    ],
)
def test_errors_in_successes(row: dict[str, Any], is_found: bool, why: str) -> None:
    assert bool(found(ErrorsInSuccesses, answers(errors_in_successes=[row]))) == is_found, why


def test_the_chance_of_a_rise_is_fishers() -> None:
    assert chance_of_rise(3, 4, 1, 4) == pytest.approx(17 / 70)  # the lady tasting tea
    assert chance_of_rise(0, 5, 3, 9) == pytest.approx(1.0)


# --- WS531


@pytest.mark.parametrize(
    ("change", "is_found", "why"),
    [
        ({}, True, "a day and more"),
        ({"silent_s": 21599.0}, False, "less than six hours"),
        ({"silent_s": 21600.0}, True, "six hours"),
        ({"longest_gap_s": 45000.0}, True, "twice the longest night"),
        ({"longest_gap_s": 45001.0}, False, "less than twice the longest night"),
        ({"usual_tries": 4}, False, "four may be chance"),
        ({"usual_tries": 5}, True, "five"),
        ({"going_tries": 4}, False, "what a DAG ran that had stopped before"),
        (
            {"going_tries": 4, "stopped_dags": 4},
            True,
            "half of the fleet had stopped before: its last starts are stray",
        ),
        ({"going_tries": 4, "stopped_dags": 3}, False, "less than half"),
        ({"weeks_seen": 3}, False, "three weeks are no habit"),
        ({"silent_s": None, "until_at": None}, False, "nobody knows when it was last looked at"),
        ({"silent_s": -3600.0}, False, "looked at before the newest start ended"),
    ],
)
def test_a_fleet_that_starts_nothing_more(change: dict[str, Any], is_found: bool, why: str) -> None:
    row = {"newest_at": AT, "until_at": AT + timedelta(hours=25), "silent_s": 90000.0, "usual_tries": 40, "weeks_seen": 4,
           "longest_gap_s": 3600.0, "dags": 8, "stopped_dags": 1} | change  # fmt: skip
    row.setdefault("going_tries", row["usual_tries"])
    assert bool(found(NothingStarted, answers(starts_stopped=[row]))) == is_found, why


# --- a pause, and what it explains


@pytest.mark.parametrize(
    ("hours", "kept"),
    [
        (1, False),
        (0, False),
        (-6, False),
        (-6.5, True),
    ],  # a run of Airflow 2 is dated an interval before it is due
)
def test_runs_that_are_missed_since_a_pause_are_told_by_the_pause(hours: float, kept: bool) -> None:
    pause = Finding(
        "WS503:d", "WS503", "dag-paused", "info", {"dag_id": "d"}, "", {"paused_at": AT}, "", "paused_dags"
    )
    gap = {"expected": 28, "first_at": AT + timedelta(hours=hours)}
    missed = Finding(
        "WS502:d", "WS502", "missing-runs", "warning", {"dag_id": "d"}, "", gap, "", "missing_runs"
    )
    assert (missed in told_once([pause, missed], {})) == kept
    other = replace(missed, id="WS502:e", subject={"dag_id": "e"})
    assert other in told_once([pause, other], {})
