"""WS406."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.counts import chance_of_more
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week

WEEKS = 8


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many misses are news."""

    min_missed: float = threshold(1, "missed deadlines in the week", "somebody set each of them")
    max_chance: float = threshold(0.01, "probability", "as many in a week may come by chance of its own past")


class DeadlineMissed(Rule):
    """Deadlines (Airflow 3.1 and newer) or SLAs (2.x) were missed.

    What it means: a run or task was not done when its author said it must be.
    How it is judged: Airflow's own counters, where metrics are read; more than the eight weeks before explain (negative
    binomial prediction) is a warning, a habit is only watched. Airflow 3.1.0 to 3.1.6 do not emit the counter.
    What to do: see WS401 to WS403 for what grew.
    """

    code, name, section = "WS406", "deadline-missed", "durations"
    questions = ("deadlines_missed",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "deadlines_missed"):
            verdicts.judged += 1
            missed, before = round(row["missed"]), round(row["prev"])
            if missed < limits.min_missed:
                continue
            where = row["dag_id"] or "the deployment"
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"] or "", "name": row["name"]},
                    severity="warning"
                    if chance_of_more(missed, before, WEEKS) <= limits.max_chance
                    else "watch",
                    headline=f"{where} missed {wording.plural(missed, 'deadline')} ({before} in the eight weeks before)",
                    evidence={
                        "missed": missed,
                        "prev": before,
                        "first_at": row["first_at"],
                        "last_at": row["last_at"],
                        "samples": row["samples"],
                    },
                    advice="See what of it takes longer or starts later than it used to.",
                    rank=float(missed),
                )
            )
        return verdicts
