"""Findings whose tries or runs another finding tells with more: which host, which queue, which cause, which new name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta

from windsock.model import Finding

_CAUSES = {
    "out_of_memory": "out of memory",
    "evicted": "pod failed",
    "pod_failed": "pod failed",
    "deleted": "pod deleted",
    "image": "pod never started",
    "pod_setup": "pod never started",
    "not_placed": "pod never started",
}
"""Cause of WS511 that tells the same pods as a trouble of WS634."""
_MISMATCH = "WS115:executor_finished_but_queued"
"""What the scheduler says of a pod that ended before its task began."""


def told_with_more(findings: Sequence[Finding]) -> dict[str, int]:
    """Id of a finding → how many of its tries another one tells with more: lost workers (WS632) and dead queues (WS633) tell
    what WS511 and the known issue of lost heartbeats count, WS511 tells what WS634 counts, and WS634 what the known issue of tries
    that end while queued does."""
    told: dict[str, int] = {}
    for one in findings:
        if one.code == "WS632":
            for name, count in (("WS511:heartbeat lost", "no_log"), ("WS115:heartbeat_lost", "tries")):
                told[name] = told.get(name, 0) + one.evidence[count]
        elif one.code == "WS633":
            told["WS511:queued too long"] = told.get("WS511:queued too long", 0) + one.evidence["failed"]
        elif one.code == "WS634" and one.subject["trouble"] in _CAUSES:
            told[_MISMATCH] = told.get(_MISMATCH, 0) + one.evidence["tries"]
    causes = {one.subject["cause"]: one.evidence["tries"] for one in findings if one.code == "WS511"}
    return told | {f"WS634:{trouble}": causes[cause] for trouble, cause in _CAUSES.items() if cause in causes}


def went_on(findings: Sequence[Finding]) -> dict[str, datetime]:
    """DAG → its last start, where WS605 says that it probably goes on under another name."""
    return {
        one.evidence["former_dag_id"]: one.evidence["former_until"] for one in findings if one.code == "WS605"
    }


def is_renamed(former: Mapping[str, datetime], one: Finding) -> bool:
    """Whether a finding is of runs that a DAG does not have since it goes on under another name."""
    until = former.get(one.subject.get("dag_id", ""))
    if until is None:
        return False
    return one.code == "WS501" or (one.code == "WS502" and one.evidence["first_at"] >= until)


def paused_since(findings: Sequence[Finding]) -> dict[str, datetime]:
    """DAG → when it was paused, where WS503 says so."""
    return {one.subject["dag_id"]: one.evidence["paused_at"] for one in findings if one.code == "WS503"}


def is_paused(paused: Mapping[str, datetime], one: Finding) -> bool:
    """Whether the runs that WS502 misses of a DAG all are due after its pause; Airflow 2 dates a run an interval before it
    is due."""
    since = paused.get(one.subject.get("dag_id", ""))
    if since is None or one.code != "WS502" or not one.evidence.get("expected"):
        return False
    interval = timedelta(days=7) / int(one.evidence["expected"])
    return bool(one.evidence["first_at"] >= since - interval)


def hanging(findings: Sequence[Finding]) -> set[tuple[str, str]]:
    """Tasks of which WS404 says that an execution_timeout ends them."""
    return {
        (one.subject["dag_id"], one.subject["task_id"])
        for one in findings
        if one.code == "WS404" and one.subject["kind"] == "execution_timeout"
    }


def is_hanging(tasks: Set[tuple[str, str]], one: Finding) -> bool:
    """Whether the first tries of which WS117 tells all fail by that timeout."""
    return (
        one.code == "WS117"
        and one.evidence["errors"] == 1
        and (one.subject["dag_id"], one.subject["task_id"]) in tasks
        and one.evidence["error_signature"].startswith("AirflowTaskTimeout")
    )


def is_told_by(elsewhere: Mapping[str, int], one: Finding) -> bool:
    """Whether all that a finding counts is told elsewhere."""
    count = one.evidence.get("tries", one.evidence.get("times"))
    return count is not None and one.id in elsewhere and count <= elsewhere[one.id]
