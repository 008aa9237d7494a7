"""Durations, lateness, retries, versions and how tasks stand: below, at and above each threshold."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tests.findings.test_rules import WEEK, answers, found
from tests.support.settings import week_of_settings
from windsock.findings import told_once
from windsock.findings.methods.binomial import chance_of_at_least
from windsock.findings.rules.ws105_worse_than_good_version import WorseThanGoodVersion
from windsock.findings.rules.ws107_retries import Retries
from windsock.findings.rules.ws401_task_slower import TaskSlower
from windsock.findings.rules.ws402_run_slower import RunSlower
from windsock.findings.rules.ws403_late_finish import LateFinish
from windsock.findings.rules.ws404_near_timeout import NearTimeout
from windsock.findings.rules.ws405_run_backlog import RunBacklog
from windsock.findings.rules.ws406_deadline_missed import DeadlineMissed
from windsock.findings.rules.ws407_no_timeout import NoTimeout
from windsock.findings.rules.ws408_task_much_faster import TaskMuchFaster
from windsock.report.specs.failures import _standing
from windsock.standing import standing

AT = datetime(2026, 11, 17, 1, tzinfo=UTC)


# --- WS401, WS402


def series(
    step: float = 1.0, *, days: float = 4, seed: int = 1, level: float = 1200.0
) -> tuple[list[float], list[float]]:
    """Six-hour medians of nine weeks, the last `days` of them `step` times as long."""
    rng = np.random.default_rng(seed)
    times = WEEK.minus(8).from_at.timestamp() + 21600.0 * np.arange(252)
    values = level * np.exp(rng.normal(0, 0.08, 252))
    values[252 - int(days * 4) :] *= step
    return list(times), list(values)


def work(step: float, *, tries: int = 28, **more: Any) -> dict[str, Any]:
    times, values = series(step, **more)
    return {"dag_id": "d", "task_id": "t", "tries": tries, "tries_prev": 8 * tries, "hours": tries / 3, "median_s": 1200.0,
            "p99_s": 1500.0, "longest_s": 1600.0, "times_s": times, "works_s": values}  # fmt: skip


def daily(step: float, *, days: int) -> dict[str, Any]:
    """One run a night, of nine weeks."""
    rng = np.random.default_rng(3)
    times = WEEK.minus(8).from_at.timestamp() + 86400.0 * np.arange(63)
    values = 7200.0 * np.exp(rng.normal(0, 0.08, 63))
    values[63 - days :] *= step
    return work(1.0, tries=7) | {"hours": 14.0, "times_s": list(times), "works_s": list(values)}


@pytest.mark.parametrize(
    ("row", "is_found", "why"),
    [
        (work(1.0), False, "nothing happened"),
        (work(1.15), False, "below the ratio"),
        (work(1.5), True, "half as long again"),
        (work(1.5, tries=3), False, "costs less than an hour"),
        (work(3.0, days=0.75), False, "three points are an incident, no step"),
        (daily(2.0, days=3), False, "three points of a daily task, too"),
        (daily(2.0, days=4), True, "four of a daily task, each beyond doubt"),
        (daily(1.8, days=6), True, "six days, each beyond doubt"),
        (daily(1.2, days=6), False, "below the ratio"),
        (daily(0.3, days=6), False, "faster"),
        (work(2.0, days=30), False, "a step of last month is no news"),
        (work(0.5), False, "faster"),
    ],
)
def test_a_task_that_works_longer(row: dict[str, Any], is_found: bool, why: str) -> None:
    assert bool(found(TaskSlower, answers(work_times=[row]))) == is_found, why


def test_a_slower_task_is_told_since_when_and_what_it_costs() -> None:
    (finding,) = found(TaskSlower, answers(work_times=[work(1.5)]))
    evidence = finding.evidence
    assert 1.4 < evidence["ratio"] < 1.6
    assert evidence["changed_from"] <= WEEK.to_at - timedelta(days=4) <= evidence["changed_to"]
    assert evidence["extra_hours"] == pytest.approx(28 * 600 / 3600, rel=0.15)


def test_noise_of_many_tasks_is_no_step() -> None:
    rows = [work(1.0, seed=seed) for seed in range(200)]
    assert found(TaskSlower, answers(work_times=rows)) == []


# --- WS408


def emptied(past: list[float], now: list[float]) -> dict[str, Any]:
    """A daily task with such times in the days before, and in the last ones."""
    values = [*past, *now]
    times = WEEK.to_at.timestamp() - 86400.0 * np.arange(len(values), 0, -1)
    return work(1.0, tries=7) | {"times_s": list(times), "works_s": values}


def some_days(count: int, level: float = 600.0, seed: int = 5) -> list[float]:
    return list(level * np.exp(np.random.default_rng(seed).normal(0, 0.1, count)))


WEEKENDS = [6.0 if day % 7 >= 5 else 600.0 + day for day in range(56)]
NOW_AND_THEN = [6.0 if day % 28 == 3 else 600.0 + day for day in range(57)]  # two of 57
OFTEN = [6.0 if day % 14 == 3 else 600.0 + day for day in range(57)]  # four of 57


@pytest.mark.parametrize(
    ("row", "severity", "why"),
    [
        (work(1.0), None, "nothing happened"),
        (work(1 / 1.5), None, "a good change"),
        (work(1 / 4.5), None, "below the times"),
        (work(1 / 5.6), "watch", "above the times"),
        (work(1 / 18), "watch", "below the alarm"),
        (work(1 / 22), "warning", "above the alarm"),
        (work(1 / 100), "warning", "nothing to do any more"),
        (work(100.0), None, "slower"),
        (work(1 / 100, level=9.5), None, "seconds before: start-up"),
        (work(1 / 100, level=10.5), "warning", "long enough before"),
        (work(1 / 100, days=0.75), None, "three points are an incident"),
        (work(1 / 100, days=30), None, "a step of last month is no news"),
        (emptied(some_days(23), [6.0] * 5), "warning", "28 points"),
        (emptied(some_days(22), [6.0] * 5), None, "27 points"),
        (emptied(some_days(60), [6.0] * 3), None, "three nights"),
        (emptied(some_days(59), [6.0] * 4), "warning", "four nights"),
        (emptied(some_days(57), [6.0, 6.0, 600.0, 6.0, 6.0, 600.0]), None, "some nights"),
        (emptied(WEEKENDS, [6.0] * 7), None, "it has days without work"),
        (emptied(NOW_AND_THEN, [6.0] * 6), "warning", "it hardly ever had"),
        (emptied(OFTEN, [6.0] * 6), None, "it had now and then"),
        (emptied([*some_days(42, 6.0), *some_days(14)], [6.0] * 7), None, "back to what it was"),
    ],
)
def test_a_task_that_is_suddenly_over_at_once(row: dict[str, Any], severity: str | None, why: str) -> None:
    made = found(TaskMuchFaster, answers(work_times=[row]))
    assert [one.severity for one in made] == ([severity] if severity else []), why


def test_noise_of_many_tasks_is_no_task_without_work() -> None:
    rows = [work(1.0, seed=seed) for seed in range(100)]
    assert found(TaskMuchFaster, answers(work_times=rows)) == []


def finish(**more: Any) -> dict[str, Any]:
    times, values = series()
    return {"dag_id": "d", "runs": 28, "runs_prev": 224, "finish_s": 8400.0, "finish_prev_s": 4800.0, "p95_prev_s": 5400.0,
            "late_runs": 20, "late_days": 6, "took_s": 1200.0, "took_prev_s": 1200.0, "waited_s": 3600.0, "last_at": AT,
            "times_s": times, "tooks_s": values} | more  # fmt: skip


def test_runs_that_take_longer() -> None:
    times, values = series(1.6)
    (finding,) = found(RunSlower, answers(run_finishes=[finish(times_s=times, tooks_s=values)]))
    assert finding.evidence["ratio"] > 1.4
    assert found(RunSlower, answers(run_finishes=[finish()])) == []


def test_a_slower_task_hides_its_slower_run() -> None:
    times, values = series(1.6)
    given = answers(work_times=[work(1.6)], run_finishes=[finish(times_s=times, tooks_s=values)])
    both = [*found(TaskSlower, given), *found(RunSlower, given), *found(LateFinish, given)]
    assert [one.code for one in told_once(both, given)] == ["WS401"]


# --- WS403


@pytest.mark.parametrize(
    ("change", "is_found", "why"),
    [
        ({}, True, "above all"),
        ({"late_runs": 14}, True, "half of the runs"),
        ({"late_runs": 13}, False, "less than half is a tail"),
        ({"late_days": 2}, False, "two nights"),
        ({"late_days": 3}, True, "three days"),
        ({"finish_s": 5399.0}, False, "under ten minutes"),
        ({"finish_s": 5400.0}, True, "ten minutes"),
        ({"runs_prev": 19}, False, "no habit"),
        ({"runs": 7, "late_runs": 4, "late_days": 4}, False, "four runs"),
        ({"runs": 7, "late_runs": 5, "late_days": 5}, True, "five of seven daily runs"),
    ],
)
def test_runs_that_finish_late(change: dict[str, Any], is_found: bool, why: str) -> None:
    assert bool(found(LateFinish, answers(run_finishes=[finish(**change)]))) == is_found, why


def test_the_delay_is_parted_into_starting_late_and_taking_longer() -> None:
    (late,) = found(LateFinish, answers(run_finishes=[finish()]))
    (longer,) = found(LateFinish, answers(run_finishes=[finish(took_s=4800.0, waited_s=0.0)]))
    assert "starts late" in late.advice
    assert "take longer" in longer.advice


@pytest.mark.parametrize(
    ("now", "before", "is_named"),
    [
        (10, 0, True),  # half of the twenty late runs
        (9, 0, False),
        (12, 32, True),  # three times its habit of 32 in 224
        (11, 32, False),
    ],
)
def test_late_by_retries_is_said_so(now: int, before: int, is_named: bool) -> None:
    rates = {
        "dag_id": "d",
        "runs": 28,
        "first_try_failed_runs": now,
        "runs_prev": 224,
        "first_try_failed_prev": before,
    }
    (late,) = found(
        LateFinish,
        answers(run_finishes=[finish(took_s=4800.0, waited_s=0.0)], failure_rate_by_dag=[rates]),
    )
    assert ("A first try failed in" in late.advice) == is_named
    (waits,) = found(LateFinish, answers(run_finishes=[finish()], failure_rate_by_dag=[rates]))
    assert waits.advice.startswith("It starts late")


def test_runs_that_take_longer_by_their_retries_are_said_so() -> None:
    times, values = series(1.6)
    rates = {
        "dag_id": "d",
        "runs": 28,
        "first_try_failed_runs": 20,
        "runs_prev": 224,
        "first_try_failed_prev": 3,
    }
    given = answers(run_finishes=[finish(times_s=times, tooks_s=values)], failure_rate_by_dag=[rates])
    (finding,) = found(RunSlower, given)
    assert finding.advice.startswith("A first try failed in 20 of 28 runs (3 of 224 before)")


# --- WS404, WS405, WS406


def limit(**more: Any) -> dict[str, Any]:
    return {"kind": "execution_timeout", "dag_id": "d", "task_id": "t", "timeouts": 3, "timeouts_prev": 0, "limit_s": 3600.0,
            "good_s": [3590.0] * 4, "ended_well": 200, "median_s": 2000.0, "p99_s": 3500.0, "longest_s": 3590.0, "first_at": AT, "last_at": AT} | more  # fmt: skip


@pytest.mark.parametrize(
    ("timeouts", "near", "is_found"), [(1, 1, False), (1, 2, True), (0, 4, True), (3, 0, True)]
)
def test_near_misses_of_a_timeout(timeouts: int, near: int, is_found: bool) -> None:
    assert (
        bool(found(NearTimeout, answers(timeouts=[limit(timeouts=timeouts, good_s=[3000.0] * near)])))
        == is_found
    )


@pytest.mark.parametrize(("took_s", "is_near"), [(2879.0, False), (2880.0, False), (2881.0, True)])
def test_near_is_above_a_share_of_the_limit(took_s: float, is_near: bool) -> None:
    given = answers(timeouts=[limit(timeouts=2, good_s=[took_s, took_s])])
    assert bool(found(NearTimeout, given)) == is_near


@pytest.mark.parametrize(("longest_s", "is_found"), [(3779.0, True), (3780.0, True), (3781.0, False)])
def test_what_ended_well_beyond_a_limit_shows_that_it_was_raised(longest_s: float, is_found: bool) -> None:
    row = limit(timeouts=0, timeouts_prev=5, good_s=[longest_s, *[3590.0] * 40])
    assert bool(found(NearTimeout, answers(timeouts=[row]))) == is_found
    assert found(NearTimeout, answers(timeouts=[row | {"timeouts": 3}])), "those of this week still count"


def test_a_timeout_is_proposed_from_what_ended_well_and_only_then() -> None:
    (raised,) = found(NearTimeout, answers(timeouts=[limit()]))
    assert raised.evidence["proposed_s"] == 5250.0
    assert "200" in raised.advice
    (hangs,) = found(NearTimeout, answers(timeouts=[limit(p99_s=300.0, median_s=200.0, good_s=[])]))
    assert hangs.advice.startswith("Do not raise")
    (never,) = found(
        NearTimeout, answers(timeouts=[limit(ended_well=0, p99_s=None, median_s=None, good_s=[])])
    )
    assert (
        "nothing has ended well in nine weeks" in never.advice
        and "ended by an execution_timeout" in never.headline
    )
    (few,) = found(NearTimeout, answers(timeouts=[limit(ended_well=49)]))
    assert few.evidence["proposed_s"] is None


@pytest.mark.parametrize(
    ("change", "is_found"),
    [
        ({}, True),
        ({"mean_active": 1.79}, False),
        ({"mean_active": 1.8}, True),
        ({"held_minutes": 999}, False),
        ({"late_last_s": 700.0}, False),
        ({"late_last_s": None}, False),
    ],
)
def test_a_backlog_for_good(change: dict[str, Any], is_found: bool) -> None:
    row = {"dag_id": "d", "limit_value": 2, "held_minutes": 5000, "runs": 84, "run_hours": 330.0, "mean_active": 1.97,
           "late_first_s": 600.0, "late_last_s": 40000.0} | change  # fmt: skip
    assert bool(found(RunBacklog, answers(run_backlogs=[row]))) == is_found


@pytest.mark.parametrize(
    ("missed", "before", "severity"), [(0.0, 0.0, None), (4.0, 0.0, "warning"), (2.0, 16.0, "watch")]
)
def test_missed_deadlines(missed: float, before: float, severity: str | None) -> None:
    row = {
        "name": "sla_missed",
        "dag_id": None,
        "missed": missed,
        "prev": before,
        "samples": 9,
        "first_at": AT,
        "last_at": AT,
    }
    got = found(DeadlineMissed, answers(deadlines_missed=[row]))
    assert [one.severity for one in got] == ([severity] if severity else [])


def hung(**more: Any) -> dict[str, Any]:
    """Nine in ten take ten minutes, 99 in 100 forty; two tries of the week hung: an hour is what is proposed."""
    return {"dag_id": "d", "task_id": "t", "ended_well": 50, "median_s": 500.0, "p95_s": 600.0, "p99_s": 2400.0, "tries": 7,
            "longest_s": 7200.0, "longest_run": "scheduled__1", "longest_end": "failed", "longest_at": AT,
            "longest_all": [7200.0, 7200.0]} | more  # fmt: skip


@pytest.mark.parametrize(
    ("change", "is_found"),
    [
        ({}, True),  # two hours beyond what is proposed
        ({"longest_all": [7200.0, 7199.0]}, False),
        ({"longest_all": [10900.0]}, True),
        ({"longest_all": [7200.0]}, False),
        ({"ended_well": 49}, False),
        ({"p99_s": 2401.0}, False),  # the proposal is a minute longer
        ({"p95_s": 1439.0}, True),
        ({"p95_s": 1440.0}, False),  # five times its habit, and no more
    ],
)
def test_a_task_that_hung_without_a_limit(change: dict[str, Any], is_found: bool) -> None:
    assert bool(found(NoTimeout, answers(tries_without_limit=[hung(**change)]))) == is_found


def test_the_limit_is_proposed_with_its_n_its_gain_its_risk_and_the_way_back() -> None:
    (one,) = found(NoTimeout, week_of_settings("2.11.2", tries_without_limit=[hung()]))
    assert one.headline == "d.t ran 2 h and no timeout ended it; 99 in 100 take at most 40 min"
    assert one.evidence["apply"] == "task 't' of 'd': execution_timeout=timedelta(seconds=3600)"
    assert one.evidence["undo"] == "task 't' of 'd': no execution_timeout"
    assert "1.5 times the 99th percentile of 50" in one.advice and "2.0 hours of a worker" in one.advice
    assert "The risk" in one.advice and "[core] default_task_execution_timeout" in one.advice
    assert found(NoTimeout, answers(tries_without_limit=[])) == []


# --- WS105, WS107


def versions(
    lost_now: int, *, good_lost: int = 1, good_open: int = 0, runs_now: int = 56
) -> list[dict[str, Any]]:
    first = {"dag_id": "d", "bundle_version": "v1", "bundle_name": "main", "first_at": AT - timedelta(days=60),
             "last_at": AT - timedelta(days=50), "runs": 80, "lost_runs": good_lost, "no_end_runs": good_open,
             "runs_now": 0, "lost_now": 0, "no_end_now": 0}  # fmt: skip
    drift = first | {
        "bundle_version": "v2",
        "first_at": AT - timedelta(days=49),
        "runs": 380,
        "lost_runs": 90,
    }
    now = drift | {"bundle_version": "v3", "first_at": AT, "runs": runs_now, "lost_runs": lost_now,
                   "runs_now": runs_now, "lost_now": lost_now}  # fmt: skip
    return [first, drift, now]


@pytest.mark.parametrize(
    ("rows", "is_found", "why"),
    [
        (versions(14), True, "as bad as for weeks, but not as the good version"),
        (versions(5), False, "below the excess"),
        (versions(14, good_lost=20), False, "no version was good"),
        (versions(14, runs_now=19), False, "too few runs"),
        (versions(14, good_open=1), True, "it holds though one more of the good version may have been lost"),
        (versions(14, good_open=7), False, "a tenth of the good version may have been lost: by chance"),
        (versions(56, good_open=8), False, "nobody knows that the version was good"),
    ],
)
def test_a_slow_drift_does_not_become_normal(rows: list[dict[str, Any]], is_found: bool, why: str) -> None:
    got = found(WorseThanGoodVersion, answers(lost_runs_by_bundle_version=rows))
    assert bool(got) == is_found, why
    assert all(one.evidence["good_version"] == "v1" for one in got)


def retries(**more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "task_id": "t", "executions": 400, "failed_first": 60, "saved": 2, "saved_by_first": 1,
            "last_saving_try": 3, "hopeless": 50, "most_tries": 6, "retry_hours": 30.0, "hopeless_hours": 27.0,
            "saved_hours": 1.0, "late_hours": 15.0, "delay_s": 300.0, "error_signature": "KeyError: x",
            "exception_type": "KeyError", "hopeless_now": 5, "hopeless_hours_now": 3.0,
            "recovery_s": None, "recovery_p90_s": None, "early": 0, "early_hours": 0.0, "fatal_signature": None,
            "fatal_type": None, "fatal": 0, "fatal_hours": 0.0, "fatal_now": 0} | more  # fmt: skip


@pytest.mark.parametrize(
    ("row", "is_found", "why"),
    [
        (retries(), True, "above all"),
        (retries(failed_first=9, saved=0), False, "too few failures"),
        (retries(failed_first=20, saved=2), True, "one in ten saved"),
        (retries(failed_first=20, saved=3), False, "retries work"),
        (retries(hopeless_hours=1.9), False, "too few hours"),
        (retries(hopeless_hours=2.0), True, "at the hours"),
        (retries(hopeless_now=0), False, "it is over"),
    ],
)
def test_retries_without_a_chance(row: dict[str, Any], is_found: bool, why: str) -> None:
    assert bool(found(Retries, answers(retry_economics=[row]))) == is_found, why


def test_the_proposal_keeps_every_retry_that_ever_helped() -> None:
    (kept,) = found(Retries, answers(retry_economics=[retries()]))
    assert (kept.evidence["retries_now"], kept.evidence["retries_proposed"]) == (5, 2)
    (none,) = found(Retries, answers(retry_economics=[retries(saved=0, last_saving_try=None)]))
    assert none.evidence["retries_proposed"] == 0
    assert "3.0 hours a week less" in none.advice


def useful(**more: Any) -> dict[str, Any]:
    """Retries save half of the failures."""
    return retries(failed_first=40, saved=20) | more


@pytest.mark.parametrize(
    ("fatal", "hours", "now", "is_found"),
    [(5, 2.0, 1, True), (4, 9.0, 1, False), (9, 1.9, 1, False), (9, 9.0, 0, False), (9, 9.0, 1, True)],
)
def test_an_error_that_no_retry_ever_saved_is_to_fail_fast_where_retries_help_otherwise(
    fatal: int, hours: float, now: int, is_found: bool
) -> None:
    row = useful(
        fatal=fatal, fatal_hours=hours, fatal_now=now, fatal_type="KeyError", fatal_signature="KeyError: x"
    )
    got = found(Retries, answers(retry_economics=[row]))
    assert bool(got) == is_found
    for one in got:
        assert one.advice.startswith("Raise AirflowFailException on KeyError and keep the retries")
        assert "retries_proposed" not in one.evidence


@pytest.mark.parametrize(
    ("change", "is_found"),
    [
        ({}, True),
        ({"saved": 9}, False),
        ({"saved": 10, "early": 5}, True),
        ({"early": 9}, False),
        ({"early": 10}, True),
        ({"early_hours": 1.9}, False),
        ({"recovery_p90_s": 449.0}, False),
        ({"recovery_p90_s": 450.0}, True),
        ({"delay_s": None}, False),
    ],
)
def test_a_longer_delay_is_proposed_where_trouble_outlasts_it(change: dict[str, Any], is_found: bool) -> None:
    row = useful(early=30, early_hours=4.5, recovery_s=700.0, recovery_p90_s=850.0) | change
    assert bool(found(Retries, answers(retry_economics=[row]))) == is_found


def test_the_delay_is_said_with_its_price() -> None:
    row = useful(early=30, early_hours=4.5, recovery_s=700.0, recovery_p90_s=850.0)
    (one,) = found(Retries, answers(retry_economics=[row]))
    assert one.evidence["retry_delay_proposed_s"] == 900.0
    assert one.advice == (
        "Set retry_delay to 15 min (now about 5 min): nine in ten of 20 saved failures had recovered by then, half of them "
        "after 11 min 40 s; 30 minutes of tries a week less. Those that recover sooner end 10 min later."
    )


# --- how tasks stand


def task(**more: Any) -> dict[str, Any]:
    return {"ended": 28, "no_end": 0, "no_end_since": AT, "lost": 0, "saved": 0, "ended_prev": 200, "lost_prev": 0, "saved_prev": 0, "weeks_prev": 8,
            "last_at": AT, "last_success_at": AT, "failing_since": None, "lost_since": None, "saved_since": None, "dag_runs": 28} | more  # fmt: skip


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (task(), "healthy"),
        (task(saved=1), "healthy"),
        (task(saved=2, saved_since=AT), "flaky"),
        (task(lost=1, saved=1), "flaky"),
        (task(ended=2, lost=2, failing_since=AT), "flaky"),
        (task(ended=3, lost=3, failing_since=AT), "broken"),
        (task(ended=1, lost=1, lost_prev=8, failing_since=AT), "broken"),
        (task(ended=0), "silent"),
        (task(ended=0, weeks_prev=3), "healthy"),
        (task(ended=0, dag_runs=0), "healthy"),
        (task(ended=0, no_end=1), "unknown"),
        (task(ended=1, no_end=1), "healthy"),
        (task(ended=2, no_end=2), "unknown"),
        (task(ended=3, no_end=2), "healthy"),
        (task(ended=3, no_end=2, lost=3, failing_since=AT), "broken"),
    ],
)
def test_how_a_task_stands(row: dict[str, Any], word: str) -> None:
    assert standing(row)[0] == word


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (task(saved=2, saved_since=AT), f"flaky: saved by retries since {AT:%Y-%m-%d}"),
        # it lost some in each of the weeks before, and none in this one
        (
            task(saved=2, saved_since=AT, lost_since=AT - timedelta(days=50)),
            f"flaky: saved by retries since {AT:%Y-%m-%d}",
        ),
        (task(lost=2, lost_since=AT), f"flaky: loses runs since {AT:%Y-%m-%d}"),
        (
            task(lost=1, saved=1, lost_since=AT, saved_since=AT - timedelta(days=7)),
            f"flaky: loses runs since {AT:%Y-%m-%d}, saved by retries since {AT - timedelta(days=7):%Y-%m-%d}",
        ),
    ],
)
def test_a_flaky_task_says_whether_runs_are_lost_or_saved(row: dict[str, Any], told: str) -> None:
    assert _standing(row).text == told
    assert f"{standing(row)[1]:%Y-%m-%d}" in told


def test_the_binomial_tail() -> None:
    assert chance_of_at_least(0, 5, 0.5) == pytest.approx(1.0)
    assert chance_of_at_least(5, 5, 0.5) == pytest.approx(1 / 32)
