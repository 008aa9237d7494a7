"""The page as report.json (schema 1), and what a later rendering of the same week has changed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Any

from windsock.model import Finding
from windsock.report.cards import card
from windsock.report.formats import clean
from windsock.report.history import anchor
from windsock.report.page import Change, Page, Score
from windsock.report.specs import title_of

MAX_REVISIONS = 20
_NEVER_COMPARED = {"revised", "revisions", "trust", "url"}


def body_of(page: Page) -> dict[str, Any]:
    """Everything on the page as plain values: machines and the mail read this."""
    return {
        "schema": 1,
        "deployment": page.deployment,
        "week": page.week,
        "window": {"from": page.window_from, "to": page.window_to},
        "verdict": page.verdict,
        "verdict_sentence": page.verdict_sentence,
        "verdict_detail": page.verdict_detail,
        "subject": page.subject,
        "findings": [_finding(one, page) for one in page.findings],
        "actions": [one.id for one in page.actions],
        "alike": {
            one.id: {"headline": one.headline, "advice": one.advice, "ids": list(page.alike[one.id])}
            for one in (*page.actions, *page.watched)
            if one.id in page.alike
        },
        "still_open": page.still_open,
        "last_report": page.last_report or None,
        "scoreboard": [_plain(dict(row)) for row in page.scores],
        "measures": [_score(one) for one in page.scoreboard],
        "no_data": [{**asdict(one), "title": title_of(one)} for one in page.no_data],
        "unjudged": list(page.unjudged),
        "revised": page.revised,
        "revisions": list(page.revisions),
        "changes": [_change(one) for one in page.changes],
        "owners": {name: list(ids) for name, ids in page.owner_ids.items()},
        "quiet": list(page.quiet),
        "notes": list(page.notes),
        "withheld": list(page.withheld),
        "trust": _plain({**page.trust_values, "lines": dict(page.trust)}),
        "url": page.url,
    }


def _finding(one: Finding, page: Page) -> dict[str, Any]:
    shown = card(one, base_url="")
    told = asdict(one)
    told["measure"], told["measure_told"] = told.pop("rank"), told.pop("told_rank")
    told |= {
        "headline": shown.headline,
        "advice": shown.advice,
        "anchor": anchor(one.id, one.code),
        "age": shown.age,
    }
    plain: dict[str, Any] = _plain(told)
    return plain


def _score(one: Score) -> dict[str, Any]:
    names = ("key", "name", "value", "this_week", "detail", "previous_week", "median", "mark", "why",
             "question", "bars")  # fmt: skip
    plain: dict[str, Any] = _plain({name: getattr(one, name) for name in names})
    return plain


def _change(one: Change) -> dict[str, Any]:
    told = {
        name: getattr(one, name)
        for name in ("status", "id", "anchor", "headline", "note", "weeks", "since_week")
    }
    if one.before:
        told["before"] = dict(one.before)
    plain: dict[str, Any] = _plain(told)
    return plain


def _plain(value: Any) -> Any:
    """Times as ISO 8601 with Z, NaN as null."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # sums of many threads differ in their last bits from run to run; nine digits do not
        return float(f"{value:.9g}") if math.isfinite(value) else None
    return value


def as_text(body: Mapping[str, Any]) -> str:
    """report.json, byte for byte the same for the same body."""
    return json.dumps(body, ensure_ascii=False, indent=1, sort_keys=False) + "\n"


def revised(page: Page, delivered: Mapping[str, Any] | None) -> Page:
    """The page marked as revised where it differs from what was delivered for its week, with what changed.

    A delivered revision that still holds keeps its mark, so that rendering again gives the same bytes.
    """
    if not delivered or delivered.get("week") != page.week:
        return page
    body = body_of(page)
    before = tuple(str(one) for one in delivered.get("revisions") or ())
    now = _differences(delivered, body)
    if not now:
        return replace(page, revised=bool(delivered.get("revised")), revisions=before)
    return replace(page, revised=True, revisions=(before + tuple(now))[-MAX_REVISIONS:])


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What changed between two bodies of one week, in sentences; empty when nothing did."""
    if {k: v for k, v in old.items() if k not in _NEVER_COMPARED} == {
        k: v for k, v in new.items() if k not in _NEVER_COMPARED
    }:
        return []
    told = []
    if old.get("verdict") != new["verdict"]:
        told.append(f"verdict: {old.get('verdict')} → {new['verdict']}")
    was = {one["id"]: one for one in old.get("findings") or ()}
    now = {one["id"]: one for one in new["findings"]}
    told += [f"added: {one['headline']}" for key, one in now.items() if key not in was]
    told += [f"gone: {clean(str(one.get('headline')))}" for key, one in was.items() if key not in now]
    for key, one in now.items():
        if key in was and was[key].get("headline") != one["headline"]:
            told.append(f"{clean(str(was[key].get('headline')))} → {one['headline']}")
    measures = {one.get("key"): one for one in old.get("measures") or ()}
    for one in new["measures"]:
        before = {"this_week": one["this_week"], "detail": one["detail"]} | measures.get(one["key"], {})
        if (before["this_week"], before["detail"]) != (one["this_week"], one["detail"]):
            old_text, new_text = (f"{m['this_week']} {m['detail']}".strip() for m in (before, one))
            told.append(f"{one['name']}: {old_text} → {new_text}")
    return [clean(one, 300) for one in told] or ["details only"]
