"""The mail's model, read from report.json: one deployment or several, everything or one owner's slice.

Built from the same body that machines read, so that mail, JSON and page cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.report.formats import clean, days, sentences
from windsock.report.history import UNCHANGED_WEEKS

MAX_ACTIONS = 5
MAX_HEADLINE = 150
MAX_ADVICE = 220
_WORST_FIRST = ("worse", "cannot_tell", "better", "same")
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Item:
    """One finding in the mail."""

    headline: str
    advice: str
    owner: str
    code: str
    age: str
    severity: str
    apply: str
    undo: str
    link: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the scoreboard in the mail."""

    name: str
    this_week: str
    detail: str
    previous_week: str
    median: str
    mark: str
    why: str
    bars: tuple[int, ...]  # heights in pixels, 0 to 20; -1 where there is no data
    blocks: str  # the same in one line of text


@dataclass(frozen=True, slots=True)
class Part:
    """One deployment."""

    deployment: str
    week: str
    dates: str
    verdict: str
    cause: str
    detail: str
    subject: str
    actions: tuple[Item, ...]
    also: tuple[Item, ...]
    since: str  # what the changes are counted against, or that they are against nothing
    counts: tuple[tuple[str, int], ...]  # what changed, in numbers
    recovered: tuple[str, ...]
    recovered_left_out: int
    still_open: int
    lines: tuple[Line, ...]
    no_data: tuple[str, ...]  # titles of sections; the page says why
    unjudged: tuple[str, ...]
    quiet: tuple[str, ...]
    revised: tuple[str, ...]
    window: str
    version: str
    url: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole mail. `owner` is set when it is one owner's slice."""

    subject: str
    title: str
    parts: tuple[Part, ...]
    owner: str = ""


def letter(bodies: Sequence[Mapping[str, Any]], *, owner: str = "") -> Letter:
    """One mail of these reports, worst first. With `owner`, only what concerns that owner."""
    ranked = sorted(
        bodies, key=lambda one: (_WORST_FIRST.index(one["verdict"]), -_grave(one), one["deployment"])
    )
    parts = tuple(_part(one, owner) for one in ranked)
    names = ", ".join(clean(one.deployment, 40) for one in parts[:4]) + (
        f" and {len(parts) - 4} more" if len(parts) > 4 else ""
    )
    week = parts[0].week
    title = f"Airflow {names} · week {week}" + (f" · {clean(owner, 80)}" if owner else "")
    if owner:
        n = sum(len(one.actions) + len(one.also) for one in parts)
        told = f"{n} {'finding concerns' if n == 1 else 'findings concern'} you"
        subject = f"Airflow {names}, week {int(week[-2:])}: {told}"
    elif len(parts) == 1:
        subject = parts[0].subject + (" (revised)" if parts[0].revised else "")
    else:
        told = ", ".join(f"{clean(one.deployment, 30)} {one.verdict.replace('_', ' ')}" for one in parts[:8])
        subject = f"Airflow {names}, week {int(week[-2:])}: {told}"
    return Letter(clean(subject, 200), title, parts, owner)


def concerns(body: Mapping[str, Any], owner: str) -> list[str]:
    """Ids of the findings an owner is written to about: theirs, open or just changed, not accepted."""
    mine = set((body.get("owners") or {}).get(owner, ()))
    return [one["id"] for one in body["findings"] if one["id"] in mine and _is_told(one)]


def _is_told(one: Mapping[str, Any]) -> bool:
    if one["status"] in ("better", "recovered"):
        return bool(one.get("weeks", 1) == 1)
    return bool(one["status"] != "accepted" and one["severity"] != "info")


def _grave(body: Mapping[str, Any]) -> int:
    return sum(one["severity"] in ("warning", "critical") for one in body["findings"])


