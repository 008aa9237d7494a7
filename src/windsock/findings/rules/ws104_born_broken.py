"""WS104."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import rates, wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a new DAG counts as born broken."""

    min_runs: float = threshold(3, "runs, all lost", "a first run may fail for want of data")
    max_days: float = threshold(14, "days since its first run", "after that it is WS103's")


class BornBroken(Rule):
    """A new DAG has never had a run that succeeded.

    What it means: it was deployed and never worked; its failures are no regression, so no comparison shows them.
    How it is judged: first seen within `max_days`, while other DAGs were seen before; every judged run so far was lost.
    What to do: tell its author; pause it until it is mended.
    """

    code, name, section = "WS104", "born-broken", "failures"
    questions = ("failure_counts_by_dag_day",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        verdicts.judged = len({row["dag_id"] for row in rows_of(answers, "failure_counts_by_dag_day")})
        for dag_id, rows in rates.days_of_new_dags(answers, week, limits.max_days).items():
            since, runs = rows[0]["day"], sum(row["runs"] for row in rows)
            if runs < limits.min_runs or any(row["lost_runs"] < row["runs"] for row in rows):
                continue
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": dag_id},
                    severity="watch",
                    headline=f"{dag_id} is new and has never succeeded ({wording.plural(runs, 'run')} since {since:%d %b})",
                    evidence={
                        "runs": runs,
                        "week_runs": sum(row["runs"] for row in rows if row["week"] == week.monday),
                        "since": since.isoformat(),
                    }
                    | ({"began_at": rows[0]["first_lost_at"]} if rows[0].get("first_lost_at") else {}),
                    advice=f"Mend or pause it: airflow dags pause '{dag_id}' (undo: airflow dags unpause '{dag_id}').",
                    rank=float(runs),
                )
            )
        return verdicts
