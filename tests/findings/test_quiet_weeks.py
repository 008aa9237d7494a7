"""A whole quiet week of a healthy fleet through every question and every rule: all had something to judge, none had anything to
warn of. `benchmarks.judging.quiet` prints twenty."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from benchmarks.judging.quiet import QuietWeek, had_something, judge_week, loud, quiet_fleet

from windsock.findings import RULES

pytestmark = pytest.mark.long

BY_NATURE = {
    "WS902": "speaks of what the data checks warn of; all of them ran, and none did",
}
"""Rules that have nothing to weigh in a healthy week, and why. Of WS621 the upgrade is weighed: the fleet's was a patch that
changed no meaning."""

TOLD = {
    "WS620": "info: the week after an upgrade is told of, and that nothing changed",
}
"""What is said of a healthy week all the same: news without a demand."""


@pytest.fixture(scope="session")
def quiet_week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuietWeek]:
    """One lake for all tests: made, checked, asked and judged once."""
    yield judge_week(tmp_path_factory.mktemp("quiet"), quiet_fleet(2))


@pytest.mark.parametrize("code", sorted(rule.code for rule in RULES))
def test_a_rule_with_something_to_judge_has_nothing_to_warn_of(quiet_week: QuietWeek, code: str) -> None:
    if code not in BY_NATURE:
        assert had_something(quiet_week, code), f"nothing to judge: {quiet_week.rows(code)}"
        assert any(quiet_week.rows(code).values()), "its questions gave no rows"
    said = [one for one in quiet_week.judgement.findings if one.code == code]
    if code not in TOLD:
        assert said == []
    assert all(one.severity == "info" for one in said)


def test_what_is_told_of_an_upgrade_without_effect_is_that_it_had_none(quiet_week: QuietWeek) -> None:
    (one,) = (one for one in quiet_week.judgement.findings if one.code == "WS620")
    assert "no evidence of a change in runs lost" in one.headline


def test_the_rules_without_anything_to_weigh_had_their_input(quiet_week: QuietWeek) -> None:
    assert quiet_week.rows("WS621")["changes_of_deployment"] == 2
    assert quiet_week.checks > 30


def test_a_loud_week_is_seen_as_one(quiet_week: QuietWeek) -> None:
    """The same judgement with one warning more: what the benchmark counts is not blind."""
    (one,) = (one for one in quiet_week.judgement.findings if one.code == "WS620")
    assert loud(quiet_week.judgement.findings) == []
    assert loud([replace(one, severity="warning")]) == [f"WS620 {one.headline}"]
