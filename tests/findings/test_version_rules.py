"""Rules of versions: runs that mix two commits, DAGs that make versions by themselves."""

from datetime import UTC, datetime
from typing import Any

import pytest

from windsock.findings.rule import Rule
from windsock.findings.rules.ws601_mixed_versions import MixedVersions
from windsock.findings.rules.ws602_version_inflation import VersionInflation
from windsock.findings.rules.ws603_broken_commit_rerun import BrokenCommitRerun
from windsock.findings.rules.ws604_bundle_slow import BundleSlow
from windsock.findings.rules.ws605_renamed_dag import RenamedDag
from windsock.findings.rules.ws606_mass_rerun import MassRerun
from windsock.findings.rules.ws607_renamed_task import RenamedTask
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


def test_where_airflow_warns_of_the_cause_the_advice_names_its_line() -> None:
    row = made(cause="line 12: Don't use runtime-varying value as argument in Dag constructor")
    (one,) = found(VersionInflation, "dag_versions_of_week", [row])
    assert (
        one.advice
        == "Airflow warns of it in the DAG's file, line 12: Don't use runtime-varying value as argument in Dag constructor."
    )
    (one,) = found(VersionInflation, "dag_versions_of_week", [made(cause=None)])
    assert one.advice.startswith("Look for what differs")


@pytest.mark.parametrize(("rows", "is_blind"), [((), True), (({"dag_id": "d", "version_number": 1},), False)])
def test_without_versions_nothing_is_said_to_be_well(
    rows: tuple[dict[str, Any], ...], is_blind: bool
) -> None:
    answers = {"dag_versions": Answer("dag_versions", ("dag_id", "version_number"), rows)}
    told = VersionInflation.judge(answers, VersionInflation.limits(), week=WEEK)
    assert bool(told.no_data) == is_blind


def rerun(**changes: Any) -> dict[str, Any]:
    return {"dag_id": "d", "bundle_name": "git", "reruns": 5, "same": 4, "same_failed": 3, "newer": 1, "newer_failed": 0,
            "older": 0, "older_failed": 0, "stale": 4, "repeated": 3, "repeated_runs": 2, "last_run_id": "r", "last_version": "aaa",
            "newest_version": "b" * 40, "first_at": AT, "last_at": AT} | changes  # fmt: skip


@pytest.mark.parametrize(("repeated", "is_found"), [(0, False), (2, False), (3, True), (4, True)])
def test_the_broken_commit_run_again_is_told_from_three_on(repeated: int, is_found: bool) -> None:
    told = found(BrokenCommitRerun, "reruns_by_bundle", [rerun(repeated=repeated)])
    assert [one.severity for one in told] == ["watch"] * is_found


@pytest.mark.parametrize(
    ("version", "advised"),
    [
        ("3.0.6", "clears onto the latest code it knows"),
        ("3.1.6", "clear the whole run"),
        ("3.2.0", "rerun_with_latest_version"),
        ("3.3.2", "rerun_with_latest_version"),
        (None, "rerun_with_latest_version"),
    ],
)
def test_what_a_clear_runs_depends_on_the_version(version: str | None, advised: str) -> None:
    settings = Answer("parse_settings", ("airflow_version",), ({"airflow_version": version},))
    rows = Answer("reruns_by_bundle", (), (rerun(),))
    given = {"parse_settings": settings, "reruns_by_bundle": rows}
    (finding,) = BrokenCommitRerun.judge(given, BrokenCommitRerun.limits(), week=WEEK).findings
    assert advised in finding.advice
    assert finding.evidence["on_newer_code"] == "0 of 1 failed"


def bundle(**changes: Any) -> dict[str, Any]:
    return {"bundle_name": "git", "dags": 3, "tries": 30, "versioned": 30, "versions": 2, "prepared": 20,
            "prepare_p50_s": 3.0, "prepare_p95_s": 10.0, "prepare_hours": 1.0, "run_hours": 9.0, "prepare_share": 0.1} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"prepared": 19}, False),
        ({"prepared": 0, "prepare_p95_s": None}, False),
        ({"prepare_p95_s": 9.9}, False),
        ({"prepare_p95_s": 60.0}, True),
        ({"prepare_hours": 0.9}, False),
        ({"prepare_hours": 5.0}, True),
    ],
)
def test_a_slow_bundle_is_slow_and_costs_an_hour(changes: dict[str, Any], is_found: bool) -> None:
    assert bool(found(BundleSlow, "bundles_of_week", [bundle(**changes)])) == is_found


@pytest.mark.parametrize(
    ("rows", "is_blind"), [([], True), ([bundle(versioned=0)], True), ([bundle()], False)]
)
def test_mixed_code_of_a_bundle_without_versions_is_unknown(
    rows: list[dict[str, Any]], is_blind: bool
) -> None:
    given = {"bundles_of_week": Answer("bundles_of_week", (), tuple(rows))}
    assert bool(MixedVersions.judge(given, MixedVersions.limits(), week=WEEK).no_data) == is_blind


