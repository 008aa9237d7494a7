"""Before and after a change of the deployment: the method, the two rules, and their silence."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from benchmarks.judging import upgrades as simulated

from windsock import resources
from windsock.findings.methods.before_after import judge_days
from windsock.findings.rule import Rule
from windsock.findings.rules.ws620_since_change import SinceChange
from windsock.findings.rules.ws621_meanings_changed import MeaningsChanged
from windsock.findings.upgrades import meanings_answer
from windsock.model import Answer, Finding, Row
from windsock.reviewed.meanings import crossed, load_meanings
from windsock.reviewed.metric_gaps import version_numbers
from windsock.week import Week

WEEK = Week.parse("2026-W47")
AT = datetime(2026, 11, 18, 6, tzinfo=UTC)
MEANINGS = load_meanings(resources.folder("sql"))


# --- the method


def dated(values: Sequence[float], first: date) -> dict[date, float]:
    return {first + timedelta(days=place): float(value) for place, value in enumerate(values)}


def series(
    after: int, shift: float, before: int = 56, seed: int = 1
) -> tuple[dict[date, float], dict[date, float]]:
    noise = np.random.default_rng(seed).normal(0, 1, before + after)
    return dated(noise[:before], date(2026, 9, 21)), dated(
        noise[before:] + shift, date(2026, 9, 22) + timedelta(days=before)
    )


@pytest.mark.parametrize(
    ("shift", "word"), [(0.0, "no evidence"), (6.0, "worse"), (-6.0, "better"), (0.5, "no evidence")]
)
def test_the_four_words(shift: float, word: str) -> None:
    assert judge_days(*series(5, shift), least_shift=0.1).word == word


@pytest.mark.parametrize(("before", "after", "is_enough"), [(28, 3, True), (27, 3, False), (28, 2, False)])
def test_three_days_after_four_weeks_are_enough(before: int, after: int, is_enough: bool) -> None:
    found = judge_days(*series(after, 20.0, before), least_shift=0.1)
    assert found.word == ("worse" if is_enough else "not enough data")


@pytest.mark.parametrize(("least", "word"), [(5.0, "worse"), (7.5, "no evidence")])
def test_a_sure_shift_may_be_too_small_to_matter(least: float, word: str) -> None:
    assert judge_days(*series(7, 6.0), least_shift=least).word == word


def test_a_weekend_is_held_against_weekends() -> None:
    weekly = [10.0 * (place % 7 >= 5) for place in range(56)]
    noise = np.random.default_rng(3).normal(0, 0.5, 60)
    before = dated(np.array(weekly) + noise[:56], date(2026, 9, 21))  # a Monday
    weekend = {date(2026, 11, 20): 0.1, date(2026, 11, 21): 10.2, date(2026, 11, 22): 9.9}
    assert judge_days(before, weekend, least_shift=0.1).word == "no evidence"
    assert (
        judge_days(before, {day: value + 9 for day, value in weekend.items()}, least_shift=0.1).word
        == "worse"
    )


def test_a_span_as_bad_as_an_earlier_one_is_no_evidence() -> None:
    before, after = series(4, 6.0)
    for day in list(before)[20:24]:
        before[day] += 8.0
    assert judge_days(before, after, least_shift=0.1).word == "no evidence"


def test_false_alarms_are_rare_on_simulated_days() -> None:
    got = simulated.score(range(60))
    assert got.false_alarms <= 0.03
    assert got.power[3.0] >= 0.6


# --- WS620


def changed(
    kind: str = "version", subject: str = "Airflow", before: str = "2.11.2", after: str = "3.1.6"
) -> Row:
    return {
        "kind": kind,
        "subject": subject,
        "before": before,
        "after": after,
        "from_at": AT - timedelta(hours=9),
        "until_at": AT,
    }


def days(
    figure: str,
    shift: float,
    code: str = "all",
    after: int = 4,
    n: int = 50,
    scale: float = 0.01,
    first_at: datetime = AT,
) -> list[Row]:
    noise = np.random.default_rng(7).normal(0, scale, 60)
    first = date(2026, 9, 22)
    rows = []
    for place in range(56 + after):
        is_after = place >= 56
        day = first + timedelta(days=place + is_after)
        rows.append(
            {
                "since_at": AT,
                "first_at": first_at,
                "figure": figure,
                "code": code,
                "day": day,
                "is_after": is_after,
                "value": noise[place] + shift * is_after,
                "n": n,
            }
        )
    return rows


def found(rule: type[Rule], **rows: Sequence[Row]) -> list[Finding]:
    given: Mapping[str, Answer] = {
        name: Answer(name, tuple(these[0]) if these else (), tuple(these)) for name, these in rows.items()
    }
    answers = {**given, "meanings_of_upgrade": meanings_answer(given, MEANINGS)}
    return rule.judge(answers, rule.limits(), week=WEEK).findings


def test_without_a_change_nothing_is_told() -> None:
    assert found(SinceChange, days_around_change=days("lost_runs", 0.5), changes_of_deployment=[]) == []
    assert found(MeaningsChanged, changes_of_deployment=[]) == []


@pytest.mark.parametrize(
    ("figure", "shift", "severity", "word"),
    [
        ("lost_runs", 0.20, "warning", "runs lost worse (20.6 points more)"),
        ("lost_runs", -0.20, "info", "runs lost better"),
        ("duration", 0.5, "watch", "durations worse (1.7 times)"),
        ("parse", 0.5, "watch", "parse time worse"),
        ("wait", 0.2, "info", "no evidence of a change in waiting"),  # below what is worth a word
        ("wait", 0.3, "watch", "waiting worse"),
        ("duration", 0.0, "info", "no evidence of a change in durations"),
    ],
)
def test_each_figure_has_its_word(figure: str, shift: float, severity: str, word: str) -> None:
    (one,) = found(SinceChange, days_around_change=days(figure, shift), changes_of_deployment=[changed()])
    assert (one.severity, word in one.headline) == (severity, True), one.headline
    assert one.headline.startswith("Since Airflow 2.11.2 → 3.1.6: ")
    assert one.evidence["changed"] == [
        "Airflow 2.11.2 → 3.1.6, between Tue 17 Nov 21:00 UTC and Wed 18 Nov 06:00 UTC"
    ]
    assert "cannot be told apart" in one.advice


@pytest.mark.parametrize(
    ("after", "n", "is_told"), [(2, 50, False), (3, 50, True), (3, 5, True), (3, 4, False)]
)
def test_too_little_is_no_finding_yet(after: int, n: int, is_told: bool) -> None:
    rows = days("lost_runs", 0.3, after=after, n=n)
    assert bool(found(SinceChange, days_around_change=rows, changes_of_deployment=[changed()])) is is_told


@pytest.mark.parametrize(("same", "is_split"), [(15, True), (14, False)])
def test_code_that_stayed_is_judged_alone_where_there_is_enough_of_it(same: int, is_split: bool) -> None:
    """All runs fail more, those on the old code do not: the commit did it, not the upgrade."""
    rows = [*days("lost_runs", 0.3), *days("lost_runs", 0.0, code="same", n=same)]
    (one,) = found(SinceChange, days_around_change=rows, changes_of_deployment=[changed()])
    assert ("changes of code are left out" in one.advice) is is_split
    assert ("runs lost worse" in one.headline) is not is_split


def test_changes_that_lie_together_are_judged_as_one_and_it_says_so() -> None:
    """An upgrade on Monday and a setting on Wednesday: nobody knows which of them it was."""
    monday = AT - timedelta(days=2)
    rows = [{**changed(), "until_at": monday}, changed("setting", "core.parallelism", "32", "64")]
    (one,) = found(
        SinceChange,
        days_around_change=days("lost_runs", 0.3, first_at=monday),
        changes_of_deployment=rows,
    )
    assert one.headline.startswith("Since Airflow 2.11.2 → 3.1.6 and setting core.parallelism 32 → 64: ")
    assert (one.severity, len(one.evidence["changed"])) == ("warning", 2)
    assert "which of them it was cannot be told" in one.advice
    more = [*rows, changed("executor", "", "LocalExecutor", "CeleryExecutor")]
    (one,) = found(
        SinceChange,
        days_around_change=days("duration", 0.0, first_at=monday),
        changes_of_deployment=more,
    )
    assert one.headline.startswith("Since Airflow 2.11.2 → 3.1.6 and 2 more: ")


FIRST = AT - timedelta(days=7)
TWO = [
    {**changed(), "from_at": FIRST - timedelta(hours=9), "until_at": FIRST},
    changed("setting", "core.parallelism", "32", "64"),
]


def two_changes(since_first: float, since_second: float, between: int = 7) -> list[Finding]:
    """Runs lost: on the days since the upgrade of last week, and on those since this week's setting."""
    noise = np.random.default_rng(7).normal(0, 0.01, 63)
    rows: list[Row] = []
    for place in range(63):
        day = date(2026, 9, 21) + timedelta(days=place)
        value = noise[place]
        if day > FIRST.date():
            value += since_second if day > AT.date() else since_first
        row = {"figure": "lost_runs", "code": "all", "day": day, "value": value, "n": 50}
        is_between = FIRST.date() < day < AT.date()
        if (is_between and (AT.date() - day).days <= between) or day < FIRST.date():
            rows.append({**row, "since_at": FIRST, "first_at": FIRST, "is_after": is_between})
        if day != AT.date() and not (is_between and (AT.date() - day).days > between):
            rows.append({**row, "since_at": AT, "first_at": AT, "is_after": day > AT.date()})
    return found(SinceChange, days_around_change=rows, changes_of_deployment=TWO)


