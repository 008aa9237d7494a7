"""WS518 to WS524: below, at and above each threshold, and nothing in a quiet week."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.findings.test_rules import WEEK, answers, found
from windsock.findings import judge_all
from windsock.findings.rules.ws110_incident import Incident
from windsock.findings.rules.ws518_many_messages import ManyMessages
from windsock.findings.rules.ws519_no_failure_alert import NoFailureAlert
from windsock.findings.rules.ws520_duplicate_dag_id import DuplicateDagId
from windsock.findings.rules.ws521_blocked_by_past import BlockedByPast
from windsock.findings.rules.ws522_start_date_moves import StartDateMoves
from windsock.findings.rules.ws523_logs_missing import LogsMissing
from windsock.findings.rules.ws524_connection_failing import ConnectionFailing

AT = datetime(2026, 11, 17, 1, tzinfo=UTC)
RULES = [
    ManyMessages,
    NoFailureAlert,
    DuplicateDagId,
    BlockedByPast,
    StartDateMoves,
    LogsMissing,
    ConnectionFailing,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_nothing_seen_is_no_finding(rule: Any) -> None:
    assert found(rule, {}) == []


# --- WS518


def callbacks(messages: int, behind: int, dag_id: str = "d", kind: str = "one DAG") -> dict[str, Any]:
    return {"kind": kind, "dag_id": dag_id, "failures": 200, "could_tell": 180, "told": 0, "failed": 3, "dags": 1, "dags_heard": 1,
            "causes": 12, "messages": messages, "behind": behind}  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "behind", "is_found"), [(49, 1, False), (50, 5, True), (50, 6, False), (412, 9, True)]
)
def test_many_messages_of_a_dag_for_few_causes(messages: int, behind: int, is_found: bool) -> None:
    findings = found(ManyMessages, answers(callbacks_of_week=[callbacks(messages, behind)]))
    assert bool(findings) == is_found
    for kind in ("tasks that failed for good", "all failed tries"):
        assert not found(ManyMessages, answers(callbacks_of_week=[callbacks(messages, behind, "", kind)]))
    if messages == 412:
        assert "412 failed tries, and 9 causes" in findings[0].headline
        assert (findings[0].severity, findings[0].subject) == ("info", {"dag_id": "d"})


def test_dags_with_few_messages_each_are_not_added_up() -> None:
    rows = [
        callbacks(49, 1, "d"),
        callbacks(49, 1, "e"),
        callbacks(60, 2, "f"),
        callbacks(98, 1, "", "all failed tries"),
    ]
    assert [one.subject["dag_id"] for one in found(ManyMessages, answers(callbacks_of_week=rows))] == ["f"]


# --- WS519


def alert(dag_id: str, lost: int, has_alert: bool | None, missing: str | None = None) -> dict[str, Any]:
    told_by = {True: "callback of the DAG", False: "nothing", None: "not known" if missing else "SLA"}[
        has_alert
    ]
    return {"dag_id": dag_id, "owner": "finance" if dag_id == "a" else None, "runs": 9, "lost": lost, "told_by": told_by,
            "has_alert": has_alert, "tasks": 4, "told_tasks": 0, "seen_at": AT, "missing": missing}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "tasks"),
    [
        ([alert("a", 4, False)], None),
        ([alert("a", 3, False), alert("b", 2, False)], 5),
        ([alert("a", 5, False), alert("b", 0, False)], 5),
        ([alert("a", 30, False), alert("b", 40, True), alert("c", 50, None)], 30),
        ([alert("a", 0, False), alert("b", 0, False)], None),
        ([alert("a", 40, True), alert("b", 0, True)], None),
        ([alert("a", 40, None, "metadata database"), alert("b", 40, None)], None),
    ],
    ids=["below", "at, over two", "at, one did not fail", "above, of the known alone", "none failed", "told", "not known"],
)  # fmt: skip
def test_failures_that_tell_nobody_are_told_where_that_is_known(
    rows: list[dict[str, Any]], tasks: int | None
) -> None:
    findings = found(NoFailureAlert, answers(failure_alerts=rows))
    assert [one.evidence["tasks"] for one in findings] == ([tasks] if tasks else [])
    assert {one.severity for one in findings} <= {"info"}


def test_what_could_not_be_known_stands_beside_what_tells_nobody() -> None:
    rows = [alert("a", 6, False), alert("b", 7, False), alert("c", 0, False), alert("d", 1, True),
            alert("e", 2, None, "the right to read serialized_dag"), alert("f", 0, None)]  # fmt: skip
    (one,) = found(NoFailureAlert, answers(failure_alerts=rows))
    assert one.headline == "13 tasks failed for good in 2 DAGs without failure callback, mail or deadline"
    assert one.evidence["dag_ids"] == ["b", "a"] and one.evidence["owners"] == ["finance"]
    assert one.evidence["dags_that_did_not_fail"] == 1 and one.evidence["dags_with_an_alert"] == 1
    assert one.evidence["dags_not_known"] == 2
    assert one.evidence["not_known_for_want_of"] == ["the right to read serialized_dag"]


# --- WS520


def file_of(
    dag_file: str, turns: int, *, told_by: str = "log", files: int = 2, bundle: str = "main"
) -> dict[str, Any]:
    return {"dag_id": "d", "told_by": told_by, "bundle_name": bundle, "dag_file": dag_file, "sights": 9, "sights_week": 9,
            "turns": turns, "turns_week": turns, "files": files, "first_at": AT, "last_at": AT}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "is_found", "why"),
    [
        ([file_of("a.py", 0, files=1)], False, "one file"),
        ([file_of("a.py", 0), file_of("b.py", 1)], False, "a rename"),
        ([file_of("a.py", 1), file_of("b.py", 1)], False, "a rename that was taken back"),
        ([file_of("a.py", 1), file_of("b.py", 2)], True, "at the threshold"),
        (
            [
                file_of("a.py", 0),
                file_of("b.py", 1),
                file_of("/x/a.py", 1, told_by="list"),
                file_of("/x/b.py", 1, told_by="list"),
            ],
            False,
            "two tellers of one rename are not three changes",
        ),
        ([file_of("a.py", 2), file_of("a.py", 2, bundle="copy")], True, "one file deployed in two bundles"),
    ],
)
def test_files_that_take_turns_as_one_dag(rows: list[dict[str, Any]], is_found: bool, why: str) -> None:
    assert bool(found(DuplicateDagId, answers(dag_files=rows))) == is_found, why


# --- WS521


def stopped(**more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "task_id": "load", "failed_at": AT, "failed_run_id": "scheduled__1", "error_signature": "KeyError",
            "runs_before": 20, "ran_before": 20, "later_runs": 5, "open_later": 0, "failed_later": 0, "other_tasks": 5,
            "first_later_at": AT + timedelta(hours=4), "last_later_at": AT + timedelta(hours=24), "is_told": False,
            "held_tasks": None, "held_by": None, "is_in_dag": None} | more  # fmt: skip


@pytest.mark.parametrize(
    ("change", "severity", "why"),
    [
        ({"open_later": 1, "is_told": True}, "", "one open run may be at work"),
        ({"open_later": 2, "is_told": True}, "warning", "two that wait for it"),
        (
            {"open_later": 16, "is_told": True, "other_tasks": 0},
            "warning",
            "as many as max_active_runs lets be",
        ),
        ({"open_later": 2, "is_told": True, "last_later_at": AT + timedelta(hours=23)}, "", "not a day yet"),
        ({}, "watch", "by logs alone, at both thresholds"),
        ({"later_runs": 4, "other_tasks": 4}, "", "too few later runs"),
        ({"runs_before": 9, "ran_before": 9}, "", "too few runs before"),
        ({"ran_before": 19}, "", "a task of some runs is a branch"),
        ({"failed_later": 1}, "", "another task failed: this one may be upstream_failed"),
        ({"is_told": True}, "", "all runs are known, and none is open"),
        (
            {"open_later": 2, "is_told": True, "held_tasks": ["load"], "held_by": "depends_on_past"},
            "warning",
            "by its code",
        ),
        ({"open_later": 9, "is_told": True, "held_tasks": []}, "", "nothing waits for it, says the code"),
        ({"held_tasks": []}, "", "the code knows better than the logs"),
    ],
)
def test_a_task_that_failed_once_and_never_began_again(
    change: dict[str, Any], severity: str, why: str
) -> None:
    findings = found(BlockedByPast, answers(tasks_stopped=[stopped(**change)]))
    assert [one.severity for one in findings] == [severity] * bool(severity), why


def test_one_dag_is_one_finding_and_names_the_run_to_clear() -> None:
    later = {"failed_at": AT + timedelta(minutes=5), "last_later_at": AT + timedelta(hours=25)}
    rows = [stopped(open_later=3), stopped(task_id="other", open_later=2, **later)]
    (finding,) = found(BlockedByPast, answers(tasks_stopped=rows))
    assert finding.headline.startswith("d.load and 1 other task failed on Tue 17 Nov 01:00 UTC")
    assert "scheduled__1" in finding.advice
    assert finding.evidence["task_ids"] == ["load", "other"]


def test_what_the_code_says_stands_in_the_finding() -> None:
    row = stopped(open_later=3, is_told=True, held_tasks=["extract"], held_by="wait_for_downstream")
    (finding,) = found(BlockedByPast, answers(tasks_stopped=[row]))
    assert finding.headline.endswith("in 3 open runs: wait_for_downstream holds it back")
    assert finding.evidence["held_tasks"] == ["extract"]
    assert "if depends_on_past" not in finding.advice


# --- WS522


@pytest.mark.parametrize(
    ("change", "scheduled", "is_found"),
    [
        ({"versions": 4}, 0, False),
        ({"versions": 5}, 0, True),
        ({"versions": 300, "days": 2}, 0, False),
        ({"versions": 300, "days": 3}, 0, True),
        ({"versions": 300}, 1, False),  # it runs: WS602 tells of its versions
    ],
)
def test_versions_without_any_scheduled_run(change: dict[str, Any], scheduled: int, is_found: bool) -> None:
    row = {"dag_id": "d", "bundle_name": "main", "versions": 5, "bundle_versions": 1, "days": 3, "last_version": 9,
           "first_at": AT, "last_at": AT} | change  # fmt: skip
    given = answers(dag_versions_of_week=[row], dag_activity=[{"dag_id": "d", "scheduled_runs": scheduled}])
    assert bool(found(StartDateMoves, given)) == is_found


def dates(**more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "start_date": AT, "end_date": None, "schedule": "@daily", "seen_at": AT + timedelta(hours=1),
            "first_seen_at": AT - timedelta(days=2), "readings": 3, "moves": 2, "moves_back": 0,
            "was_start_date": AT - timedelta(days=2)} | more  # fmt: skip


@pytest.mark.parametrize(
    ("change", "scheduled", "is_found"),
    [
        ({}, 0, True),
        ({"moves": 1}, 0, False),
        ({"moves": 9, "moves_back": 1}, 0, False),
        ({"seen_at": AT + timedelta(days=8)}, 0, True),
        ({"seen_at": AT + timedelta(days=8, hours=1)}, 0, False),
        ({"schedule": ""}, 0, False),
        ({}, 1, False),
    ],
)
def test_a_start_date_that_was_seen_to_move(change: dict[str, Any], scheduled: int, is_found: bool) -> None:
    given = answers(dag_dates=[dates(**change)], dag_activity=[{"dag_id": "d", "scheduled_runs": scheduled}])
    assert bool(found(StartDateMoves, given)) == is_found


def test_a_dag_that_both_tell_is_one_finding() -> None:
    versions = {"dag_id": "d", "bundle_name": "main", "versions": 50, "bundle_versions": 1, "days": 5, "last_version": 9,
                "first_at": AT, "last_at": AT}  # fmt: skip
    (finding,) = found(
        StartDateMoves, answers(dag_dates=[dates()], dag_versions_of_week=[versions], dag_activity=[])
    )
    assert "from Sun 15 Nov 01:00 UTC to Tue 17 Nov 01:00 UTC in 3 readings" in finding.headline


# --- WS523


def place(
    grain: str, name: str, tries: int, missing: int, *, successes: int = -1, killed: int = 0
) -> dict[str, Any]:
    column = {"host": "hostname", "dag": "dag_id"}.get(grain, "of_what")
    return {"grain": grain, "dag_id": None, "hostname": None, "of_what": None, "tries": tries, "missing": missing,
            "missing_share": missing / tries, "successes": missing if successes < 0 else successes, "killed": killed,
            "tries_prev": 500, "missing_prev": 500 * missing // tries if grain == "all" else 0, "first_at": AT, "last_at": AT} | {column: name}  # fmt: skip


def hosts(tries: int, missing: int, *, rest: tuple[int, int] = (900, 0), **more: int) -> list[dict[str, Any]]:
    return [
        place("all", "", tries + rest[0], missing + rest[1]),
        place("host", "bad", tries, missing, **more),
        place("host", "good", *rest),
    ]


@pytest.mark.parametrize(
    ("rows", "is_found", "why"),
    [
        (hosts(40, 9), False, "too few"),
        (hosts(40, 10), True, "at the threshold of tries"),
        (hosts(51, 10), False, "below a fifth of its tries"),
        (hosts(50, 10), True, "a fifth"),
        (hosts(500, 100, rest=(9000, 610)), False, "less than three times the others"),
        (hosts(500, 100, rest=(9000, 600)), True, "three times the others"),
        (hosts(50, 11, rest=(900, 61)), False, "three times, but it may be chance"),
        (hosts(40, 10, successes=0), False, "only failed tries: WS511's"),
        (
            [place("all", "", 40, 40), place("host", "only", 40, 40)],
            False,
            "nothing to compare with: another address",
        ),
    ],
)
def test_logs_missing_on_one_host(rows: list[dict[str, Any]], is_found: bool, why: str) -> None:
    assert bool(found(LogsMissing, answers(logs_missing_by_place=rows))) == is_found, why


def fleet(missing: int, *, prev: tuple[int, int] = (0, 2000), successes: int = -1) -> list[dict[str, Any]]:
    return [
        place("all", "", 500, missing, successes=successes) | {"missing_prev": prev[0], "tries_prev": prev[1]}
    ]


@pytest.mark.parametrize(
    ("rows", "is_found", "why"),
    [
        (fleet(9), False, "too few"),
        (fleet(10), True, "at the threshold of tries"),
        (fleet(12, successes=9), False, "most likely killed: WS511's"),
        (fleet(30, prev=(41, 2000)), False, "less than three times as many as before"),
        (fleet(30, prev=(40, 2000)), True, "three times as many as before"),
        (fleet(10, prev=(0, 20)), False, "a past so short may have had none by chance"),
        (fleet(10, prev=(0, 0)), False, "no past: the scheduler's log came this week"),
    ],
)
def test_logs_missing_of_no_place_that_is_known(rows: list[dict[str, Any]], is_found: bool, why: str) -> None:
    assert bool(found(LogsMissing, answers(logs_missing_by_place=rows))) == is_found, why


def test_the_widest_place_tells_it_and_the_likely_cause() -> None:
    rows = [
        place("all", "", 1000, 100),
        place("executor", "KubernetesExecutor", 100, 100),
        place("executor", "CeleryExecutor", 900, 0),
        place("host", "pod-1", 50, 50),
        place("host", "pod-2", 50, 50),
        place("host", "w1", 900, 0),
    ]
    (finding,) = found(LogsMissing, answers(logs_missing_by_place=rows))
    assert finding.headline.startswith(
        "executor KubernetesExecutor: 100 of 100 tries left no log, 0.0 % elsewhere"
    )
    assert "nothing of it is ever uploaded" in finding.headline
    (killed,) = found(LogsMissing, answers(logs_missing_by_place=hosts(40, 20, killed=10)))
    assert "their workers were lost" in killed.headline
    (of_dag,) = found(
        LogsMissing,
        answers(
            logs_missing_by_place=[
                place("all", "", 1000, 40),
                place("dag", "odd", 100, 40),
                place("dag", "x", 900, 0),
            ]
        ),
    )
    assert "log template" in of_dag.advice


# --- WS524


def error(**more: Any) -> dict[str, Any]:
    return {"cause": "connection wh_main", "signatures": ["AirflowNotFoundException: …"], "error_signature": "x", "dags": 2,
            "dag_ids": ["a", "b"], "dag_tries": [3, 3], "dag_tries_prev": [24, 24], "tasks": 2, "tasks_well": 0, "runs": 6, "runs_prev": 48, "weeks_prev": 8, "tries": 6,
            "tries_prev": 48, "lost": 6, "lost_runs": 6, "wasted_hours": 0.1, "first_at": AT, "last_at": AT, "hosts": 1,
            "exception_type": "AirflowNotFoundException", "sample": "…", "blame": "external", "blocked": 0} | more  # fmt: skip


@pytest.mark.parametrize(
    ("change", "is_found", "why"),
    [
        ({}, True, "at both thresholds, as every week"),
        ({"dags": 1}, False, "one DAG"),
        ({"tries": 5}, False, "a handful"),
        ({"tasks_well": 2}, False, "all well since"),
        ({"cause": "KeyError: a", "signatures": ["KeyError: a"]}, False, "names nothing"),
        ({"cause": "host db1"}, True, "a host"),
        ({"cause": "login etl"}, True, "a login"),
    ],
)
def test_a_connection_that_fails_as_ever(change: dict[str, Any], is_found: bool, why: str) -> None:
    assert bool(found(ConnectionFailing, answers(incidents_by_error=[error(**change)]))) == is_found, why


def test_an_incident_is_not_told_twice() -> None:
    fresh = error(
        dags=6, dag_tries=[4] * 6, dag_tries_prev=[0] * 6, tries=24, runs=24, tries_prev=0, runs_prev=0
    )
    given = answers(incidents_by_error=[fresh], incident_shares=[])
    assert [
        one.code
        for one in judge_all(given, week=WEEK, thresholds={}).findings
        if one.code in ("WS110", "WS524")
    ] == [Incident.code]
