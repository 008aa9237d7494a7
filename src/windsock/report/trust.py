"""The trust box: what the report rests on, and what could not be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from windsock.model import BLAMES, Answer, Judgement, Row
from windsock.report.audit import metric_lines
from windsock.report.formats import clean, hours, moment, plural, share
from windsock.report.history import History
from windsock.report.tested import tested_lines
from windsock.report.waiting import waiting_lines

MAX_UNREADABLE = 0.5  # of the task logs; above it nothing can be said of the week


def rows_of(answers: Mapping[str, Answer], name: str) -> Sequence[Row]:
    """The rows of an answer; none when it was not asked."""
    return answers[name].rows if name in answers else ()


def blindness(answers: Mapping[str, Answer]) -> str:
    """Why the week cannot be judged at all; empty when it can. Tries from API or database are enough."""
    inputs = {row["input"]: int(row["row_count"] or 0) for row in rows_of(answers, "inputs_seen")}
    if not inputs.get("task_logs") and not inputs.get("task_instances"):
        return "no task logs of this week were read"
    logs = [row for row in rows_of(answers, "objects_by_outcome") if row["kind"] == "task_logs"]
    total = sum(row["objects"] for row in logs)
    rejected = sum(row["objects"] for row in logs if row["outcome"] == "reject")
    if total and rejected / total > MAX_UNREADABLE and not inputs.get("task_instances"):
        return f"{rejected:,} of {total:,} task logs could not be read"
    return ""


def has_no_runs(answers: Mapping[str, Answer]) -> bool:
    """Whether it was asked and no judged run began this week: all were made by hand, or none came."""
    asked = "failure_rate_by_dag" in answers
    return asked and not any(row["runs"] for row in rows_of(answers, "failure_rate_by_dag"))


def trust_lines(
    answers: Mapping[str, Answer], judgement: Judgement, trust: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    """Label and text, in a fixed order."""
    seen = f"; seen until {moment(trust['seen_until'])} so far" if trust.get("seen_until") else ""
    lines = [("Window", f"Monday 00:00 to Monday 00:00 UTC{seen}")]
    for row in rows_of(answers, "inputs_seen"):
        told = f"{plural(row['row_count'], 'row')}, {row['hours_seen']} of 168 hours"
        lines.append((row["input"].replace("_", " ").capitalize(), told if row["row_count"] else "no data"))
    objects = rows_of(answers, "objects_by_outcome")
    total = sum(row["objects"] for row in objects)
    rejected = sum(row["objects"] for row in objects if row["outcome"] == "reject")
    lines.append(("Objects read", f"{total:,}, {rejected:,} rejected"))
    strange = sum(row["objects"] for row in objects if row["reject_reason"] == "unknown_key")
    if strange:
        told = f"{strange:,} of them: their keys are of no layout that a log_filename_template of Airflow's gives"
        lines.append(("Not known as logs", told))
    judged, few = sum(judgement.judged.values()), sum(judgement.not_enough.values())
    lines.append(("Judged", f"{plural(judged, 'subject')}; {few:,} more had too little data"))
    checks, warnings = trust.get("checks", 0), trust.get("check_warnings", 0)
    lines.append(("Data checks", f"{plural(checks, 'check')}, {plural(warnings, 'warning')}"))
    lines += _classified(answers)
    lines += _silences(answers)
    lines += waiting_lines(answers)
    lines += metric_lines(answers)
    lines += tested_lines(answers)
    scope = trust.get("scope") or {}
    if scope.get("exclude"):
        lines.append(("Never judged", clean(f"DAGs named {', '.join(scope['exclude'])}")))
    if scope.get("renamed"):
        lines.append(("Told under the new name", clean(", ".join(scope["renamed"]))))
    lines += _unversioned(answers)
    lines += _in_detail(answers)
    for one in scope.get("quiet", ()):
        reason = f": {one['reason']}" if one["reason"] else ""
        lines.append(("Quiet window", clean(f"{one['from']} to {one['until']}, not judged{reason}")))
    return tuple(lines)


def _classified(answers: Mapping[str, Answer]) -> list[tuple[str, str]]:
    """Of how many failed tries it is known where they come from; unknown stays unknown."""
    rows = rows_of(answers, "failures_by_blame")
    total = sum(row["tries"] for row in rows)
    if not total:
        return []
    known = [row for row in rows if row["blame"] != "unknown"]
    parts = ", ".join(f"{row['tries']:,} {BLAMES[row['blame']]}" for row in known)
    told = f"{share(sum(row['tries'] for row in known) / total)} of {plural(total, 'failed try')}"
    return [("Failures classified", f"{told}{f': {parts}' if parts else ''}")]


def _in_detail(answers: Mapping[str, Answer]) -> list[tuple[str, str]]:
    """Of how many DAGs it is known what they are made of; nothing where neither API nor database was ever asked."""
    row = next(iter(rows_of(answers, "dags_in_detail")), None)
    if row is None or not row["known"]:
        return []
    told = f"{row['known']:,} of {plural(row['dags'], 'DAG')} that ran, since {moment(row['oldest_at'])}"
    if row["with_caps"] < row["known"]:
        told += f"; caps of single tasks of {row['with_caps']:,}, by the database alone"
    return [("Tasks of DAGs known", told)]


def _unversioned(answers: Mapping[str, Answer]) -> list[tuple[str, str]]:
    """Bundles without versions: what of them cannot be known."""
    rows = [row for row in rows_of(answers, "bundles_of_week") if not row["versioned"]]
    if not rows:
        return []
    told = ", ".join(f"{row['bundle_name']} ({plural(row['dags'], 'DAG')})" for row in rows)
    return [
        (
            "Bundles without versions",
            clean(f"{told}: which code a run ran is not known; what changed with it is told by time only"),
        )
    ]


def _silences(answers: Mapping[str, Answer]) -> list[tuple[str, str]]:
    """Hours of the week whose gauges were not used: an exporter repeats the last ones of a dead scheduler for ever."""
    looked = [row for row in rows_of(answers, "heartbeat_gaps") if row["frozen_looks"]]
    gaps = [row for row in looked if row["component"] == "scheduler"]
    if not gaps:
        return []
    total_s = sum(row["gap_s"] for row in gaps)
    longest = max(gaps, key=lambda row: row["gap_s"])
    told = (
        f"scheduler not heard of {'once' if len(gaps) == 1 else f'{len(gaps)} times'} for {hours(total_s / 3600)} "
        f"(longest {moment(longest['from_at'])} to {moment(longest['until_at'])}); pool gauges of this time are not used"
    )
    return [("Hours left out", told)]


def unjudged(answers: Mapping[str, Answer]) -> tuple[str, ...]:
    """Runs that are counted and never judged, one line a kind."""
    of_kind: dict[str, list[Row]] = {}
    for row in rows_of(answers, "runs_made_by_hand"):
        of_kind.setdefault(str(row["kind"]), []).append(row)
    return tuple(_unjudged(kind, rows) for kind, rows in sorted(of_kind.items()))


def _unjudged(kind: str, rows: Sequence[Row]) -> str:
    runs, lost = (sum(row[name] for row in rows) for name in ("runs", "lost_runs"))
    told = f"{plural(runs, 'run')} in {plural(len(rows), 'DAG')}"
    return f"{clean(kind, 60)}: {told}{f', {lost:,} of them lost' if lost else ''}; not judged"


def notes(history: History, withheld: Sequence[str]) -> tuple[str, ...]:
    """About acceptances, and about what is kept inside. A hidden name is not told by its acceptance either."""
    is_hidden = "names" in withheld
    made = []
    for title, entries in (("ended", history.expired), ("was not needed this week", history.unused)):
        for one in entries:
            name = "one finding" if is_hidden else clean(one.id, 120)
            end = f" on {one.until}" if title == "ended" else ": remove it when the problem is gone"
            made.append(f"acceptance of {name} by {clean(one.by, 80)} {title}{end}")
    if withheld:
        made.append(f"kept inside, as [report] says: {' and '.join(withheld)}")
    return tuple(made)
