"""What is not known of lost runs: whether a task that came after the failure has dealt with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.model import Answer, Finding

CODES = frozenset({"WS101", "WS103", "WS104", "WS106", "WS108", "WS109", "WS113", "WS118"})
"""Codes of one DAG's lost runs."""
OF_LOST = 0.5
"""Share of the week's lost runs that went on after the failure, from which on it is said."""


def with_doubt(findings: Sequence[Finding], answers: Mapping[str, Answer]) -> list[Finding]:
    """Say beside a DAG's lost runs, where no input tells how Airflow ended them and other tasks ran well after the failure,
    that it may call them a success (a trigger_rule such as all_done or one_failed, a teardown)."""
    went_on = {
        row["dag_id"]: row["lost_went_on"]
        for row in rows_of(answers, "failure_rate_by_dag")
        if row.get("lost_went_on") and row["lost_went_on"] >= OF_LOST * row["lost_runs"]
    }
    return [
        _doubted(one, went_on[one.subject["dag_id"]])
        if one.code in CODES and one.subject.get("dag_id") in went_on
        else one
        for one in findings
    ]


def _doubted(one: Finding, runs: int) -> Finding:
    said = (
        f"Perhaps not lost: in {wording.plural(runs, 'run')} other tasks ran well after the failure, and nothing tells how Airflow "
        "ended them. "
    )
    rest = (
        " A trigger_rule such as all_done may deal with the failure, and a failed teardown loses no run: the API, the database or "
        "the scheduler's log would tell."
    )
    return replace(one, advice=said + one.advice + rest, evidence={**one.evidence, "went_on_runs": runs})
