"""Judgement and answers → the page: what is shown, in which order, and what is left out (and counted)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from windsock.model import Answer, Finding, Judgement, Row
from windsock.report.formats import cell, clean, share, size
from windsock.report.page import Page, Score, Section
from windsock.report.verdict import WORDS, verdict
from windsock.week import Week

MAX_ACTIONS = 5
MAX_TABLE_ROWS = 25
MAX_SECTION_FINDINGS = 100

SECTIONS = (
    ("silent", "Silent problems", ("WS5",), "runs_by_dag_week"),
    ("incidents", "Incidents", ("WS110",), "failures_by_error_signature"),
    ("failures", "Failure rates", ("WS10",), "failure_rate_by_dag"),
    ("parsing", "DAG parsing", ("WS2",), "parse_time_by_file"),
    ("pools", "Pools and waiting", ("WS3",), "pool_full_share"),
    ("trust", "Trust in the data", ("WS9",), "objects_by_outcome"),
)
TABLES: dict[str, tuple[str, ...]] = {
    "incidents": ("error_signature", "dags", "tries", "lost", "wasted_hours"),
    "failures": ("dag_id", "runs", "first_try_failed_runs", "lost_runs", "runs_prev", "lost_runs_prev"),
    "parsing": ("dag_file", "source", "samples", "median_s", "median_prev_s", "p95_s"),
    "pools": ("pool", "total_slots", "full_share", "wait_hours", "busy_hours"),
}
_WORTH_SHOWING: dict[str, Callable[[Row], bool]] = {
    "incidents": lambda row: row["tries"] > 1,
    "failures": lambda row: bool(row["lost_runs"]),
    "parsing": lambda row: row["median_s"] >= 1,
    "pools": lambda row: bool(row["wait_hours"]),
}


def build_page(
    *,
    deployment: str,
    base_url: str | None,
    week: Week,
    judgement: Judgement,
    answers: Mapping[str, Answer],
    trust: Mapping[str, Any],
    previous: Mapping[str, Any] | None,
    version: str,
) -> Page:
    """The frozen page of one week."""
    findings = tuple(_cleaned(one) for one in judgement.findings)
    inputs = {row["input"]: row for row in _rows(answers, "inputs_seen")}
    log_rows = int(inputs.get("task_logs", {}).get("row_count") or 0)
    word, sentence = verdict(findings, judgement.no_data, log_rows=log_rows)
    open_before = tuple(one for one in findings if one.status == "still" and one.weeks > 2)
    actionable = [
        one for one in findings if one.severity in ("warning", "critical") and one not in open_before
    ]
    return Page(
        deployment=clean(deployment),
        base_url=base_url or "",
        week=str(week),
        window_from=week.from_at.isoformat().replace("+00:00", "Z"),
        window_to=week.to_at.isoformat().replace("+00:00", "Z"),
        verdict=word,
        verdict_sentence=sentence,
        subject=_subject(deployment, week, WORDS[word], findings),
        actions=tuple(one for one in actionable if one.status != "better")[:MAX_ACTIONS],
        still_open=open_before,
        findings=findings,
        changes=_changes(findings, previous, week),
        scoreboard=_scoreboard(_rows(answers, "scoreboard"), week),
        scores=tuple(_rows(answers, "scoreboard")),
        sections=tuple(_section(spec, findings, answers, judgement) for spec in SECTIONS),
        no_data=judgement.no_data,
        unjudged=tuple(_unjudged(row) for row in _rows(answers, "unjudged_runs_by_type")),
        trust=_trust(answers, judgement, trust, inputs),
        trust_values={**trust, "judged": dict(judgement.judged), "not_enough": dict(judgement.not_enough)},
        owners=_owners(findings),
        version=version,
    )


def _rows(answers: Mapping[str, Answer], name: str) -> Sequence[Row]:
    return answers[name].rows if name in answers else ()


def _cleaned(finding: Finding) -> Finding:
    """Ids and log text in sentences become one safe line."""
    return replace(finding, headline=clean(finding.headline), advice=clean(finding.advice, 600))


def _subject(deployment: str, week: Week, word: str, findings: Sequence[Finding]) -> str:
    """Constant prefix, so that mails thread; then the verdict and what is new."""
    new = [one for one in findings if one.status == "new" and one.severity in ("warning", "critical")]
    counts = {
        "new incident": sum(one.code == "WS110" for one in new),
        "DAG silent": sum(one.code == "WS501" for one in new),
        "other new finding": sum(one.code not in ("WS110", "WS501") for one in new),
        "recovered": sum(one.status == "better" for one in findings),
    }
    parts = [
        f"{n} {name}{'s' if n > 1 and name.endswith(('t', 'g')) else ''}" for name, n in counts.items() if n
    ]
    tail = f". {', '.join(parts)}" if parts else ""
    return clean(f"Airflow {deployment}, week {int(str(week)[-2:])}: {word}{tail}", 200)


def _changes(
    findings: Sequence[Finding], previous: Mapping[str, Any] | None, week: Week
) -> tuple[dict[str, Any], ...]:
    """New, worse, still, better; and what last week's report had that is gone."""
    changes = [
        {"status": one.status, "id": one.id, "headline": one.headline, "weeks": one.weeks} for one in findings
    ]
    ids = {one.id for one in findings}
    for one in (previous or {}).get("findings", ()):
        if one["id"] not in ids and one.get("status") != "better":
            changes.append(
                {"status": "recovered", "id": one["id"], "headline": clean(one["headline"]), "weeks": 0}
            )
    return tuple(changes)


