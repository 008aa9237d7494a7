"""WS620."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.before_after import Moved
from windsock.findings.rule import Rule, Thresholds, Verdicts, threshold
from windsock.findings.upgrades import FIGURES, changes_judged, changes_told, lines, moved, named, same_share
from windsock.model import Answer, Finding, Row, Severity
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
    they cannot be told apart. A change is judged in its week and in the next.
    What to do: where it is worse, see the lines for what moved, and the change's own notes; the way back is the old version
    or value. No evidence after a week is worth knowing, too: the change can stay.
    """

    code, name, section = "WS620", "since-change", "config"
    questions = ("days_around_change", "changes_of_deployment")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        changes = changes_judged(answers)
        if not changes:
            return verdicts
        share = same_share(answers)
        code = "same" if share >= limits.min_same_share else "all"
        found = moved(answers, code, limits.min_day)
        if all(one.word == "not enough data" for one in found.values()):
            verdicts.not_enough += 1
            return verdicts
        verdicts.judged += 1
        verdicts.findings.append(cls._of(changes, found, share if code == "same" else 0.0))
        return verdicts

    @classmethod
    def _of(cls, changes: list[Row], found: Mapping[str, Moved], share: float) -> Finding:
        words = {
            word: [one for one in FIGURES if found[one.name].word == word]
            for word in ("worse", "better", "no evidence")
        }
        severity: Severity = "info"
        if words["worse"]:
            severity = "warning" if found["lost_runs"].word == "worse" else "watch"
        told = [
            f"{one.title} {word} ({one.told(found[one.name].shift)})"
            for word in ("worse", "better")
            for one in words[word]
        ]
        told += [
            "no evidence of a change in " + wording.names([one.title for one in words["no evidence"]], 5)
        ] * bool(words["no evidence"])
        same = (
            f"Judged by the {wording.percent(share)} of the runs whose bundle version is the one of before: changes of code are left out."
            if share
            else "Changes of code cannot be told apart: too few runs since kept the bundle version that they name."
        )
        act = (
            "Look at what the lines say moved, and at the change's own notes; "
            if words["worse"]
            else "Nothing to do; "
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
                "figures": lines(found),
                "same_code_share": share or None,
                "since_at": changes[0]["until_at"],
            },
            advice=f"{act}it is correlation. {same}",
            rank=float(len(words["worse"])),
        )
