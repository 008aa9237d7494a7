"""Known issues: each rule fires on its example, names a version range and an issue, and never on the log of a success."""

from pathlib import Path

import pytest

from tests.parse.component.test_corpora import CORPORA
from windsock import pipeline as story
from windsock.errors import ConfigError
from windsock.model import BLAMES, Parsed
from windsock.parse import parse_key, read_task_log
from windsock.reviewed.known_issues import KnownIssue, load_known_issues
from windsock.reviewed.metric_gaps import version_numbers

ROOT = Path(__file__).parents[1]
ISSUES = load_known_issues(ROOT / "sql")
SAMPLES = ROOT / "data" / "sample"


def successes(root: Path) -> int:
    """Successful logs below `root` in which no rule finds its sign; fails on the first that does."""
    count = 0
    for path in sorted(root.rglob("*")):
        key = parse_key(str(path)) if path.is_file() else None
        if key is None or key.kind != "attempt":
            continue
        outcome = read_task_log(
            key, path.read_bytes(), object_url=str(path), etag="", modified_at=None, lines="all"
        )
        if not isinstance(outcome, Parsed) or outcome.rows["task_logs"][0]["state"] != "success":
            continue
        count += 1
        for row in outcome.rows["log_events"]:
            hit = [one.name for one in ISSUES if one.is_in(str(row["message"]))]
            assert not hit, (path, hit, row["message"])
    return count


def test_no_rule_fires_on_a_success_of_the_sample() -> None:
    assert successes(SAMPLES) > 500


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
def test_no_rule_fires_on_a_success_of_the_corpora() -> None:
    assert successes(CORPORA) > 400


@pytest.mark.parametrize("issue", ISSUES, ids=lambda one: one.name)
def test_a_rule_is_whole_and_fires_on_its_example(issue: KnownIssue) -> None:
    assert issue.is_in(issue.example)
    assert issue.issue > 1000
    assert issue.advice.endswith(".")
    assert issue.fixed
    assert issue.blame in BLAMES
    assert not issue.before_version or version_numbers(issue.since_version) < version_numbers(
        issue.before_version
    )
    assert f"#{issue.issue}" in story.explain(issue.name)


def test_there_are_enough_rules_and_a_version_picks_among_them() -> None:
    assert len(ISSUES) >= 15
    by_name = {one.name: one for one in ISSUES}
    mismatch = by_name["deferral_state_mismatch"]
    versions = ("2.11.2", "3.0.0", "3.2.1", "3.2.2", "")
    assert [mismatch.concerns(one) for one in versions] == [False, True, True, False, True]


def test_explain_lists_them_and_refuses_what_is_neither() -> None:
    assert "jwt_secret_differs" in story.explain("WS115")
    with pytest.raises(ConfigError, match="neither a finding nor a known issue"):
        story.explain("nope")
