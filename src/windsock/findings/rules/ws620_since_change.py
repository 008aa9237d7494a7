"""WS620."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.before_after import Moved
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.upgrades import (
    FIGURES,
    Event,
    Figure,
    changes_told,
    events,
    had_begun,
    lines,
    moved,
    named,
    same_share,
)
from windsock.model import Answer, Finding, Severity
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How much is needed to judge the days after a change."""

    min_day: float = threshold(5, "runs, tasks or files behind a day", "fewer make a day's figure jump")
    min_same_share: float = threshold(
        0.3,
        "of the runs since, on the code of before",
        "with fewer the rest of the fleet is not told by them",
    )


class SinceChange(Rule):
    """How the deployment did since Airflow, its executor or a setting changed.

    What it means: what became worse with an upgrade or a setting shows in all DAGs at once, and in none of them enough to be
    a finding of its own. Correlation: whatever else began that day is in it, too.
    How it is judged: day by day, each against what is usual for its DAG, task or file, up to eight weeks before and at least
    three days after; weekday by weekday, and beyond every span of that length in the weeks before
    (`findings/methods/before_after.py`; false alarms on simulated days are in benchmarks/RESULTS.md). Where enough runs
    kept their bundle version only those are judged, so that changes of code are left out; else the finding says that
    they cannot be told apart. Each change of this week and the one before is judged by itself: before is up to it, after until the
    next one. Changes with less than three whole days between them are judged as one; and a move that the days since the
    change before show already is said to be either's.
    What to do: where it is worse, see the lines for what moved, and the change's own notes; the way back is the old version
    or value. No evidence after a week is worth knowing, too: the change can stay.
    """

    code, name, section = "WS620", "since-change", "config"
    questions = ("days_around_change", "changes_of_deployment")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        found: dict[str, Finding] = {}
        earlier: _Judged | None = None
        for event in events(answers):
            one = _judged(event, earlier, limits)
            if all(figure.word == "not enough data" for figure in one.moved.values()):
                verdicts.not_enough += 1
            else:
                verdicts.judged += 1
                told = cls._of(one, earlier)
                found[told.id] = told  # a value that was set twice: the newer one
            earlier = one
        if earlier is None and rows_of(answers, "changes_of_deployment"):
            verdicts.not_enough += 1
        verdicts.findings += found.values()
        return verdicts

    @classmethod
    def _of(cls, one: _Judged, earlier: _Judged | None) -> Finding:
        changes, worse = one.event.changes, one.of("worse")
        mine = [figure for figure in worse if not _is_told(figure, one, earlier)]
        severity: Severity = "info"
        if mine:
            severity = "warning" if any(figure.name == "lost_runs" for figure in mine) else "watch"
        told = [
            f"{figure.title} {word} ({figure.told(one.moved[figure.name].shift)})"
            + (_either(earlier) if figure.name in one.shared and earlier else "")
            for word in ("worse", "better")
            for figure in one.of(word)
        ]
        still = [figure.title for figure in one.of("no evidence")]
        told += [f"no evidence of a change in {wording.names(still, 5)}"] * bool(still)
        act = (
            "Look at what the lines say moved, and at the change's own notes; " if mine else "Nothing to do; "
        )
        return cls.finding(
            subject={
                "kind": changes[0]["kind"],
                "name": changes[0]["subject"],
                "after": str(changes[0]["after"]),
            },
            severity=severity,
            headline=f"Since {named(changes)}: {'; '.join(told)}",
            evidence={
                "changed": changes_told(changes),
                "figures": lines(one.moved),
                "same_code_share": one.share or None,
                "since_at": max(row["until_at"] for row in changes),
            },
            advice=f"{act}it is correlation. {_together(one.event)}{_code(one.share)}",
            rank=float(len(mine)),
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    """An event and its figures. `share`: of runs on the same code, where only those are judged, else 0. `shared`: figures
    whose move may as well be the earlier event's."""

    event: Event
    share: float
    moved: Mapping[str, Moved]
    shared: set[str]

    def of(self, word: str) -> list[Figure]:
        return [one for one in FIGURES if self.moved[one.name].word == word]


def _judged(event: Event, earlier: _Judged | None, limits: Limits) -> _Judged:
    share = same_share(event)
    code = "same" if share >= limits.min_same_share else "all"
    found = moved(event, code, limits.min_day)
    shared = had_begun(event, found, code, limits.min_day) if earlier else set()
    return _Judged(event, share if code == "same" else 0.0, found, shared)


def _is_told(figure: Figure, one: _Judged, earlier: _Judged | None) -> bool:
    """The finding of the change before tells this move already."""
    return (
        earlier is not None
        and figure.name in one.shared
        and earlier.moved[figure.name].word == one.moved[figure.name].word
    )


def _either(earlier: _Judged) -> str:
    return f", or already since {named(earlier.event.changes)}"


def _together(event: Event) -> str:
    return (
        "The changes lie too close together: which of them it was cannot be told. "
        if len(event.changes) > 1
        else ""
    )


def _code(share: float) -> str:
    if share:
        return (
            f"Judged by the {wording.percent(share)} of the runs whose bundle version is the one of before: changes of code are "
            "left out."
        )
    return "Changes of code cannot be told apart: too few runs since kept the bundle version that they name."