@pytest.mark.parametrize(
    ("since_first", "since_second", "told"),
    [
        (0.0, 0.3, [("info", "no evidence of a change in runs lost"), ("warning", "runs lost worse (")]),
        (0.3, 0.0, [("warning", "runs lost worse ("), ("info", "no evidence of a change in runs lost")]),
        (0.0, 0.0, [("info", "no evidence of a change in runs lost")] * 2),
        (0.1, 0.5, [("warning", "runs lost worse (1"), ("warning", "runs lost worse (5")]),
    ],
)
def test_each_change_of_the_fortnight_is_judged_by_itself(
    since_first: float, since_second: float, told: list[tuple[str, str]]
) -> None:
    made = two_changes(since_first, since_second)
    assert [one.headline.partition(": ")[0] for one in made] == [
        "Since Airflow 2.11.2 → 3.1.6",
        "Since setting core.parallelism 32 → 64",
    ]
    for one, (severity, words) in zip(made, told, strict=True):
        assert (one.severity, words in one.headline) == (severity, True), one.headline
        assert "or already since" not in one.headline


def test_what_began_with_the_change_before_is_not_laid_on_the_later_one() -> None:
    """The days between are too few to judge the upgrade by, and as bad as those after the setting."""
    (one,) = two_changes(0.3, 0.3, between=2)
    assert one.severity == "warning"  # nobody else tells it
    assert one.headline.endswith(" points more), or already since Airflow 2.11.2 → 3.1.6")