def _scoreboard(rows: Sequence[Row], week: Week) -> tuple[Score, ...]:
    """Three failure rates, never one number, and what the week weighed."""

    def rate(name: str) -> Any:
        return lambda row: row[name] / row["runs"] if row["runs"] else None

    measures = (
        ("Runs with a failed first try", rate("first_try_failed_runs"), share),
        ("Runs lost after all retries", rate("lost_runs"), share),
        ("Tries that failed", lambda row: row["failures"] / row["tries"] if row["tries"] else None, share),
        ("Hours spent on failed tries", lambda row: row["failed_hours"], cell),
        ("Runs", lambda row: row["runs"], cell),
        ("Task logs", lambda row: row["log_bytes"], size),
    )
    by_week = {row["week"]: row for row in rows}
    weeks = [week.minus(n).monday for n in range(8, -1, -1)]
    scores = []
    for name, measure, form in measures:
        values = [measure(by_week[day]) if day in by_week else None for day in weeks]
        past = [one for one in values[-5:-1] if one is not None]
        top = max([one for one in values if one is not None], default=0) or 1
        shown = [form(one) if one is not None else "no data" for one in values]
        middle = form(median(past)) if past else "no data"
        bars = tuple((one or 0) / top for one in values)
        scores.append(
            Score(name, shown[-1], shown[-2], middle, bars, f"{name}, nine weeks: {', '.join(shown)}")
        )
    return tuple(scores)


def _section(
    spec: tuple[str, str, tuple[str, ...], str],
    findings: Sequence[Finding],
    answers: Mapping[str, Answer],
    judgement: Judgement,
) -> Section:
    key, title, codes, question = spec
    mine = tuple(
        one for one in findings if one.code.startswith(codes) and (key != "failures" or one.code != "WS110")
    )
    missing = next((one.why for one in judgement.no_data if one.section == key), "")
    columns = TABLES.get(key, ())
    rows = [row for row in _rows(answers, question) if key in _WORTH_SHOWING and _WORTH_SHOWING[key](row)]
    table = tuple(
        tuple(share(row[name]) if name.endswith("_share") else cell(row[name]) for name in columns)
        for row in rows[:MAX_TABLE_ROWS]
    )
    return Section(
        key=key,
        title=title,
        findings=mine[:MAX_SECTION_FINDINGS],
        columns=columns if table else (),
        rows=table,
        left_out=max(0, len(rows) - MAX_TABLE_ROWS) + max(0, len(mine) - MAX_SECTION_FINDINGS),
        no_data="" if mine else missing,
        question=question,
    )


def _unjudged(row: Row) -> str:
    lost = f", {row['lost_runs']:,} of them lost" if row["lost_runs"] else ""
    return f"{row['run_type']}: {row['runs']:,} runs in {row['dags']:,} DAG(s){lost}; not judged"


def _trust(
    answers: Mapping[str, Answer], judgement: Judgement, trust: Mapping[str, Any], inputs: Mapping[str, Row]
) -> tuple[tuple[str, str], ...]:
    lines = [("Window", "Monday 00:00 to Monday 00:00 UTC")]
    for name, row in inputs.items():
        told = (
            f"{row['row_count']:,} rows, {row['hours_seen']} of 168 hours" if row["row_count"] else "no data"
        )
        lines.append((name, told))
    objects = _rows(answers, "objects_by_outcome")
    total = sum(row["objects"] for row in objects)
    rejected = sum(row["objects"] for row in objects if row["outcome"] == "reject")
    lines.append(("objects read", f"{total:,}, {rejected:,} rejected"))
    judged, few = sum(judgement.judged.values()), sum(judgement.not_enough.values())
    lines.append(("judged", f"{judged:,} subjects; {few:,} more had too little data"))
    lines.append(
        ("data checks", f"{trust.get('checks', 0)} checks, {trust.get('check_warnings', 0)} warnings")
    )
    scope = trust.get("scope") or {}
    if scope.get("exclude"):
        lines.append(("never judged", clean(f"DAGs named {', '.join(scope['exclude'])}")))
    for one in scope.get("quiet", ()):
        reason = f": {one['reason']}" if one["reason"] else ""
        lines.append(("quiet window, not judged", clean(f"{one['from']} to {one['until']}{reason}")))
    return tuple(lines)


def _owners(findings: Sequence[Finding]) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
    names = sorted({one.owner for one in findings if one.owner})
    return tuple((name, tuple(one for one in findings if one.owner == name)) for name in names)
