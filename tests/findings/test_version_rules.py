"""Rules of versions: runs that mix two commits, DAGs that make versions by themselves."""

from datetime import UTC, datetime
from typing import Any

import pytest

from windsock.findings.rule import Rule
from windsock.findings.ws601_mixed_versions import MixedVersions
from windsock.findings.ws602_version_inflation import VersionInflation
from windsock.model import Answer, Finding
from windsock.week import Week

WEEK = Week.parse("2026-W47")
AT = datetime(2026, 11, 18, 9, tzinfo=UTC)


def found(rule: type[Rule], question: str, rows: list[dict[str, Any]]) -> list[Finding]:
    answer = Answer(question, tuple(rows[0]) if rows else (), tuple(rows))
    return rule.judge({question: answer}, rule.limits(), week=WEEK).findings


def mixed(number: int, **changes: Any) -> dict[str, Any]:
    return {"dag_id": f"d{number}", "run_id": f"r{number}", "run_type": "scheduled", "bundle_name": "git", "versions": 2,
            "first_version": "aaa", "last_version": "bbb", "tries_before": 1, "tries_after": 1, "changed_at": AT,
            "is_rerun": False, "is_lost": False} | changes  # fmt: skip


@pytest.mark.parametrize(("runs", "is_found"), [(0, False), (2, False), (3, True), (4, True)])
def test_mixed_runs_are_a_finding_from_three_on(runs: int, is_found: bool) -> None:
    rows = [mixed(n) for n in range(runs)]
    assert bool(found(MixedVersions, "runs_of_two_versions", rows)) == is_found


def test_reruns_on_other_code_are_counted_apart() -> None:
    rows = [mixed(n) for n in range(3)] + [mixed(n, is_rerun=True) for n in range(3, 9)]
    (finding,) = found(MixedVersions, "runs_of_two_versions", rows)
    assert (finding.evidence["runs"], finding.evidence["reruns_on_other_code"]) == (3, 6)
    assert finding.headline == "3 runs of 3 DAGs mixed two commits of bundle git"
    assert found(MixedVersions, "runs_of_two_versions", rows[3:]) == []


def test_each_bundle_is_judged_alone() -> None:
    rows = [mixed(n, bundle_name=name) for name in ("git", "other") for n in range(2)]
    assert found(MixedVersions, "runs_of_two_versions", rows) == []


def made(**changes: Any) -> dict[str, Any]:
    return {"dag_id": "d", "bundle_name": "git", "versions": 10, "bundle_versions": 3, "days": 3, "last_version": 40,
            "first_at": AT, "last_at": AT} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"versions": 9}, False),
        ({"bundle_versions": 4}, False),
        ({"days": 2}, False),
        ({"bundle_versions": 0}, True),
        ({"versions": 12, "bundle_versions": 4}, True),
    ],
)
def test_versions_inflate_when_commits_do_not_explain_them(changes: dict[str, Any], is_found: bool) -> None:
    assert bool(found(VersionInflation, "dag_versions_of_week", [made(**changes)])) == is_found


@pytest.mark.parametrize(("rows", "is_blind"), [((), True), (({"dag_id": "d", "version_number": 1},), False)])
def test_without_versions_nothing_is_said_to_be_well(
    rows: tuple[dict[str, Any], ...], is_blind: bool
) -> None:
    answers = {"dag_versions": Answer("dag_versions", ("dag_id", "version_number"), rows)}
    told = VersionInflation.judge(answers, VersionInflation.limits(), week=WEEK)
    assert bool(told.no_data) == is_blind
