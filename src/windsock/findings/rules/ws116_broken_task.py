"""WS116."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.counts import chance_of_all_lost
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a task counts as broken though runs of its DAG succeed."""

    min_ends: float = threshold(3, "ends in a row, all lost", "two can be two bad nights")
    min_days: float = threshold(3, "UTC days with such an end", "many of one night are one bad night")
    max_chance: float = threshold(
        0.001, "probability", "there are ten times as many tasks as DAGs, and some lose runs by their nature"
    )


class BrokenTask(Rule):
    """A task that worked has failed each time since a day, though its DAG has runs that succeed.

    What it means: a branch, or what runs only on some days, is broken. The runs between, in which the task is skipped, hide it:
    its DAG's newest run is well, and its rate is low.
    How it is judged: the task's newest ends (each map index is one) were all lost, at least `min_ends` of them on `min_days`
    days and one this week, and so many in a row are less likely than `max_chance` by its own nine weeks up to its last success
    (beta-binomial prediction under Jeffreys' prior). Not told of a DAG whose lost runs another finding tells.
    What to do: look at its error, and at what changed between its last success and the first failure.
    """

    code, name, section = "WS116", "broken-task", "failures"
    questions = ("task_standing",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "task_standing"):
            verdicts.judged += 1
            if (
                not row["lost"]
                or row["failing_ends"] < limits.min_ends
                or row["failing_days"] < limits.min_days
            ):
                continue
            if row["last_success_at"] is None or _chance(row) > limits.max_chance:
                continue
            verdicts.findings.append(cls._told(row))
        return verdicts

    @classmethod
    def _told(cls, row: Row) -> Any:
        whose = {"dag_id": row["dag_id"], "task_id": row["task_id"]}
        ends, since = wording.plural(row["failing_ends"], "time"), wording.moment(row["failing_since"])
        return cls.finding(
            subject=whose,
            severity="watch",
            headline=f"{row['dag_id']}.{row['task_id']} failed each time since {since} ({ends}; before: {row['lost_well']} of "
            f"{row['ended_well']}); its DAG had {wording.plural(row['dag_runs'], 'run')} this week",
            evidence={
                "failing_ends": row["failing_ends"],
                "failing_days": row["failing_days"],
                "lost": row["lost"],
                "dag_runs": row["dag_runs"],
                "first_at": row["failing_since"],
                "well_at": row["last_success_at"],
                "baseline_tries": row["ended_well"],
                "baseline_failures": row["lost_well"],
                "chance": _chance(row),
            },
            advice=f"Look at what changed between {wording.moment(row['last_success_at'])}, its last success, and the first failure: "
            f"windsock why {quote(row['dag_id'])} {quote(row['task_id'])}.",
            rank=float(row["lost"]),
        )


def _chance(row: Row) -> float:
    return chance_of_all_lost(row["failing_ends"], row["lost_well"], row["ended_well"])
