"""Judgement and answers → the page: what is shown, in which order, and what is left out (and counted)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from windsock.model import Answer, Finding, Judgement
from windsock.report.accepted import Accepted
from windsock.report.alike import actions
from windsock.report.became import became
from windsock.report.calm import calm_lines, is_calm
from windsock.report.cards import card
from windsock.report.formats import clean
from windsock.report.history import UNCHANGED_WEEKS, Gone, History, anchor, compare
from windsock.report.owners import owned, shown_owners, slices
from windsock.report.page import Change, Page, Section
from windsock.report.scoreboard import scoreboard
from windsock.report.sections import sections
from windsock.report.trust import blindness, has_no_runs, notes, rows_of, trust_lines, unjudged
from windsock.report.verdict import OPEN, WORDS, is_grave, most_lost, subject, verdict
from windsock.week import Week

MAX_ACTIONS = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """What the page is of. `withheld` names what was kept inside: `log text`, `names`."""

    deployment: str
    week: Week
    version: str
    base_url: str = ""  # of Airflow, for links
    url: str = ""  # where readers find the page
    withheld: tuple[str, ...] = ()
    owner_of: Mapping[str, str] = field(default_factory=dict)  # dag_id -> owner


@dataclass(frozen=True, slots=True)
class Told:
    """What the last report and the reviewers say."""

    previous: Mapping[str, Any] | None = None
    accepted: Sequence[Accepted] = ()


def build_page(
    frame: Frame,
    *,
    judgement: Judgement,
    answers: Mapping[str, Answer],
    trust: Mapping[str, Any],
    told: Told | None = None,
) -> Page:
    """The frozen page of one week."""
    history = _history(frame, judgement, answers, told or Told())
    findings = history.findings
    seen_until = trust.get("seen_until")
    scores = scoreboard(answers, frame.week, is_going_on=seen_until is not None)
    grave = [one for one in findings if is_grave(one)]
    acting = [one for one in grave if one.unchanged_weeks < UNCHANGED_WEEKS]
    to_do = actions(acting)
    watched = actions([one for one in findings if one.severity in ("watch", "info") and one.status in OPEN])
    apart = {one.id for one in acting} | {one.finding.id for one in watched if one.others}
    apart |= {other for one in watched for other in one.others}
    word, cause, detail = verdict(
        [
            *(one.finding for one in to_do),
            *(one.finding for one in watched if one.others),
            *(one for one in findings if one.id not in apart),
        ],
        history.gone,
        judgement.no_data,
        scores,
        blind=blindness(answers),
        no_runs=has_no_runs(answers),
        seen_until=seen_until,
        lost_in=most_lost(answers),
    )
    parts = sections(findings, answers, judgement, frame.week, base_url=frame.base_url)
    shown = {one.key for one in parts if one.cards or one.tables or one.plots}
    changes, ids_of = _changes(history, parts), slices(findings, frame.owner_of)
    page = Page(
        deployment=clean(frame.deployment, 80),
        week=str(frame.week),
        window_from=frame.week.from_at.isoformat().replace("+00:00", "Z"),
        window_to=frame.week.to_at.isoformat().replace("+00:00", "Z"),
        verdict=word,
        verdict_cause=cause,
        verdict_detail=detail,
        subject=subject(
            frame.deployment,
            str(frame.week),
            WORDS[word],
            findings,
            history.gone,
            is_going_on=seen_until is not None,
        ),
        actions=tuple(card(one.finding, base_url=frame.base_url) for one in to_do[:MAX_ACTIONS]),
        last_report=str(((told and told.previous) or {}).get("week") or ""),
        alike={one.finding.id: one.others for one in (*to_do[:MAX_ACTIONS], *watched) if one.others},
        watched=tuple(card(one.finding, base_url=frame.base_url) for one in watched if one.others),
        still_open=len(grave) - len(acting),
        findings=findings,
        changes=changes,
        scoreboard=scores,
        scores=tuple(rows_of(answers, "scoreboard")),
        sections=parts,
        no_data=tuple(replace(one, is_partial=one.section in shown) for one in judgement.no_data),
        unjudged=unjudged(answers),
        trust=trust_lines(answers, judgement, trust),
        trust_values={**trust, "judged": dict(judgement.judged), "not_enough": dict(judgement.not_enough)},
        owners=shown_owners(findings, ids_of),
        owner_ids=ids_of,
        notes=notes(history, frame.withheld),
        withheld=frame.withheld,
        version=frame.version,
        url=frame.url,
    )
    if grave or word == "cannot_tell" or not is_calm(changes, findings):
        return page
    lines = calm_lines(
        scores,
        changes,
        findings,
        no_data=page.no_data,
        trust=page.trust,
        unjudged=page.unjudged,
    )
    return replace(page, quiet=lines)


def _history(frame: Frame, judgement: Judgement, answers: Mapping[str, Answer], told: Told) -> History:
    made = compare(
        judgement.findings,
        told.previous,
        told.accepted,
        frame.week,
        became=lambda one: became(one, answers, judgement),
    )
    return replace(made, findings=tuple(owned(one, frame.owner_of) for one in made.findings))


_ORDER = ("new", "worse", "better", "recovered", "still", "accepted", "not_seen")


def _changes(history: History, parts: Sequence[Section]) -> tuple[Change, ...]:
    """New, worse, better, recovered, still open, accepted, not seen; in that order, within it by rank."""
    shown = {one.anchor for part in parts for one in part.cards}
    changes = []
    for one in history.findings:
        if one.status in ("better", "recovered") and one.weeks > 1:
            continue  # told before
        place = anchor(one.id, one.code)
        changes.append(_change(one, place if place in shown else ""))
    changes += [replace(_change(one, ""), before=one.before) for one in history.gone]
    return tuple(sorted(changes, key=lambda one: _ORDER.index(one.status)))


def _change(one: Finding | Gone, place: str) -> Change:
    return Change(
        status=one.status,
        id=one.id,
        anchor=place,
        headline=clean(one.headline),
        note=clean(one.note),
        weeks=one.weeks,
        since_week=one.since_week,
    )
