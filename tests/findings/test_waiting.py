"""Why tasks waited: spans beside brute force, moments given to limits, limits that nobody told, and WS310."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from benchmarks.judging import waits as simulated
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.settings import week_of_settings
from windsock.findings.methods.spans import Levels, Spans
from windsock.findings.methods.wait_limits import (
    Layer,
    Users,
    Waits,
    full_batches,
    held_at,
    inferred,
    period_us,
    split,
)
from windsock.findings.rules.ws310_waiting_for_limit import WaitingForLimit
from windsock.findings.waiting import waiting_answers
from windsock.model import Answer, Finding
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")
S = 1_000_000
intervals = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-5, 40), st.integers(0, 15), st.integers(1, 3)), max_size=12
)
Intervals = list[tuple[int, int, int, int]]


def columns(given_intervals: Intervals) -> tuple[Any, Any, Any, Any]:
    group, start, length, weight = np.array(given_intervals or [(0, 0, 0, 1)], np.int64).T
    return group, start, start + length, weight


@settings(max_examples=150, deadline=None)
@given(intervals, intervals, st.integers(1, 4), st.integers(0, 3))
def test_spans_equal_brute_force(users: Intervals, asked: Intervals, least: int, gap: int) -> None:
    """Tick by tick: where a group's level is at least `least`, closed over gaps, and what an interval shares with that."""
    group, start, end, weight = columns(users)
    spans = Levels.of(group, start, end, weight).above(np.full(3, least)).joined(gap)
    ticks = range(-10, 80)
    level = {g: [sum(int(w) for u, s, e, w in zip(group, start, end, weight, strict=True) if u == g and s <= t < e) for t in ticks] for g in range(3)}  # fmt: skip
    inside = {g: [one >= least for one in level[g]] for g in range(3)}
    for g in range(3):
        on = [n for n, one in enumerate(inside[g]) if one]
        for left, right in pairwise(on):
            if right - left - 1 <= gap:
                inside[g][left:right] = [True] * (right - left)
    of, since, until, _ = columns(asked)
    expected = [sum(inside[g][t + 10] for t in range(s, e)) for g, s, e in zip(of.tolist(), since.tolist(), until.tolist(), strict=True)]  # fmt: skip
    assert spans.overlap(of, since, until).tolist() == expected
    assert spans.overlap(np.full(len(of), -1), since, until).tolist() == [0] * len(of)


@settings(max_examples=100, deadline=None)
@given(intervals, intervals, st.integers(0, 20), st.integers(1, 30))
def test_every_moment_goes_to_the_first_limit_that_was_reached(
    first: Intervals, second: Intervals, start: int, lasts: int
) -> None:
    layers = []
    for name, these in (("a", first), ("b", second)):
        group, since, until, _ = columns(these)
        layers.append(Layer(name, Spans.of(np.zeros_like(group), since, until), np.zeros(1, np.int64)))
    found = split(Waits(np.array([start]), np.array([start + lasts])), layers)
    ticks = range(start, start + lasts)
    on = [[any(s <= t < s + n for _, s, n, _ in these) for t in ticks] for these in (first, second)]
    a, b = (np.array(one) for one in on)
    assert found.bound_us.tolist() == [[int(a.sum()), int((b & ~a).sum())]]
    assert found.alone_us.tolist() == [[int((a & ~b).sum()), int((b & ~a).sum())]]
    assert found.rest_us.tolist() == [int((~a & ~b).sum())]