def renamed(**changes: Any) -> dict[str, Any]:
    return {"dag_id": "new", "former_dag_id": "old", "dag_file": "x.py", "tasks": 2, "alike": 3, "runs": 3, "former_runs": 3,
            "former_until": AT, "first_at": AT, "gap_s": 8 * 86400.0} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"tasks": 1}, False),
        ({"dag_file": "", "tasks": 3}, False),
        ({"dag_file": "", "tasks": 4}, True),
        ({"alike": 4}, False),
        ({"alike": 2}, True),
        ({"runs": 2}, False),
        ({"former_runs": 2}, False),
        ({"runs": 4}, True),
        ({"gap_s": 8 * 86400.0 + 1}, False),
        ({"gap_s": 0.0}, True),
    ],
)
def test_a_rename_is_proposed_where_two_dags_are_one(changes: dict[str, Any], is_found: bool) -> None:
    assert bool(found(RenamedDag, "renamed_dags", [renamed(**changes)])) == is_found


def new_task(told_by: str, **changes: Any) -> dict[str, Any]:
    runs = 3 if told_by == "readings" else 5
    return {"dag_id": "d", "task_id": "load_rows", "former_task_id": "load", "told_by": told_by, "operator": "PythonOperator", "kept": 1,
            "alike": 1, "runs": runs, "former_runs": runs, "runs_since": runs, "runs_before": runs, "shared_runs": 0,
            "former_until": AT, "first_at": AT, "work_s": 20.0, "former_work_s": 10.0} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("told_by", "changes", "is_found"),
    [
        ("readings", {}, True),
        ("readings", {"runs": 2}, False),
        ("readings", {"former_runs": 2}, False),
        ("readings", {"kept": 2}, True),
        ("readings", {"kept": 0}, False),
        ("readings", {"kept": 0, "task_id": "etl.load"}, True),  # put into a group
        ("readings", {"alike": 2}, False),  # one became two
        ("readings", {"alike": 2, "task_id": "etl.load"}, False),
        ("readings", {"shared_runs": 1}, False),
        ("readings", {"work_s": 90.0, "runs_since": 30}, True),  # its place in the DAG says enough
        ("readings", {"work_s": None}, True),
        ("runs", {}, True),
        ("runs", {"runs": 4}, False),
        ("runs", {"former_runs": 4}, False),
        ("runs", {"kept": 0}, False),
        ("runs", {"alike": 2}, False),
        ("runs", {"shared_runs": 1}, False),
        ("runs", {"work_s": 20.1}, False),
        ("runs", {"former_work_s": 41.0}, False),
        ("runs", {"work_s": None}, False),
        ("runs", {"runs": 8, "runs_since": 10}, True),
        ("runs", {"runs": 7, "runs_since": 10}, False),
        ("runs", {"former_runs": 7, "runs_before": 10}, False),
    ],
)
def test_a_rename_is_proposed_where_two_tasks_are_one(
    told_by: str, changes: dict[str, Any], is_found: bool
) -> None:
    told = found(RenamedTask, "renamed_tasks", [new_task(told_by, **changes)])
    assert bool(told) == is_found
    assert all('renamed = {"d/' in one.advice for one in told)


def test_what_only_runs_tell_is_called_a_likeness() -> None:
    (read,) = found(RenamedTask, "renamed_tasks", [new_task("readings")])
    (seen,) = found(RenamedTask, "renamed_tasks", [new_task("runs")])
    assert read.headline.startswith("load_rows of d is probably load under a new name, since")
    assert seen.headline.startswith("load_rows of d looks like load under a new name, since")
    assert read.severity == seen.severity == "info"


def by_hand(**changes: Any) -> dict[str, Any]:
    return {"kind": "backfill", "dag_id": "d", "runs": 20, "tries": 40, "lost_runs": 1, "hours": 3.0, "hours_share": 0.05,
            "first_at": AT, "last_at": AT} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        ([by_hand()], ["backfill"]),
        ([by_hand(runs=19)], []),
        ([by_hand(hours_share=0.049)], []),
        ([by_hand(runs=10, hours_share=0.03), by_hand(dag_id="e", runs=10, hours_share=0.03)], ["backfill"]),
        ([by_hand(kind="cleared"), by_hand(kind="quiet")], ["cleared", "quiet"]),
        ([by_hand(kind="manual", runs=999, hours_share=0.9)], []),  # how many DAGs are run
        ([], []),
    ],
)
def test_bulk_work_is_told_as_such(rows: list[dict[str, Any]], kinds: list[str]) -> None:
    told = found(MassRerun, "runs_made_by_hand", rows)
    assert [one.subject["kind"] for one in told] == kinds
    assert all(one.severity == "info" for one in told)


def test_bulk_work_says_how_much_of_it_was_lost() -> None:
    rows = [by_hand(lost_runs=7), by_hand(dag_id="e", lost_runs=0)]
    (told,) = found(MassRerun, "runs_made_by_hand", rows)
    assert (
        told.headline
        == "Backfills: 40 runs of 2 DAGs (7 of them lost), 6.0 hours of work, 10 % of the week's"
    )
    (well,) = found(MassRerun, "runs_made_by_hand", [by_hand(lost_runs=0)])
    assert "lost" not in well.headline
