"""A finding → what is shown of it: one safe line each, evidence as labelled numbers, commands to copy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from windsock.model import MAX_ADVICE, Finding
from windsock.report.formats import cell, clean, interval, measure, moment, sentences, share
from windsock.report.history import anchor
from windsock.report.page import Card
from windsock.report.plots import Plot

MAX_FACTS = 14
MAX_SAMPLE = 600
_OWN_PLACE = {"week_lost", "sample", "dispersion", "estimate", "different", "is_over", "suspect", "changes", "changes_when", "apply", "undo", "options", "rate_low", "rate_high", "changed_from", "changed_to", "every_s", "every_prev_s"}  # fmt: skip
_LABELS = {
    "all_tries": "of all tries",
    "began_at": "began",
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
    "full_error_share": "give or take",
    "full_share": "full, of busy hours",
    "full_share_all": "full, of all hours",
    "last_at": "last seen",
    "last_run_id": "last run",
    "lost": "lost for good",
    "median_runs": "usual runs a week",
    "p_value": "chance of this by luck",
    "p50_slots": "slots in use, median",
    "p95_slots": "95th percentile",
    "prev_hours": "last week",
    "probability": "probability that it is real",
    "ratio": "times",
    "shared": "they share",
    "total_slots": "slots",
    "tries_prev": "tries before",
    "unseen_at": "asked before, and not there",
    "usual_hours": "usually",
    "wait_hours": "waited",
    "wasted_hours": "wasted",
    "weeks_seen": "weeks seen before",
}
"""Names of evidence as people say them; what is not here is its own name with spaces."""
_TELLING = frozenset(
    "alone_hours baseline_rate began_at blocked changed_at dags excess_failures expected failed failed_when_fuller failures "
    "file_count first_at free_cures full_share kills lost lost_runs max_slots missed missing out_of_memory p_value probability "
    "protects rate ratio runs share times total_slots tries wait_hours waits weeks wasted_hours weeks_left".split()
)
"""What a finding is about: how much, since when, how sure, and what holds the hand back. Hours are too, by their name."""
_ASIDE = frozenset(
    "busy_hours full_hours full_share_all hours_seen known_by_next_try known_days last_run_id launched_again p50_slots p95_slots "
    "price_source processor_log_read samples sees sightings sights source told_by told_by_processor told_by_scheduler weeks_before "
    "weeks_seen".split()
)
"""What the measure rests on, and how it spread: the first to go where a card is full."""


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
        advice=sentences(finding.advice, MAX_ADVICE),
        facts=_facts(evidence),
        sample=clean(str(evidence.get("sample") or ""), MAX_SAMPLE),
        different=tuple(clean(str(one), 200) for one in evidence.get("different") or ()),
        suspect=clean(str(evidence.get("suspect") or ""), 200),
        changes_when=clean(str(evidence.get("changes_when") or ""), 20),
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
    """The evidence as labelled values, in the rule's own order; where there are too many, the least telling ones go."""
    told = [
        (key, fact) for key, value in evidence.items() if (fact := _fact(key, value, evidence)) is not None
    ]
    kept = set(sorted(range(len(told)), key=lambda place: (_weight(told[place][0]), place))[:MAX_FACTS])
    return tuple(fact for place, (_key, fact) in enumerate(told) if place in kept)


def _weight(key: str) -> int:
    """0 for what the finding is about, 2 for what it rests on, 1 for all between."""
    if key in _ASIDE:
        return 2
    return 0 if key in _TELLING or key.endswith("_hours") else 1


def _fact(key: str, value: Any, evidence: Mapping[str, Any]) -> tuple[str, str] | None:
    """One labelled value; counts and their rates stand together. None for what is shown elsewhere, or is empty."""
    if key in _OWN_PLACE or value is None or isinstance(value, dict):
        return None
    if isinstance(value, list | tuple) and any(isinstance(one, dict) for one in value):
        return None
    label = _LABELS.get(key, key.removesuffix("_s").removesuffix("_at").replace("_", " "))
    if key == "rate" and evidence.get("rate_low") is not None:
        told = interval(float(evidence["rate_low"]), float(evidence["rate_high"]))
        return "rate", f"{share(value)}, 95 % Wilson interval {told}"
    if key == "changed_at" and isinstance(evidence.get("changed_from"), datetime):
        return label, f"between {moment(evidence['changed_from'])} and {moment(evidence['changed_to'])}"
    text = measure(key, value) if isinstance(value, int | float) else cell(value)
    text = text.replace("_", " ") if key == "source" else text
    return (clean(label, 40), clean(text, 200)) if text else None
