"""WS505."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from shlex import quote
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.counts import chance_of_all_lost
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a task that does not run is missed."""

    min_runs: float = threshold(3, "runs of the DAG without it", "one or two may be a branch not taken")
    min_days: float = threshold(1, "days over which they began", "an hourly DAG has three in a morning")
    min_share: float = threshold(
        0.95, "fraction of the runs before", "a branch that is often left out is left out in a row, too"
    )
    min_gaps: float = threshold(
        3.0, "times the longest row of runs without it before", "weekends, month ends"
    )
    max_chance: float = threshold(0.005, "probability", "tens of thousands of tasks are looked at in a week")
    max_weeks: float = threshold(3, "weeks since it ran", "by then it was told, and most likely meant")


class SilentTask(Rule):
    """A task no longer runs, though its DAG does and nothing fails.

    What it means: the runs are green without it, so nothing alerts: a branch that is never taken any more, a task that was
    removed by mistake, or one that is never started.
    How it is judged: of runs that are over and in which nothing failed, nearly all had the task (`min_share`), and the newest
    ones lack it: at least `min_runs` over `min_days`, `min_gaps` times as many as ever before, and so many in a row are less
    likely than `max_chance` by the runs before (beta-binomial prediction under Jeffreys' prior). Where the DAG has got new
    tasks since, it was rebuilt, and nothing is told. A task that API or database tell as skipped has run.
    What to do: see whether the DAG still has the task; if it has, see which branch or trigger rule leaves it out.
    """

    code, name, section = "WS505", "silent-task", "silent"
    questions = ("tasks_gone",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for dag_id, rows in groupby(rows_of(answers, "tasks_gone"), lambda row: str(row["dag_id"])):
            mine = list(rows)
            verdicts.judged += len(mine)
            if gone := [row for row in mine if _is_missed(row, limits, week)]:
                verdicts.findings.append(cls._told(dag_id, gone))
        return verdicts

    @classmethod
    def _told(cls, dag_id: str, gone: Sequence[Row]) -> Finding:
        tasks = [str(row["task_id"]) for row in gone]
        runs, last_at = max(row["runs_since"] for row in gone), min(row["last_at"] for row in gone)
        verb = "has" if len(gone) == 1 else "have"
        told = dag_id if len(gone) > 1 else f"{dag_id} {quote(tasks[0])}"
        return cls.finding(
            subject={"dag_id": dag_id},
            severity="watch",
            headline=f"{wording.names(tasks)} of {dag_id} {verb} not run since {wording.moment(last_at)}, in "
            f"{wording.plural(runs, 'run')} that ended well",
            evidence={
                "tasks": tasks,
                "runs": runs,
                "changed_from": last_at,
                "changed_to": min(row["first_missed_at"] for row in gone),
                "runs_before": max(row["runs_before"] for row in gone),
            },
            advice="Removed, left out by a branch or a trigger rule, or never started: if it is still in the DAG, see what "
            f"leaves it out (windsock why {told}).",
            rank=float(runs),
        )


def _is_missed(row: Row, limits: Limits, week: Week) -> bool:
    runs, before, had = row["runs_since"], row["runs_before"], row["runs_with"]
    if row["new_tasks"] or row["last_at"] < week.minus(int(limits.max_weeks) - 1).from_at:
        return False
    if (row["newest_at"] - row["first_missed_at"]).total_seconds() < limits.min_days * DAY_S:
        return False
    if runs < max(limits.min_runs, limits.min_gaps * row["longest_gap"]) or had < limits.min_share * before:
        return False
    return chance_of_all_lost(runs, before - had, before) <= limits.max_chance
