"""WS108."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import rates, wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a new DAG counts as failing."""

    min_lost: float = threshold(3, "runs lost", "first runs fail for want of data")
    min_share: float = threshold(
        0.2, "fraction of its runs", "it has no past of its own, and hardly a DAG that is well loses so many"
    )
    max_days: float = threshold(
        14, "days since its first run", "after that it has a past to be compared with"
    )


class NewDagFailing(Rule):
    """A new DAG works now and then, and loses many of its runs.

    What it means: no comparison shows it, since there is no week before it; the rate of the whole fleet shows it only where
    the DAG runs often.
    How it is judged: first seen within `max_days`, while other DAGs were seen before; of its judged runs since then at least
    `min_lost` and `min_share` were lost, one of them on the last day it ran. A DAG that never succeeded is WS104's.
    What to do: tell its author which error ends it, before its weeks become what is usual.
    """

    code, name, section = "WS108", "new-dag-failing", "failures"
    questions = ("failure_counts_by_dag_day", "lost_runs_by_dag_error")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        errors = rates.main_errors(answers)
        for dag_id, rows in rates.days_of_new_dags(answers, week, limits.max_days).items():
            verdicts.judged += 1
            since, last = rows[0]["day"], rows[-1]
            runs, lost = sum(row["runs"] for row in rows), sum(row["lost_runs"] for row in rows)
            if not last["lost_runs"] or lost == runs:
                continue
            if lost < limits.min_lost or lost < limits.min_share * runs:
                continue
            error = errors.get(dag_id)
            first = next((at for row in rows if (at := row.get("first_lost_at"))), None)
            named = f"{error['lost_runs']} were lost to {error['error_signature']}. " if error else ""
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": dag_id},
                    severity="watch",
                    headline=f"{dag_id} is new and loses runs: {lost} of {wording.plural(runs, 'run')} since {since:%d %b}",
                    evidence={
                        "runs": runs,
                        "lost_runs": lost,
                        "week_lost": sum(row["lost_runs"] for row in rows if row["week"] == week.monday),
                        "rate": lost / runs,
                        "since": since.isoformat(),
                    }
                    | ({"began_at": first} if first else {})
                    | ({"error_signature": error["error_signature"]} if error else {}),
                    advice=f"{named}Tell its author; the next weeks are judged by these.",
                    rank=float(lost),
                )
            )
        return verdicts
