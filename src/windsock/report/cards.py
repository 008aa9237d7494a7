"""A finding → what is shown of it: one safe line each, evidence as labelled numbers, commands to copy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from windsock.model import Finding
from windsock.report.formats import cell, clean, interval, measure, moment, share
from windsock.report.history import anchor
from windsock.report.page import Card
from windsock.report.plots import Plot

MAX_FACTS = 14
MAX_SAMPLE = 600
_OWN_PLACE = {"sample", "dispersion", "estimate", "different", "is_over", "suspect", "changes", "apply", "undo", "options", "rate_low", "rate_high", "changed_from", "changed_to"}  # fmt: skip
_LABELS = {
    "all_tries": "of all tries",
    "baseline_failures": "failed before",
    "baseline_rate": "rate before",
    "baseline_tries": "tries before",
    "blame": "comes from",
    "blocked": "waiting downstream",
    "busy_hours": "busy",
    "changed_at": "changed",
    "concentration": "where",
    "dag_ids": "in",
    "dags": "DAGs",
    "excess_failures": "more than usual",
    "first_at": "first seen",
    "full_share": "full, of busy hours",
    "full_share_all": "full, of all hours",
    "last_at": "last seen",
    "last_run_id": "last run",
    "lost": "lost for good",
    "median_runs": "usual runs a week",
    "p_value": "chance of this by luck",
    "p50_slots": "slots in use, median",
    "p95_slots": "95th percentile",
    "probability": "probability that it is real",
    "ratio": "times",
    "shared": "they share",
    "total_slots": "slots",
    "tries_prev": "tries before",
    "unseen_at": "asked before, and not there",
    "wait_hours": "waited",
    "wasted_hours": "wasted",
    "weeks_seen": "weeks seen before",
}
"""Names of evidence as people say them; what is not here is its own name with spaces."""


def card(finding: Finding, *, base_url: str, plots: tuple[Plot, ...] = ()) -> Card:
    """Every text of a finding, cleaned and cut once, for all artefacts."""
    evidence = finding.evidence
    return Card(
        id=finding.id,
        anchor=anchor(finding.id, finding.code),
        code=clean(finding.code, 20),
        name=clean(finding.name, 60),
        severity=finding.severity,
        status=finding.status,
        age=_age(finding),
        headline=clean(finding.headline),
        advice=clean(finding.advice, 600),
        facts=_facts(evidence),
        sample=clean(str(evidence.get("sample") or ""), MAX_SAMPLE),
        different=tuple(clean(str(one), 200) for one in evidence.get("different") or ()),
        suspect=clean(str(evidence.get("suspect") or ""), 200),
        changes=tuple(clean(str(one), 200) for one in evidence.get("changes") or ()),
        owner=clean(finding.owner, 200),
        apply=clean(str(evidence.get("apply") or ""), 500),
        undo=clean(str(evidence.get("undo") or ""), 500),
        question=finding.question,
        link=_link(base_url, finding.subject.get("dag_id", "")),
        plots=plots,
    )


def _age(finding: Finding) -> str:
    if finding.status == "accepted":
        return clean(finding.note)
    week = f", week {finding.weeks}" if finding.weeks > 1 and finding.status != "better" else ""
    note = f"; {clean(finding.note)}" if finding.note else ""
    return f"{finding.status}{week}{note}"


def _link(base_url: str, dag_id: str) -> str:
    """The DAG in Airflow's own pages; `/dags/<id>` exists in 2 and 3."""
    if not dag_id or not base_url.startswith(("https://", "http://")):
        return ""
    return f"{base_url.rstrip('/')}/dags/{quote(dag_id, safe='')}"


def _facts(evidence: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The evidence as labelled values, in the rule's own order; counts and their rates stand together."""
    facts: list[tuple[str, str]] = []
    for key, value in evidence.items():
        if key in _OWN_PLACE or value is None or isinstance(value, dict):
            continue
        label = _LABELS.get(key, key.removesuffix("_s").removesuffix("_at").replace("_", " "))
        if key == "rate" and evidence.get("rate_low") is not None:
            told = interval(float(evidence["rate_low"]), float(evidence["rate_high"]))
            facts.append(("rate", f"{share(value)}, 95 % interval {told}"))
        elif key == "changed_at" and isinstance(evidence.get("changed_from"), datetime):
            span = f"between {moment(evidence['changed_from'])} and {moment(evidence['changed_to'])}"
            facts.append((label, span))
        elif isinstance(value, list | tuple) and any(isinstance(one, dict) for one in value):
            continue
        else:
            text = measure(key, value) if isinstance(value, int | float) else cell(value)
            text = text.replace("_", " ") if key == "source" else text
            if text:
                facts.append((clean(label, 40), clean(text, 200)))
    return tuple(facts[:MAX_FACTS])
