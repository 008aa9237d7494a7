"""What changed when a finding began stands beside it, as correlation; what has nothing to do with it does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from windsock.findings.context import LEAD, sentence, with_changes
from windsock.model import Answer, Finding
from windsock.week import Week

WEEK = Week.parse("2026-W47")
BEGAN = datetime(2026, 11, 18, 9, tzinfo=UTC)
COLUMNS = ("kind", "dag_id", "subject", "before", "after", "from_at", "until_at", "times")


def change(
    kind: str, *, dag_id: str = "", subject: str = "", at: datetime = BEGAN, **more: Any
) -> dict[str, Any]:
    row = {
        "kind": kind,
        "dag_id": dag_id,
        "subject": subject,
        "before": "1",
        "after": "2",
        "from_at": at,
        "until_at": at,
        "times": 1,
        "ran_dag_ids": None,
        "failed_dag_ids": None,
    }
    if kind.startswith("worker_"):
        row |= {"ran_dag_ids": ["orders"], "failed_dag_ids": ["orders"]}  # fmt: skip
    return row | more


def finding(code: str = "WS101", subject: dict[str, str] | None = None, **evidence: Any) -> Finding:
    return Finding(id="x", code=code, name="n", severity="warning", subject=subject or {"dag_id": "orders"},
                   headline="h", evidence=evidence, advice="a", question="q")  # fmt: skip


def told(one: Finding, *rows: dict[str, Any]) -> list[str]:
    return list(judged(one, *rows).evidence.get("changes", []))


def judged(one: Finding, *rows: dict[str, Any]) -> Finding:
    answers = {
        "changes_of_week": Answer("changes_of_week", COLUMNS, rows),
        "bundles_by_dag": Answer(
            "b", ("dag_id", "bundle_name"), ({"dag_id": "orders", "bundle_name": "git"},)
        ),
    }
    (made,) = with_changes([one], answers, WEEK)
    return made


@pytest.mark.parametrize(
    ("row", "is_named"),
    [
        (change("version", subject="Airflow"), True),
        (change("version", subject="Airflow", at=BEGAN - LEAD), True),
        (change("version", subject="Airflow", at=BEGAN - LEAD - timedelta(seconds=1)), False),
        (change("version", subject="Airflow", at=BEGAN + timedelta(seconds=1)), False),
        (change("provider", subject="provider http"), True),
        (change("provider", subject="provider http", at=BEGAN - LEAD - timedelta(seconds=1)), False),
        (change("worker_came", subject="worker-3"), True),
        (change("bundle_version", subject="git"), True),
        (change("bundle_version", subject="other"), False),
        (change("dag_version", dag_id="orders"), True),
        (change("dag_version", dag_id="payments"), False),
        (change("pool_slots", subject="db"), False),
        (change("bundle_version", subject="git", from_at=BEGAN - timedelta(days=7), at=BEGAN), True),
    ],
)
def test_a_change_is_named_when_it_is_near_in_time_and_subject(row: dict[str, Any], is_named: bool) -> None:
    assert bool(told(finding(first_at=BEGAN), row)) == is_named


def test_without_a_known_beginning_no_more_is_said_than_that_both_fell_in_the_week() -> None:
    rows = (
        change("version", subject="Airflow"),
        change("tasks_cleared", dag_id="orders", before=None, times=3),
        change("restart", subject="scheduler"),
        change("worker_came", subject="worker-9"),
        change("bundle_version", subject="other"),
    )
    made = judged(finding(), *rows)
    assert made.evidence["changes"] == [
        "tasks of orders cleared (3 times), Wed 18 Nov 09:00 UTC",
        "Airflow 1 → 2, Wed 18 Nov 09:00 UTC",
    ]
    assert made.evidence["changes_when"] == "this week"


def test_a_change_after_the_beginning_is_not_named_though_it_is_of_the_same_bundle() -> None:
    sunday = change("bundle_version", subject="git", at=BEGAN + timedelta(days=4))
    made = judged(finding(first_at=BEGAN), sunday, change("version", subject="Airflow"))
    assert made.evidence["changes"] == ["Airflow 1 → 2, Wed 18 Nov 09:00 UTC"]
    assert made.evidence["changes_when"] == "at that time"
    assert "changes" not in judged(finding(first_at=BEGAN), sunday).evidence


def test_what_lies_between_the_last_good_sign_and_the_first_bad_one_is_named() -> None:
    weekly = finding("WS106", well_at=BEGAN - timedelta(days=6), since=BEGAN)
    assert told(weekly, change("version", subject="Airflow", at=BEGAN - timedelta(days=5)))
    assert not told(weekly, change("version", subject="Airflow", at=BEGAN - timedelta(days=7)))


def test_a_pause_is_not_named_as_what_came_with_itself() -> None:
    paused = finding("WS503", paused_at=BEGAN)
    rows = [change("dag_paused", dag_id="orders"), change("bundle_version", subject="git")]
    assert told(paused, *rows) == ["bundle git 1 → 2, Wed 18 Nov 09:00 UTC"]


def test_an_incident_asks_for_all_its_dags_and_a_pool_for_its_own_size() -> None:
    incident = finding("WS110", {"error_signature": "E"}, dag_ids=["a", "b"], first_at=BEGAN)
    assert told(incident, change("dag_version", dag_id="b")) == ["code of b 1 → 2, Wed 18 Nov 09:00 UTC"]
    pool = finding("WS301", {"pool": "db"})
    assert told(pool, change("pool_slots", subject="db")) == ["slots of pool db 1 → 2, Wed 18 Nov 09:00 UTC"]


def test_the_most_specific_come_first_and_the_rest_is_counted() -> None:
    rows = [change("setting", subject=f"core.s{n}") for n in range(4)] + [
        change("bundle_version", subject="git")
    ]
    lines = told(finding(first_at=BEGAN), *rows)
    assert lines[0].startswith("bundle git")
    assert (len(lines), lines[-1]) == (4, "2 more")


def test_the_suspect_is_not_told_twice_and_trust_findings_have_no_context() -> None:
    row = change("bundle_version", subject="git", after="abc")
    assert told(finding(first_at=BEGAN, suspect="abc (git)"), row) == []
    assert told(finding("WS901", first_at=BEGAN), row) == []


def test_a_finding_of_a_worker_names_its_coming_first() -> None:
    worker = finding("WS511", {"hostname": "worker-3"}, first_at=BEGAN)
    rows = [change("version", subject="Airflow"), change("worker_came", subject="worker-3")]
    assert told(worker, *rows)[0] == "worker worker-3 ran its first task, Wed 18 Nov 09:00 UTC"


def test_a_wide_interval_is_told_as_one() -> None:
    row = change(
        "version", subject="Airflow", before="3.3.1", after="3.3.2", from_at=BEGAN - timedelta(days=7)
    )
    assert sentence(row) == "Airflow 3.3.1 → 3.3.2, between Wed 11 Nov 09:00 UTC and Wed 18 Nov 09:00 UTC"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("backfill_changed", "a backfill of orders paused, resumed or cancelled, "),
        ("runs_deleted", "runs of orders deleted, "),
        ("dag_deleted", "orders deleted, "),
    ],
)
def test_what_people_did_to_the_dag_is_named_in_words(kind: str, words: str) -> None:
    assert sentence(change(kind, dag_id="orders")).startswith(words)
    assert told(finding(began_at=BEGAN), change(kind, dag_id="orders")) == [
        sentence(change(kind, dag_id="orders"))
    ]


@pytest.mark.parametrize(
    ("code", "is_named"),
    [("WS101", True), ("WS401", True), ("WS511", True), ("WS501", False), ("WS520", False), ("WS201", False)],
)
def test_a_worker_is_named_beside_what_a_worker_can_bring_about(code: str, is_named: bool) -> None:
    assert (
        bool(
            told(
                finding(code, began_at=BEGAN, last_at=BEGAN, median_runs=7.0),
                change("worker_came", subject="worker-3"),
            )
        )
        == is_named
    )


@pytest.mark.parametrize(
    ("code", "subject", "ran", "failed", "is_named"),
    [
        ("WS101", {"dag_id": "orders"}, ["orders"], ["orders"], True),
        ("WS101", {"dag_id": "orders"}, ["orders"], ["payments"], False),  # no failing try of it was there
        ("WS101", {"dag_id": "orders"}, ["orders"], None, False),
        ("WS401", {"dag_id": "orders"}, ["orders"], None, True),  # what takes longer need not fail
        ("WS401", {"dag_id": "orders"}, ["payments"], None, False),
        ("WS511", {"hostname": "worker-3"}, None, None, True),
        ("WS111", {"hour": "9"}, ["orders"], None, True),  # of no DAG
    ],
)
def test_a_worker_is_named_only_where_it_touched_what_the_finding_is_about(
    code: str, subject: dict[str, str], ran: list[str] | None, failed: list[str] | None, is_named: bool
) -> None:
    row = change("worker_came", subject="worker-3", ran_dag_ids=ran, failed_dag_ids=failed)
    assert bool(told(finding(code, subject, first_at=BEGAN), row)) == is_named


def test_the_nearest_change_stands_first() -> None:
    rows = [
        change("version", subject=name, at=BEGAN - timedelta(hours=n))
        for name, n in (("a", 12), ("b", 1), ("c", 5))
    ]
    assert [line.split()[0] for line in told(finding(first_at=BEGAN), *rows)] == ["b", "c", "a"]
