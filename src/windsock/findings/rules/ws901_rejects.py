"""WS901."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many unreadable objects matter."""

    max_share: float = threshold(0.005, "fraction of the week's objects", "more can hide a failure pattern")


class Rejects(Rule):
    """Some of the week's objects could not be read.

    What it means: what they hold is in no number of this report.
    How it is judged: rejected objects as a share of all that were modified in the week.
    What to do: `windsock ask --sql "from objects where outcome = 'reject'"` names each with its reason.
    """

    code, name, section = "WS901", "unreadable-objects", "trust"
    questions = ("objects_by_outcome",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "objects_by_outcome")
        total = sum(row["objects"] for row in rows)
        rejected = [row for row in rows if row["outcome"] == "reject"]
        count = sum(row["objects"] for row in rejected)
        verdicts = Verdicts(judged=1 if total else 0)
        if total and count / total > limits.max_share:
            reasons = ", ".join(f"{row['reject_reason']} ({row['objects']})" for row in rejected)
            verdicts.findings.append(
                cls.finding(
                    subject={"input": "objects"},
                    severity="watch",
                    headline=f"{count} of {wording.plural(total, 'object')} could not be read: {reasons}",
                    evidence={"rejected": count, "objects": total},
                    advice="See the reasons; the next pull tries each again.",
                    rank=count / total * 10,
                )
            )
        return verdicts
