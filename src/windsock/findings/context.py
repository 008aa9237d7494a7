"""What else changed when a finding began, or in its week: named beside it as correlation, never as its cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from windsock.findings import wording
from windsock.findings.beginnings import Span, began_at
from windsock.findings.rule import rows_of
from windsock.model import Answer, Finding, Row
from windsock.week import Week

LEAD = timedelta(hours=24)
"""How long before its first sign a change still counts as 'at that time': a daily DAG shows it a day later."""
MOST = 3
_JUDGED = ("WS1", "WS2", "WS3", "WS4", "WS5", "WS63")  # 63: of workers, which come and go, too
_EVERYWHERE = (
    "version",
    "provider",
    "executor",
    "log_dialect",
    "setting",
    "restart",
    "worker_came",
    "worker_gone",
)
_OF_A_DAG = ("dag_version", "tasks_cleared", "state_marked", "dag_changed", "dag_paused", "backfill_created",
             "backfill_changed", "runs_deleted", "dag_deleted")  # fmt: skip
_OF_A_WORKER = ("worker_came", "worker_gone")
_BY_A_WORKER = ("WS1", "WS4", "WS510", "WS511", "WS512", "WS63")
"""Codes of what a worker can bring about: none makes two files define one DAG, or a DAG not run."""
_PASSING = ("restart", *_OF_A_WORKER)
_OF_A_PAUSE = ("dag_paused", "dag_changed")
_OF_A_POOL = ("pool_slots", "pool_changed")
_DONE = {
    "tasks_cleared": "tasks of {0} cleared",
    "state_marked": "states of {0} set by hand",
    "dag_changed": "{0} paused, unpaused or edited",
    "dag_paused": "{0} paused by the scheduler after failed runs in a row",
    "backfill_created": "a backfill of {0} created",
    "backfill_changed": "a backfill of {0} paused, resumed or cancelled",
    "runs_deleted": "runs of {0} deleted",
    "dag_deleted": "{0} deleted",
    "restart": "{0} started",
    "worker_came": "worker {0} ran its first task",
    "worker_gone": "worker {0} ran its last task",
}
_COMMITS = ("bundle_version", "dag_version")
_NAMED = {
    "version": "{0}",
    "provider": "{0}",
    "setting": "setting {0}",
    "pool_slots": "slots of pool {0}",
    "bundle_version": "bundle {0}",
    "dag_version": "code of {0}",
    "executor": "executor",
    "log_dialect": "log format",
}


def with_changes(findings: Sequence[Finding], answers: Mapping[str, Answer], week: Week) -> list[Finding]:
    """Each finding of WS1xx to WS5xx and WS63x with `evidence["changes"]`: up to `MOST` sentences, the most specific first.

    `evidence["changes_when"]` says whose they are: `at that time` where the finding says when it began, and only changes up
    to its first sign; else `this week`, where no more is claimed than that they fell in the same week.
    """
    changes = rows_of(answers, "changes_of_week")
    bundles: dict[str, set[str]] = {}
    for row in rows_of(answers, "bundles_by_dag"):
        bundles.setdefault(row["dag_id"], set()).add(row["bundle_name"])
    told = []
    for one in findings:
        if one.code.startswith(_JUDGED):
            began = began_at(one, week)
            near = _near(one, changes, bundles, began)
            if near:
                lines = [sentence(row) for row in near[:MOST]]
                if len(near) > MOST:
                    lines.append(f"{len(near) - MOST} more")
                when = "at that time" if began else "this week"
                one = replace(one, evidence={**one.evidence, "changes": lines, "changes_when": when})
        told.append(one)
    return told


def _near(
    finding: Finding, changes: Sequence[Row], bundles: Mapping[str, set[str]], began: Span | None
) -> list[Row]:
    found = []
    for row in changes:
        rank = _closeness(finding, row, bundles)
        if rank is None or _is_told(finding, row):
            continue
        # what comes and goes all week says nothing of a finding that is known by its week alone
        if not _is_within(row, began) if began else (rank == 1 and row["kind"] in _PASSING):
            continue
        found.append((rank, -row["until_at"].timestamp(), row["kind"], row["dag_id"], row["subject"], row))
    return [one[-1] for one in sorted(found, key=lambda one: one[:-1])]


def _is_within(row: Row, began: Span) -> bool:
    """Between the last good sign and the first bad one, or within `LEAD` of the first bad one; never wholly after it."""
    first, last = began
    return bool(row["from_at"] <= last and row["until_at"] >= min(first, last - LEAD))


def _is_told(finding: Finding, row: Row) -> bool:
    """The finding names it already: as its suspect, or as what it is about."""
    if row["after"] and row["after"] in str(finding.evidence.get("suspect") or ""):
        return True
    return finding.code == "WS503" and row["kind"] in _OF_A_PAUSE


def _closeness(finding: Finding, row: Row, bundles: Mapping[str, set[str]]) -> int | None:
    """0: of the same DAG, bundle or pool. 1: of the whole deployment. None: of something else."""
    kind, subject = row["kind"], row["subject"]
    dags = {finding.subject.get("dag_id"), *(finding.evidence.get("dag_ids") or ())}
    if kind in _OF_A_WORKER:
        return _closeness_of_worker(finding, row, dags - {None})
    if kind in _EVERYWHERE:
        return 1
    if kind in _OF_A_DAG:
        return 0 if row["dag_id"] in dags else None
    if kind in _OF_A_POOL:
        return 0 if subject and subject == finding.subject.get("pool") else None
    own = {finding.subject.get("bundle_name"), finding.evidence.get("bundle_name")}
    for dag_id in dags:
        own |= bundles.get(dag_id or "", set())
    return 0 if subject in own else None


def _closeness_of_worker(finding: Finding, row: Row, dags: set[str]) -> int | None:
    """A worker that came or went says nothing of DAGs whose failing tries never were on it, or that did not run on it
    where durations are judged."""
    if not finding.code.startswith(_BY_A_WORKER):
        return None
    if row["subject"] == finding.subject.get("hostname"):
        return 0
    touched = row["ran_dag_ids" if finding.code.startswith("WS4") else "failed_dag_ids"] or ()
    return 1 if not dags or dags.intersection(touched) else None


def sentence(row: Row) -> str:
    """`bundle git 79312d0 → c019a3f, Mon 23 Nov 15:33 UTC`; a hint of hours stands as `between … and …`."""
    kind, subject = row["kind"], row["dag_id"] or row["subject"]
    if kind in _NAMED:
        before, after = (
            wording.commit(row[name]) if kind in _COMMITS else row[name] for name in ("before", "after")
        )
        told = f"{_NAMED[kind].format(subject)} {before} → {after}"
    elif kind == "pool_changed":
        told = f"pool {subject} set" + (f" to {row['after']} slots" if row["after"] else "")
    else:
        told = _DONE.get(kind, "{0}: " + kind.replace("_", " ")).format(subject)
    times = f" ({row['times']} times)" if row["times"] > 1 else ""
    return f"{told}{times}, {_when(row)}"


def _when(row: Row) -> str:
    first, last = row["from_at"], row["until_at"]
    if last - first <= timedelta(hours=1):
        return wording.moment(last)
    return f"between {wording.moment(first)} and {wording.moment(last)}"
