"""WS103."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import has, named
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a DAG counts as broken."""

    min_runs: float = threshold(5, "runs, all lost", "fewer in a row can be one bad night")
    min_weeks: float = threshold(2, "weeks", "a DAG that broke this week is WS101's")
    pause_after: float = threshold(10, "failed runs in a row", "a bad night of an hourly DAG is not enough")


class Broken(Rule):
    """Every run of a DAG has failed for weeks.

    What it means: nobody acts on its failures any more, and it burns workers every time it is scheduled.
    How it is judged: every judged run since a day was lost, over at least `min_weeks` weeks and `min_runs` runs.
    What to do: pause it or fix it; pausing is undone with one click. From Airflow 2.9 on a DAG pauses itself after so many
    failed runs in a row (`max_consecutive_failed_dag_runs`); the hours that `pause_after` would have left unspent are told.
    """

    code, name, section = "WS103", "broken-for-weeks", "failures"
    questions = ("failure_counts_by_dag_day", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        days: dict[str, list[Any]] = {}
        for row in rows_of(answers, "failure_counts_by_dag_day"):
            days.setdefault(row["dag_id"], []).append(row)
        for dag_id, rows in sorted(days.items()):
            verdicts.judged += 1
            lost: list[Any] = []
            for row in reversed(rows):
                if row["lost_runs"] < row["runs"]:
                    break
                lost.append(row)
            runs, hours = sum(row["runs"] for row in lost), sum(row["hours"] for row in lost)
            if not lost or lost[0]["week"] != week.monday or runs < limits.min_runs:
                continue
            since = lost[-1]["day"]
            now = [row for row in lost if row["week"] == week.monday]
            weeks = (week.to_at.date() - since).days // 7
            if weeks < limits.min_weeks:
                continue
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": dag_id},
                    severity="watch",
                    headline=f"{dag_id} has failed every run for {weeks} weeks ({runs} runs since {since:%d %b}, "
                    f"{wording.hours(hours)} of workers)",
                    evidence={"runs": runs, "since": since.isoformat(), "weeks": weeks, "hours": hours}
                    | {
                        f"week_{name}": sum(row[of] for row in now)
                        for name, of in (("runs", "runs"), ("hours", "hours"))
                    }
                    | ({"began_at": lost[-1]["first_lost_at"]} if lost[-1].get("first_lost_at") else {}),
                    advice=f"Pause or fix it: airflow dags pause '{dag_id}' (undo: airflow dags unpause '{dag_id}')."
                    + _by_itself(answers, runs, hours, limits.pause_after),
                    rank=float(runs),
                )
            )
        return verdicts


SETTING = "max_consecutive_failed_dag_runs_per_dag"


def _by_itself(answers: Mapping[str, Answer], runs: int, hours: float, after: float) -> str:
    """What Airflow's own pause would have left unspent; nothing where this version has none."""
    if runs <= after or not has(answers, SETTING):
        return ""
    return (
        f" With max_consecutive_failed_dag_runs={after:.0f} of the DAG ({named(answers, SETTING)} is for all, 0 is never) it had "
        f"paused itself, {wording.hours(hours * (runs - after) / runs)} of workers ago. The price: somebody has to unpause it."
    )
