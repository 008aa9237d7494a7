"""When a finding began: by what its rule measured, and not at all where the week is all that is known."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windsock.findings.beginnings import began_at
from windsock.findings.methods.onset import onset
from windsock.findings.pools.since import full_since
from windsock.findings.rates import failing_since
from windsock.findings.rules.ws101_failure_rate_worse import FailureRateWorse
from windsock.findings.rules.ws102_failure_rate_better import FailureRateBetter
from windsock.findings.rules.ws103_broken import Broken
from windsock.findings.rules.ws104_born_broken import BornBroken
from windsock.findings.rules.ws202_parse_time_near_limit import ParseTimeNearLimit
from windsock.findings.rules.ws522_start_date_moves import StartDateMoves
from windsock.findings.waiting.weeks import risen_since
from windsock.model import Answer, Finding
from windsock.week import Week

WEEK = Week.parse("2026-W47")
AT = datetime(2026, 11, 18, 9, tzinfo=UTC)
MONDAY = datetime(2026, 11, 16, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def finding(code: str, **evidence: Any) -> Finding:
    return Finding(id="x", code=code, name="n", severity="warning", subject={}, headline="h",
                   evidence=evidence, advice="a", question="q")  # fmt: skip


@pytest.mark.parametrize(
    ("code", "evidence", "began"),
    [
        ("WS101", {"began_at": AT}, (AT, AT)),
        ("WS105", {"good_until": AT - DAY, "first_at": AT}, (AT - DAY, AT)),
        ("WS105", {"good_until": AT + DAY, "first_at": AT}, (AT, AT)),  # both versions ran for a while
        ("WS106", {"since": AT, "well_at": AT - DAY}, (AT - DAY, AT)),
        ("WS106", {"since": AT}, (AT, AT)),
        ("WS110", {"first_at": AT, "tries_prev": 0}, (AT, AT)),
        ("WS110", {"first_at": AT, "tries_prev": 3}, None),
        ("WS111", {"first_at": MONDAY}, (MONDAY, MONDAY)),
        ("WS201", {"changed_from": AT - HOUR, "changed_to": AT}, (AT - HOUR, AT)),
        ("WS205", {"unseen_at": AT - DAY, "first_at": AT}, (AT - DAY, AT)),
        ("WS205", {"unseen_at": None, "first_at": AT - 9 * DAY}, (AT - 9 * DAY, AT - 9 * DAY)),
        ("WS207", {"from_at": AT, "until_at": AT + DAY}, (AT, AT)),
        ("WS301", {"full_share": 0.3}, None),
        ("WS404", {"first_at": AT, "timeouts_prev": 1}, None),
        ("WS404", {"first_at": AT, "timeouts_prev": 0}, (AT, AT)),
        ("WS404", {"first_at": None, "timeouts_prev": 0}, None),
        ("WS406", {"first_at": AT, "prev": 0}, (AT, AT)),
        ("WS407", {"longest_at": AT, "tries_too_long": 1}, (AT, AT)),
        ("WS407", {"longest_at": AT, "tries_too_long": 2}, None),
        ("WS501", {"last_at": AT, "median_runs": 7.0}, (AT, AT + DAY)),
        ("WS501", {"last_at": AT, "median_runs": 0.5}, (AT, AT + 7 * DAY)),
        ("WS502", {"last_run_at": AT - DAY, "first_at": AT}, (AT - DAY, AT)),
        ("WS503", {"paused_at": AT}, (AT, AT)),
        ("WS511", {"first_at": AT, "without_log_prev": 0}, (AT, AT)),
        ("WS511", {"first_at": AT, "without_log_prev": 1}, None),
        ("WS511", {"first_at": MONDAY, "without_log_prev": None}, None),
        ("WS515", {"first_at": AT, "unheard_prev": 0}, (AT, AT)),
        ("WS515", {"first_at": AT, "unheard_prev": 1}, None),
        ("WS515", {"first_at": MONDAY, "unheard_prev": None}, None),  # of the weeks before nothing is known
        ("WS518", {"since": "2026-11-18"}, (AT - 9 * HOUR, AT + 15 * HOUR)),
        ("WS518", {}, None),
        ("WS522", {"first_at": AT}, None),
        ("WS522", {"first_at": AT, "began_at": AT - 9 * DAY}, (AT - 9 * DAY, AT - 9 * DAY)),
        ("WS630", {"first_at": AT}, None),
        ("WS630", {"first_at": AT, "came_at": AT - HOUR}, (AT - HOUR, AT)),
        ("WS634", {"first_at": AT, "tries_prev": 1}, None),
        ("WS634", {"first_at": MONDAY, "tries_prev": 0}, (MONDAY, MONDAY)),
        ("WS405", {"first_at": AT, "held_prev": 1}, None),
        ("WS405", {"first_at": AT, "held_prev": 0}, (AT, AT)),
        ("WS405", {"first_at": MONDAY, "held_prev": None}, None),  # of the weeks before nothing is known
        (
            "WS202",
            {"changed_from": MONDAY - 14 * DAY, "changed_to": MONDAY - 7 * DAY},
            (MONDAY - 14 * DAY, MONDAY - 7 * DAY),
        ),
        ("WS531", {"newest_at": AT, "longest_gap_s": 3600.0}, (AT, AT + HOUR)),
        ("WS531", {"newest_at": AT, "longest_gap_s": None}, (AT, AT)),
        ("WS632", {"first_at": MONDAY}, (MONDAY, MONDAY)),
        ("WS1xx", {"since": "2026-11-18"}, (AT - 9 * HOUR, AT + 15 * HOUR)),
        ("WS1xx", {"since": "a while"}, None),
        ("WS1xx", {"first_at": AT}, (AT, AT)),
        ("WS1xx", {"first_at": MONDAY}, None),  # as likely as not it was there on Sunday
        ("WS1xx", {"first_at": MONDAY - 3 * DAY}, (MONDAY - 3 * DAY, MONDAY - 3 * DAY)),
        ("WS1xx", {}, None),
    ],
)
def test_a_beginning_is_told_or_it_is_none(code: str, evidence: dict[str, Any], began: Any) -> None:
    assert began_at(finding(code, **evidence), WEEK) == began


# --- the place of a change of rates


@pytest.mark.parametrize(
    ("counts", "rises", "place"),
    [
        ([(8, 0)] * 5 + [(8, 8)] * 2, True, 5),
        ([(8, 1), (8, 0), (8, 1), (8, 5), (8, 3), (8, 6)], True, 3),
        (
            [(8, 0)] * 20 + [(8, 8)] * 2 + [(8, 0)] * 30 + [(8, 7)] * 2,
            True,
            52,
        ),  # what is over is no part of it
        ([(8, 6)] * 4 + [(8, 0)] * 3, False, 4),
        ([(8, 6)] * 4 + [(8, 0)] * 3, True, None),
        ([(8, 3)] * 4, True, None),
        ([(8, 8)], True, None),
        ([], True, None),
        ([(0, 0), (8, 0), (0, 0), (8, 8)], True, 2),  # a day without runs belongs to neither
    ],
)
def test_the_likeliest_day_is_found(counts: list[tuple[int, int]], rises: bool, place: int | None) -> None:
    assert onset(counts, rises=rises) == place


COUNTS = st.lists(
    st.integers(0, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=0, max_size=20
)


@given(COUNTS, st.booleans())
def test_the_rate_after_the_place_is_on_the_side_that_was_asked_for(
    counts: list[tuple[int, int]], rises: bool
) -> None:
    place = onset(counts, rises=rises)
    if place is None:
        return
    before, after = (
        sum(k for _, k in part) / sum(n for n, _ in part) for part in (counts[:place], counts[place:])
    )
    assert after > before if rises else after < before


# --- the rules that count days


def day(at: date, runs: int, lost: int, **more: Any) -> dict[str, Any]:
    morning = datetime(at.year, at.month, at.day, 1, tzinfo=UTC)
    return {
        "dag_id": "d", "day": at, "week": at - timedelta(days=at.weekday()), "runs": runs, "lost_runs": lost, "saved_runs": 0, "no_end_runs": 0, "tries": runs,
        "failures": lost, "hours": 1.0, "first_lost_at": morning + HOUR if lost else None,
        "first_well_at": morning if lost < runs else None,
    } | more  # fmt: skip


def nine_weeks(lost_on: Mapping[date, int], runs: int = 8) -> list[dict[str, Any]]:
    days = [WEEK.minus(8).monday + timedelta(days=place) for place in range(63)]
    return [day(one, runs, lost_on.get(one, 0)) for one in days]


def answers(rows: Sequence[dict[str, Any]]) -> dict[str, Answer]:
    return {"failure_counts_by_dag_day": Answer("failure_counts_by_dag_day", tuple(rows[0]), tuple(rows))}


def test_a_dag_that_fails_since_wednesday_began_with_its_first_lost_run() -> None:
    lost = {WEEK.monday + timedelta(days=place): 8 for place in range(2, 7)}
    (one,) = FailureRateWorse.judge(answers(nine_weeks(lost)), FailureRateWorse.limits(), week=WEEK).findings
    assert one.evidence["began_at"] == datetime(2026, 11, 18, 2, tzinfo=UTC)


def test_a_single_lost_run_on_monday_does_not_make_wednesdays_change_mondays() -> None:
    lost = {WEEK.monday: 1, **{WEEK.monday + timedelta(days=place): 7 for place in range(2, 7)}}
    (one,) = FailureRateWorse.judge(answers(nine_weeks(lost)), FailureRateWorse.limits(), week=WEEK).findings
    assert one.evidence["began_at"] == datetime(2026, 11, 18, 2, tzinfo=UTC)


def test_a_dag_that_recovered_began_to_with_its_first_run_that_was_not_lost() -> None:
    mended = WEEK.monday + timedelta(days=1)
    lost = {row["day"]: 6 for row in nine_weeks({}) if row["day"] < mended}
    (one,) = FailureRateBetter.judge(
        answers(nine_weeks(lost)), FailureRateBetter.limits(), week=WEEK
    ).findings
    assert one.evidence["began_at"] == datetime(2026, 11, 17, 1, tzinfo=UTC)


def test_what_is_broken_began_with_its_first_lost_run() -> None:
    rows = nine_weeks({WEEK.minus(2).monday + timedelta(days=place): 8 for place in range(-7, 21)})
    (one,) = Broken.judge(answers(rows), Broken.limits(), week=WEEK).findings
    assert began_at(one, WEEK) == (datetime(2026, 10, 26, 2, tzinfo=UTC),) * 2
    new = [row | {"dag_id": "new", "lost_runs": 8, "first_lost_at": AT} for row in rows[-5:]]
    (one,) = BornBroken.judge(answers([*nine_weeks({}), *new]), BornBroken.limits(), week=WEEK).findings
    assert began_at(one, WEEK) == (AT, AT)


# --- pools


def test_a_pool_is_full_since_the_first_of_the_weeks_in_a_row() -> None:
    def weeks(*hours: float, gap: int = 0) -> dict[str, Answer]:
        rows = [
            {"pool": "p", "week": WEEK.minus(len(hours) - 1 - place + gap * (place == 0)).monday, "wait_hours": value,
             "first_full_at": AT - (len(hours) - 1 - place) * 7 * DAY if value else None}
            for place, value in enumerate(hours)
        ]  # fmt: skip
        return {"pool_wait_by_week": Answer("pool_wait_by_week", ("pool",), tuple(rows))}

    assert full_since(weeks(0.0, 0.4, 9.0), "p", 1.0) == {"began_at": AT}
    assert full_since(weeks(0.0, 5.0, 9.0), "p", 1.0) == {"began_at": AT - 7 * DAY}
    assert full_since(weeks(5.0, 5.0, 9.0), "p", 1.0) == {}  # as old as what is read
    assert full_since(weeks(0.0, 9.0, gap=1), "p", 1.0) == {}  # the week between was not seen
    assert full_since(weeks(0.0, 9.0), "other", 1.0) == {}


# --- rules that ask how it was before


@pytest.mark.parametrize(
    ("past", "began_week"),
    [
        ([10.0, 10.0, 25.0, 26.0], 1),
        ([10.0, 25.0, 25.0, 26.0], 2),
        ([10.0, 10.0, 10.0, 26.0], None),  # this week: no more is known than that
        ([25.0, 25.0, 25.0, 26.0], None),  # as old as what is read
        ([10.0, None, 25.0, 26.0], None),  # the week between was not seen
    ],
)
def test_a_file_nears_its_limit_since_the_first_of_the_weeks_in_a_row(
    past: list[float | None], began_week: int | None
) -> None:
    of = {"source": "stats_table", "bundle_name": "git", "dag_file": "slow.py", "samples": 500}
    weeks = [
        of | {"week": WEEK.minus(len(past) - 1 - n).monday, "median_s": 9.0, "p95_s": one}
        for n, one in enumerate(past)
        if one is not None
    ]
    now = of | {"median_s": 20.0, "p95_s": past[-1], "max_s": 27.0}
    given = {name: Answer(name, tuple(rows[0]), tuple(rows))
             for name, rows in (("parse_time_by_file", [now]), ("parse_time_by_week", weeks))}  # fmt: skip
    (one,) = ParseTimeNearLimit.judge(given, ParseTimeNearLimit.limits(), week=WEEK).findings
    expected = WEEK.minus(began_week).from_at if began_week is not None else None
    assert began_at(one, WEEK) == (expected and (expected, expected + 7 * DAY))


@pytest.mark.parametrize(("first_version", "began"), [(1, AT - 20 * DAY), (7, None)])
def test_a_start_date_moves_since_the_first_version_where_that_is_known(
    first_version: int, began: datetime | None
) -> None:
    row = {"dag_id": "d", "versions": 9, "bundle_versions": 1, "days": 5, "first_at": AT, "last_at": AT}
    rows = [
        {"dag_id": "d", "version_number": first_version + n, "first_at": AT - (20 - n) * DAY}
        for n in range(4)
    ]
    given = {name: Answer(name, tuple(these[0]), tuple(these))
             for name, these in (("dag_versions_of_week", [row]), ("dag_versions", rows))}  # fmt: skip
    (one,) = StartDateMoves.judge(given, StartDateMoves.limits(), week=WEEK).findings
    assert began_at(one, WEEK) == (began and (began, began))


@pytest.mark.parametrize(
    ("hours", "weeks_ago"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 9, 9], 1),
        ([0, 0, 0, 0, 0, 9, 5, 7, 9], 3),
        ([0, 0, 0, 0, 0, 0, 0, 2.5, 9], None),  # this week alone: no more than the week is known
        ([0, 0, 0, 0, 0, 0, 2.5, 5, 5], 1),
        ([0, 0, 0, 0, 0, 0, 2.6, 5, 5], None),  # it had half as much the week before: no step
        ([0, 0, 0, 0, 0, 0, None, 9, 9], None),  # nothing is known of the week before
        ([9] * 9, None),  # older than what is read
        ([], None),
    ],
)
def test_waiting_began_in_the_first_of_the_weeks_in_a_row(
    hours: Sequence[float | None], weeks_ago: int | None
) -> None:
    told = risen_since(hours, 5.0, 2.5, WEEK)
    first = WEEK.minus(weeks_ago).from_at if weeks_ago is not None else None
    assert told == ({"changed_from": first, "changed_to": first + 7 * DAY} if first else {})


@pytest.mark.parametrize(
    ("failed", "since"),
    [
        ([0] * 20 + [8] * 5, "2026-11-15"),
        ([1] * 20 + [9] * 5, "2026-11-15"),
        ([3] * 25, None),  # as ever
        ([0, *[3] * 24], None),  # a good day at the beginning proves nothing
        ([2, 4, 1, 3, 5] * 5, None),
    ],
)
def test_messages_began_where_more_tries_fail_than_chance_explains(
    failed: Sequence[int], since: str | None
) -> None:
    days = tuple(
        {"dag_id": "d", "day": date(2026, 10, 26) + timedelta(days=n), "tries": 10, "failures": k}
        for n, k in enumerate(failed)
    )
    given = {"failure_counts_by_dag_day": Answer("failure_counts_by_dag_day", ("dag_id",), days)}
    assert failing_since(given, "d") == ({"since": since} if since else {})
    assert failing_since(given, "other") == {}
