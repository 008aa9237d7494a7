"""This week's findings beside the last report's: new, still, worse, better, recovered, accepted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

from windsock.errors import ConfigError
from windsock.model import Finding, Impact
from windsock.report.accepted import Accepted
from windsock.report.became import DAG_CODES, Became
from windsock.week import Week

WORSE_RATIO = 1.5  # times the impact when it was last told; less is the same problem
WORSE_DEVIATIONS = 2.0  # of a difference of two counts: small impacts jump by chance
UNCHANGED_WEEKS = 2  # then a finding leaves the actions
UNSEEN_WEEKS = 4  # then a finding that cannot be seen is forgotten: its DAG, file or pool is gone
_KEPT = ("id", "code", "name", "severity", "advice", "status", "since_week", "weeks", "subject", "headline", "measure",
         "measure_told", "impact", "impact_told", "unchanged_weeks", "unseen_weeks")  # fmt: skip
MEASURES = ("measure_told", "measure", "impact_told", "impact")
"""A finding's size in its rule's own measure, when it was last told or else now; reports up to 0.1 called it impact."""
SEVERITIES = ("info", "watch", "warning", "critical")


@dataclass(frozen=True, slots=True)
class Gone:
    """A finding of the last report that this week does not have, and what that means."""

    status: str  # recovered, not_seen
    id: str
    headline: str
    note: str
    since_week: str
    weeks: int
    before: Mapping[str, Any]  # its entry in the last report, kept while it is not seen


@dataclass(frozen=True, slots=True)
class History:
    """The findings with their status, and what became of those that are gone."""

    findings: tuple[Finding, ...]
    gone: tuple[Gone, ...]
    expired: tuple[Accepted, ...]
    unused: tuple[Accepted, ...]


def anchor(finding_id: str, code: str) -> str:
    """A finding's short name: stable over weeks, safe in links whatever the subject holds."""
    return f"{code.lower()}-{hashlib.sha256(finding_id.encode('utf-8', 'replace')).hexdigest()[:8]}"


def compare(
    findings: Sequence[Finding],
    previous: Mapping[str, Any] | None,
    accepted: Sequence[Accepted],
    week: Week,
    *,
    became: Callable[[Mapping[str, Any]], Became],
) -> History:
    """Give each finding its status. `became` says of a vanished one whether it recovered, is not seen, or is
    still there without passing its test."""
    before = _before(previous)
    by_id = {one.id: one for one in accepted}
    if len(by_id) < len(accepted):
        raise ConfigError("accepted.toml names one finding twice; keep one entry for each id")
    carried, gone = _vanished(findings, before, became)
    used: set[str] = set()
    aged = []
    for finding in sorted([*findings, *carried], key=lambda one: -SEVERITIES.index(one.severity)):
        entry = by_id.get(finding.id) or by_id.get(anchor(finding.id, finding.code))
        if entry:
            used.add(entry.id)
        known = before.get(finding.id) or _under_another_code(finding, before)
        aged.append(_aged(finding, known, entry, week))
    return History(
        findings=tuple(aged),
        gone=tuple(gone),
        expired=tuple(one for one in accepted if one.id in used and not one.holds(week)),
        unused=tuple(one for one in accepted if one.id not in used),
    )


