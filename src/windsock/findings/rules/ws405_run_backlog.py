"""WS405."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a limit makes a backlog for good."""

    min_load: float = threshold(
        0.9, "of max_active_runs, in the mean", "at the limit every delay is carried on"
    )
    min_held_minutes: float = threshold(1000, "minutes of the week", "a tenth of the week: less is a burst")
    min_growth_s: float = threshold(600.0, "seconds later in the second half of the week", "a backlog grows")


class RunBacklog(Rule):
    """More runs are due than max_active_runs lets the DAG work off.

    What it means: arrivals times duration is above the limit, so each day starts later than the one before.
    How it is judged: runs active in the mean (run hours over hours seen, Little 1961), at least `min_load` of the limit that
    the scheduler named; held back for `min_held_minutes`; and runs started later in the second half of the week.
    What to do: raise max_active_runs if runs may overlap; else make them shorter, or fewer.
    """

    code, name, section = "WS405", "run-backlog", "durations"
    questions = ("run_backlogs",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "run_backlogs"):
            verdicts.judged += 1
            if not row["limit_value"] or row["late_first_s"] is None or row["late_last_s"] is None:
                verdicts.not_enough += 1
                continue
            growth = row["late_last_s"] - row["late_first_s"]
            is_full = row["mean_active"] >= limits.min_load * row["limit_value"]
            if not is_full or row["held_minutes"] < limits.min_held_minutes or growth < limits.min_growth_s:
                continue
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"]},
                    severity="warning",
                    headline=f"{row['dag_id']}: {row['mean_active']:.1f} of {row['limit_value']} allowed runs active in the mean; "
                    f"runs began {wording.span(growth)} later in the second half of the week",
                    evidence={name: row[name] for name in row if name != "dag_id"} | {"growth_s": growth},
                    advice=f"Raise max_active_runs above {row['limit_value']} if its runs may overlap; else shorten them: the limit "
                    "is worked at all the time.",
                    rank=growth / 3600,
                )
            )
        return verdicts