def _part(body: Mapping[str, Any], owner: str) -> Part:
    """One deployment; an owner's slice has findings and nothing of the whole."""
    first, rest = _chosen(body, owner)
    url = str(body.get("url") or "")
    changes = [] if owner else body["changes"]
    good = [one for one in changes if one["status"] in ("better", "recovered")]
    missing = [] if owner else [clean(str(one.get("title") or one["section"]), 60) for one in body["no_data"]]
    detail = body.get("verdict_detail") or ""
    return Part(
        deployment=body["deployment"],
        week=body["week"],
        dates=days(body["window"]["from"], body["window"]["to"]),
        verdict=body["verdict"],
        cause=body["verdict_sentence"].removesuffix(detail).strip(),
        detail=detail,
        subject=body["subject"],
        actions=tuple(_item(one, url) for one in first),
        also=tuple(_item(one, url) for one in rest),
        since=_since(body),
        counts=_counts(changes),
        recovered=tuple(clean(one["headline"], MAX_HEADLINE) for one in good[:5]),
        recovered_left_out=max(0, len(good) - 5),
        still_open=0 if owner else int(body["still_open"]),
        lines=() if owner else tuple(_line(one) for one in body["measures"]),
        no_data=tuple(missing),
        unjudged=() if owner else tuple(body["unjudged"][:5]),
        quiet=() if owner else tuple(body["quiet"]),
        revised=tuple(clean(one, 200) for one in body["revisions"][:5]) if body["revised"] else (),
        window=f"{body['window']['from']} to {body['window']['to']}",
        version=str(body["trust"].get("version", "")),
        url=url,
    )


def _chosen(body: Mapping[str, Any], owner: str) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The findings to act on, and the others that are open; what stayed open for long is only counted."""
    findings = list(body["findings"])
    if owner:
        mine = set(concerns(body, owner))
        own = [one for one in findings if one["id"] in mine]
        return own[:MAX_ACTIONS], own[MAX_ACTIONS:]
    alike, acting = body.get("alike") or {}, set(body["actions"])
    told = acting.union(*(one["ids"] for one in alike.values()))
    first = [_for_all(one, alike.get(one["id"])) for one in findings if one["id"] in acting]
    rest = [
        _for_all(one, alike.get(one["id"]))
        for one in findings
        if one["id"] not in told
        and one["status"] in ("new", "worse", "still")
        and int(one.get("unchanged_weeks") or 0) < UNCHANGED_WEEKS
    ]
    return first[:MAX_ACTIONS], rest


def _for_all(one: Mapping[str, Any], alike: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """An action in the words of all that it stands for, where it stands for more than itself."""
    return {**one, "headline": alike["headline"], "advice": alike["advice"]} if alike else one


_WORD = (
    ("new", "new"),
    ("worse", "worse"),
    ("better", "better"),
    ("recovered", "recovered"),
    ("still", "still open"),
    ("accepted", "accepted"),
    ("not_seen", "not seen"),
)


def _counts(changes: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, int], ...]:
    counted = [(word, sum(one["status"] == status for one in changes)) for status, word in _WORD]
    return tuple((word, n) for word, n in counted if n)


def _since(body: Mapping[str, Any]) -> str:
    """`Since the report of 2026-W46`; what an older version wrote does not tell which one that was."""
    if "last_report" not in body:
        return "Since the last report"
    last = body["last_report"]
    return f"Since the report of {clean(last, 20)}" if last else "No report before this one"


def _item(one: Mapping[str, Any], url: str) -> Item:
    evidence = one.get("evidence") or {}
    return Item(
        headline=clean(one["headline"], MAX_HEADLINE),
        advice=sentences(one["advice"], MAX_ADVICE),
        owner=clean(one.get("owner") or "", 80),
        code=one["code"],
        age=clean(one.get("age") or one["status"], 80),
        severity=one["severity"],
        apply=clean(str(evidence.get("apply") or ""), 200),
        undo=clean(str(evidence.get("undo") or ""), 200),
        link=f"{url}#{one['anchor']}" if url else "",
    )


def _line(one: Mapping[str, Any]) -> Line:
    bars = [None if bar is None else max(0.0, min(1.0, float(bar))) for bar in one["bars"]]
    return Line(
        name=one["name"],
        this_week=one["this_week"],
        detail=one["detail"],
        previous_week=one["previous_week"],
        median=one["median"],
        mark=one["mark"],
        why=one["why"],
        bars=tuple(-1 if bar is None else max(1, round(bar * 20)) for bar in bars),
        blocks="".join("·" if bar is None else _BARS[min(7, int(bar * 7.999))] for bar in bars),
    )