def _under_another_code(
    finding: Finding, before: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """What the last report said of the same DAG's lost runs by another rule: a DAG that lost many of its runs and now
    loses all of them is no news. Impacts of two rules are not compared."""
    if finding.code not in DAG_CODES:
        return None
    for one in before.values():
        if (
            one.get("code") in DAG_CODES
            and one.get("status") not in ("better", "recovered", "accepted")
            and (one.get("subject") or {}).get("dag_id") == finding.subject.get("dag_id")
        ):
            return {key: value for key, value in one.items() if key not in MEASURES}
    return None


def _vanished(
    findings: Sequence[Finding],
    before: Mapping[str, Mapping[str, Any]],
    became: Callable[[Mapping[str, Any]], Became],
) -> tuple[list[Finding], list[Gone]]:
    """What the last report had and this week's rules do not: findings to carry on, and those that are gone."""
    ids = {one.id for one in findings}
    told_better = {tuple(one.subject.values()) for one in findings if one.status == "better"}
    told = {one.subject["dag_id"] for one in findings if one.code in DAG_CODES and "dag_id" in one.subject}
    told |= {
        dag_id
        for one in findings
        if one.code in ("WS110", "WS111")
        for dag_id in one.evidence.get("dag_ids") or ()
    }
    retried = {one.subject["dag_id"] for one in findings if one.code == "WS117"}
    carried, gone = [], []
    for key, one in before.items():
        if key in ids or one.get("status") in ("better", "recovered"):
            continue
        if tuple((one.get("subject") or {}).values()) in told_better or _is_told_by_another(one, told):
            continue
        if one.get("code") == "WS112" and (one.get("subject") or {}).get("dag_id") in retried:
            continue  # told by task now, and since when
        now = became(one)
        if now.status == "still":
            carried.append(_carried(one, now))
        elif int(one.get("unseen_weeks") or 0) < UNSEEN_WEEKS:
            gone.append(_gone(one, now))
    return carried, gone


def _is_told_by_another(before: Mapping[str, Any], told: Set[str]) -> bool:
    """A DAG's failures go on under another code: it is now called broken, or part of an incident."""
    return before.get("code") in DAG_CODES and (before.get("subject") or {}).get("dag_id") in told


def _carried(before: Mapping[str, Any], now: Became) -> Finding:
    """A finding whose rule is silent though nothing got better."""
    return Finding(
        id=str(before["id"]),
        code=str(before["code"]),
        name=str(before.get("name") or ""),
        severity=before["severity"],
        subject={str(key): str(value) for key, value in before["subject"].items()},
        headline=now.headline,
        evidence={**now.evidence, "why": now.note},
        advice=str(before.get("advice") or ""),
        question="failure_rate_by_dag",
        rank=float(now.evidence.get("excess_failures") or 0),
        impact=Impact(runs_lost=now.evidence.get("excess_failures")),
    )


def _before(previous: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """The last report's findings, and those it carried along because they could not be seen."""
    told = previous or {}
    kept = [one["before"] for one in told.get("changes", ()) if one.get("before")]
    entries = [*kept, *told.get("findings", ())]
    return {one["id"]: one for one in entries if isinstance(one, Mapping) and one.get("id")}


def _aged(finding: Finding, before: Mapping[str, Any] | None, entry: Accepted | None, week: Week) -> Finding:
    first = finding.since_week if finding.status == "still" and finding.since_week else str(week)
    since = str((before or {}).get("since_week") or first)
    weeks = max(1, Week.parse(since).weeks_until(week) + 1)
    aged = replace(finding, since_week=since, weeks=weeks, told_rank=finding.rank, unchanged_weeks=0, note="")
    if entry and entry.holds(week):
        note = f"accepted until {entry.until} by {entry.by}: {entry.reason}"
        return replace(aged, status="accepted", note=note)
    if finding.status in ("better", "recovered"):
        return aged
    if before is None:
        # a rule may know that its step lies weeks back, though no report told it
        return aged if finding.status == "still" else replace(aged, status="new")
    if _is_worse(finding, before):
        return replace(aged, status="worse")
    if before.get("status") == "accepted":
        note = f"acceptance by {entry.by} ended on {entry.until}" if entry else "no longer accepted"
        return replace(aged, status="still", note=note)
    told = _measured(before)
    return replace(
        aged,
        status="still",
        unchanged_weeks=int(before.get("unchanged_weeks") or 0) + 1,
        told_rank=finding.rank if told is None else told,
    )


def _measured(before: Mapping[str, Any]) -> float | None:
    """How large a finding was when it was last told."""
    return next((float(one) for key in MEASURES if isinstance(one := before.get(key), int | float)), None)


def _is_worse(finding: Finding, before: Mapping[str, Any]) -> bool:
    """A higher severity, or an impact clearly above what was last told: by half, and by more than counts jump."""
    was = before.get("severity")
    if was in SEVERITIES and SEVERITIES.index(finding.severity) > SEVERITIES.index(was):
        return True
    told = _measured(before)
    if told is None or told <= 0:
        return False
    grown = finding.rank - told
    return finding.rank >= WORSE_RATIO * told and grown >= WORSE_DEVIATIONS * sqrt(finding.rank + told)


def _gone(before: Mapping[str, Any], now: Became) -> Gone:
    levels = {
        key: value for key, value in (before.get("evidence") or {}).items() if key.endswith(("rate", "_s"))
    }
    kept = {key: before[key] for key in _KEPT if key in before} | {"evidence": levels}
    kept["unseen_weeks"] = int(before.get("unseen_weeks") or 0) + 1
    return Gone(
        status=now.status,
        id=str(before["id"]),
        headline=str(before.get("headline") or before["id"]),
        note=now.note,
        since_week=str(before.get("since_week") or ""),
        weeks=int(before.get("weeks") or 1),
        before=kept if now.status != "recovered" else {},
    )