def serial(count: int, *, lasts: int = 60 * S, wait: bool = True) -> tuple[Users, Waits]:
    """Tasks of one DAG that are ready together every hour, and run one after the other."""
    start = np.array([hour * 3600 * S + n * lasts for hour in range(count // 4) for n in range(4)])
    ready = np.array([hour * 3600 * S for hour in range(count // 4) for _ in range(4)])
    users = Users(np.zeros(len(start), np.int64), start, start + lasts, np.zeros(1, np.int64))
    chosen = start > ready
    return users, Waits(ready[chosen], start[chosen] + (0 if wait else 30 * S))


def test_a_limit_shows_itself_when_waits_end_where_a_user_ends() -> None:
    users, waits = serial(40)
    group = np.zeros(len(waits), np.int64)
    assert inferred(users, waits, group, pace_us=S) == {0: 1}
    late = Waits(waits.start_us, waits.end_us + 30 * S)  # nobody's end hands them over
    assert inferred(users, late, group, pace_us=S) == {}
    few, some = serial(12)
    assert len(some) == 9
    assert inferred(few, some, np.zeros(9, np.int64), pace_us=S) == {}
    idle = Users(users.group, users.start_us + 1800 * S, users.end_us + 1800 * S, users.family)
    assert inferred(idle, waits, group, pace_us=S) == {}


def test_the_log_s_minutes_tell_the_value_that_they_do_not_name() -> None:
    users, _ = serial(40)
    levels, family = users.levels(), np.zeros(1, np.int64)
    minutes = np.array([hour * 3600 * S for hour in range(10)])
    holds = Spans.of(np.zeros(10, np.int64), minutes, minutes + 60 * S)
    assert held_at(levels, holds, family) == {0: 1}
    empty = Spans.of(np.zeros(10, np.int64), minutes + 1800 * S, minutes + 1860 * S)
    assert held_at(levels, empty, family) == {}


def test_the_scheduler_s_pace_is_read_off_its_passes() -> None:
    ready = np.arange(100, dtype=np.int64) * 60 * S
    assert period_us(Waits(ready, ready + 2 * S), ()) == 10 * S  # passes a minute apart are a quiet fleet's
    passes = np.repeat(np.arange(40, dtype=np.int64) * 3 * S, 3)
    assert period_us(Waits(passes - S // 2, passes), ()) == 3 * S
    assert period_us(Waits(ready[:5], ready[:5] + S), ()) == 5 * S  # too few to tell


def test_a_pass_that_took_as_many_as_any_makes_the_rest_wait() -> None:
    passes = np.repeat(np.arange(10, dtype=np.int64) * 10 * S, [8, 8, 8, 8, 8, 2, 8, 1, 6, 1])
    spans = full_batches(passes)
    waits = Waits(np.array([5, 45, 65, 78]) * S, np.array([49, 59, 69, 99]) * S)
    assert spans.overlap(np.zeros(4, np.int64), waits.start_us, waits.end_us).tolist() == [
        44 * S,
        5 * S,
        4 * S,
        10 * S,
    ]
    assert not len(
        full_batches(np.repeat(np.arange(40, dtype=np.int64) * 10 * S, 3)).starts
    )  # three are no batch
    assert not len(full_batches(np.empty(0, np.int64)).starts)


@pytest.mark.parametrize(
    ("told", "is_per_run", "least"), [("api", True, 1.0), ("log", False, 1.0), ("pools", True, 0.6)]
)
def test_a_simulated_fleet_s_waiting_goes_to_the_limits_that_caused_it(
    told: str, is_per_run: bool, least: float
) -> None:
    got = simulated.score(range(3), told=told, is_per_run=is_per_run)
    assert got.median_error <= 0.03
    assert got.dominant >= least


def answers(**rows: Sequence[Mapping[str, Any]]) -> dict[str, Answer]:
    return {name: Answer(name, (), tuple(map(dict, these))) for name, these in rows.items()}


def test_task_logs_alone_say_that_they_are_not_enough() -> None:
    row = {"dag_id": "d", "task_id": "t", "pool": "", "tries": 3, "is_per_run": False, "ready_told": 0, "ready_rebuilt": 0,
           "upstream_hours": 0.0, "retry_hours": 0.0, "run_no": [1], "slots": [1], "ready_s": [None], "taken_s": [5.0],
           "started_s": [None], "given_back_s": [9.0]}  # fmt: skip
    given_answers = waiting_answers(answers(try_waits=[row]), WEEK)
    assert given_answers["waiting_by_limit"].rows == ()
    verdicts = WaitingForLimit.judge(given_answers, WaitingForLimit.limits(), week=WEEK)
    assert verdicts.findings == []
    assert "task logs alone" in verdicts.no_data and "[sources.airflow_api]" in verdicts.no_data


def test_nothing_waits_in_an_empty_week() -> None:
    found = waiting_answers({}, WEEK)
    assert found["waiting_by_limit"].rows == found["waiting_by_dag"].rows == ()


def waited(**changes: Any) -> dict[str, Answer]:
    row = {"scope": "dag", "dag_id": "d", "pool": "", "waits_for": "max_active_tasks", "hours": 6.0, "alone_hours": 4.0,
           "waits": 20, "limit_value": 4, "told_by": "airflow"} | changes  # fmt: skip
    rest = row | {"waits_for": "scheduler", "hours": 6.0, "waits": 99}
    upstream = row | {"waits_for": "upstream", "hours": 900.0}
    tries = {"dag_id": "d", "is_per_run": True}
    seen = {"ready_told": 9, "ready_rebuilt": 0, "runs": 0}
    return week_of_settings(waiting_by_limit=[row, rest, upstream], waiting_seen=[seen], try_waits=[tries])


def found(given_answers: Mapping[str, Answer], **limits: float) -> list[Finding]:
    return WaitingForLimit.judge(given_answers, WaitingForLimit.limits(limits), week=WEEK).findings


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, "watch"),
        ({"hours": 5.99}, None),  # less than half of the DAG's waiting
        ({"waits": 19}, None),
        ({"hours": 23.9}, "watch"),
        ({"hours": 24.0}, "warning"),
        ({"waits_for": "max_active_runs"}, "watch"),
        ({"waits_for": "pool"}, None),  # WS301 tells pools
        ({"waits_for": "launch"}, None),
        ({"waits_for": "unattributed"}, None),
        ({"waits_for": "executor"}, None),  # told for the whole deployment
        ({"waits_for": "executor", "scope": "all", "dag_id": "", "hours": 5.0}, "watch"),
        ({"waits_for": "executor", "scope": "all", "dag_id": "", "hours": 4.9}, None),
    ],
)
def test_one_limit_must_dominate(changes: dict[str, Any], severity: str | None) -> None:
    assert [one.severity for one in found(waited(**changes))] == ([severity] if severity else [])


@pytest.mark.parametrize(("share", "is_found"), [(0.29, False), (0.30, True), (0.31, True)])
def test_executor_slots_hold_a_third_of_everybody(share: float, is_found: bool) -> None:
    row = {"scope": "all", "dag_id": "", "pool": "", "waits_for": "executor", "hours": share * 100, "alone_hours": 1.0,
           "waits": 99, "limit_value": None, "told_by": ""}  # fmt: skip
    rows = [row, row | {"waits_for": "pool", "hours": 100 - share * 100}]
    assert bool(found(answers(waiting_by_limit=rows))) == is_found


def test_the_finding_says_number_n_gain_and_both_ways() -> None:
    (finding,) = found(waited())
    assert (
        finding.headline
        == "d: 6.0 hours of waiting for max_active_tasks of 4 a run, 50 % of its waiting; not enough weeks to tell a change"
    )
    evidence = finding.evidence
    assert (evidence["waits"], evidence["most_saved_hours"], evidence["share"]) == (20, 4.0, 0.5)
    assert (evidence["apply"], evidence["undo"]) == (
        "DAG('d', ..., max_active_tasks=8)",
        "DAG('d', ..., max_active_tasks=4)",
    )
    assert "At most 4.0 hours" in finding.advice
    (finding,) = found(waited(told_by="inferred"))
    assert "inferred" in finding.advice
    (finding,) = found(waited(limit_value=None, told_by=""))
    assert "apply" not in finding.evidence


@pytest.mark.parametrize(
    ("waits_for", "dag_id", "is_told"),
    [
        ("max_active_tasks", "d", True),
        ("max_active_tis_per_dag", "d", True),
        ("max_active_runs", "d", False),  # it holds runs that have not begun
        ("max_active_tasks", "x", False),
    ],
)
def test_where_the_graph_is_known_it_says_what_more_room_can_save_a_run(
    waits_for: str, dag_id: str, is_told: bool
) -> None:
    path = [
        {"dag_id": dag_id, "task_id": name, "wait_share": part} for name, part in (("a", 0.02), ("b", 0.11))
    ]
    given_answers = {**waited(waits_for=waits_for), **answers(critical_path_of_runs=path)}
    (one,) = found(given_answers)
    assert one.evidence.get("wait_share_of_runs") == (pytest.approx(0.13) if is_told else None)
    assert ("decides its length is 13 % of the time" in one.advice) == is_told
