"""One cause, one line: which lost runs, and which incidents, another finding of the week tells already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from math import inf

from windsock.findings.incident_shape import one_host
from windsock.findings.rule import rows_of
from windsock.model import Answer, Finding

HOUR = timedelta(hours=1)


def explained_runs(findings: Sequence[Finding], answers: Mapping[str, Answer]) -> Mapping[str, int]:
    """DAG → lost runs of the week that incidents (WS110), bad hours (WS111) or bad hosts (WS630) tell.

    A run may be lost to all three; the largest of the three counts, never their sum.
    """
    explained: dict[str, int] = {}
    for counts in _by_finding(findings, answers):
        for dag_id, count in counts.items():
            explained[dag_id] = max(explained.get(dag_id, 0), count)
    return explained


def _by_finding(findings: Sequence[Finding], answers: Mapping[str, Answer]) -> Iterator[Counter[str]]:
    incidents = {
        signature
        for one in findings
        if one.code == "WS110"
        for signature in (one.subject["error_signature"], *one.evidence.get("signatures", ()))
    }
    hours = [one for one in findings if one.code == "WS111"]
    hosts = {one.subject["hostname"] for one in findings if one.code == "WS630"}
    by_error, by_hour, by_host = Counter[str](), Counter[str](), Counter[str]()
    for row in rows_of(answers, "lost_runs_by_dag_error"):
        if row["error_signature"] in incidents:
            by_error[row["dag_id"]] += row["lost_runs"]
    for row in rows_of(answers, "failing_dags_by_hour"):
        if any(
            one.evidence["first_at"] < row["hour_at"] + HOUR and row["hour_at"] <= one.evidence["last_at"]
            for one in hours
        ):
            by_hour[row["dag_id"]] += row["lost_runs"]
    for row in rows_of(answers, "lost_runs_by_host"):
        if row["hostname"] in hosts:
            by_host[row["dag_id"]] += row["lost_runs"]
    yield from (by_error, by_hour, by_host)


def retried_elsewhere(findings: Sequence[Finding], answers: Mapping[str, Answer]) -> Mapping[str, float]:
    """DAG → failed tries of the week that a bad host (WS630) or killed tasks (WS510) tell; without bound for a DAG that an
    incident (WS110) or a bad hour (WS111) has hit: how many of its tries failed for that is told there."""
    told: dict[str, float] = {}
    for one in findings:
        if one.code == "WS510":
            told[one.subject["dag_id"]] = told.get(one.subject["dag_id"], 0) + one.evidence["tries"]
    hosts = {one.subject["hostname"] for one in findings if one.code == "WS630"}
    for row in rows_of(answers, "lost_runs_by_host"):
        if row["hostname"] in hosts:
            told[row["dag_id"]] = told.get(row["dag_id"], 0) + row["tries"]
    hit = (one.evidence.get("dag_ids", ()) for one in findings if one.code in ("WS110", "WS111"))
    return told | {dag_id: inf for dag_ids in hit for dag_id in dag_ids}


def within_another(findings: Sequence[Finding]) -> set[str]:
    """Ids of incidents that a bad host (WS630) or a bad hour (WS111) tells as a whole."""
    hosts = {one_host(one.subject["hostname"]) for one in findings if one.code == "WS630"}
    on_host = {
        one.id
        for one in findings
        if one.code in ("WS110", "WS111") and one.evidence.get("concentration") in hosts
    }
    hours = [one for one in findings if one.code == "WS111" and one.id not in on_host]
    return on_host | {
        one.id for one in findings if one.code == "WS110" and any(_is_within(one, hour) for hour in hours)
    }


def _is_within(one: Finding, hour: Finding) -> bool:
    """An incident begins with the start of a try, a bad hour with the end of one: what ran for an hour may fail in it."""
    return bool(
        hour.evidence["first_at"] - HOUR <= one.evidence["first_at"]
        and one.evidence["last_at"] <= hour.evidence["last_at"]
    )