# --- WS621


def test_every_meaning_is_whole_and_in_order() -> None:
    for one in MEANINGS:
        assert all((one.what, one.before, one.after, one.look_at, one.source)), one
    versions = [version_numbers(one.since_version) for one in MEANINGS]
    assert versions == sorted(versions)


@pytest.mark.parametrize(
    ("before", "after", "what", "is_crossed"),
    [
        ("2.11.2", "3.0.0", "max_active_tasks", True),
        ("2.11.1", "2.11.2", "max_active_tasks", False),
        ("3.0.0", "3.1.6", "max_active_tasks", False),
        ("3.1.6", "3.2.0", "metric names", True),
        ("3.2.0", "3.3.2", "metric names", False),
        ("2.6.3", "2.7.0", "max_tis_per_query", True),
        ("3.1.6", "2.11.2", "max_active_tasks", False),  # the way down
        ("2 (schema of 2.11)", "3.1.6", "max_active_tasks", True),
        ("", "3.1.6", "max_active_tasks", False),
    ],
)
def test_what_an_upgrade_crosses(before: str, after: str, what: str, is_crossed: bool) -> None:
    assert (what in {one.what for one in crossed(MEANINGS, before, after)}) is is_crossed


def test_changed_meanings_are_one_finding_with_the_peaks_beside() -> None:
    peaks: list[dict[str, Any]] = [
        {"week": WEEK.monday - timedelta(days=7), "grain": "deployment", "peak": 40, "tries": 9},
        {"week": WEEK.monday, "grain": "deployment", "peak": 96, "tries": 9},
        {"week": WEEK.monday, "grain": "dag", "peak": 500, "tries": 9},
    ]
    (one,) = found(
        MeaningsChanged, changes_of_deployment=[changed(before="2.11.2", after="3.0.6")], peaks_by_week=peaks
    )
    assert one.severity == "info"
    assert (one.evidence["peak_before"], one.evidence["peak_now"]) == (40, 96)
    assert "counts the tasks of each run" in one.advice
    assert len(one.evidence["meanings"]) == sum(one.since_version == "3.0.0" for one in MEANINGS)


@pytest.mark.parametrize(
    "row", [changed(before="2.11.1", after="2.11.2"), changed("setting", "core.parallelism", "32", "64")]
)
def test_an_upgrade_that_changes_no_meaning_is_silent(row: Row) -> None:
    assert found(MeaningsChanged, changes_of_deployment=[row]) == []
