"""WS503."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """Which pause matters."""

    min_runs: float = threshold(
        1, "scheduled runs in the four weeks before", "a DAG that never ran is not missed"
    )


class DagPaused(Rule):
    """A DAG was paused this week and still is.

    What it means: it runs no more, and nothing will say so again. Airflow itself pauses a DAG after
    `max_consecutive_failed_dag_runs` failed runs; only the scheduler's log tells.
    How it is judged: the scheduler's word, or the audit log's; the newest one of the week. A pause by Airflow is a warning,
    one by a person is only listed: somebody wanted it.
    What to do: mend the cause of its failures, then unpause it.
    """

    code, name, section = "WS503", "dag-paused", "silent"
    questions = ("paused_dags",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "paused_dags"):
            verdicts.judged += 1
            if row["runs_prev"] < limits.min_runs:
                verdicts.not_enough += 1
                continue
            who = (
                f"after {row['failed_runs']} failed runs in a row"
                if row["failed_runs"]
                else "after failed runs"
            )
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"]},
                    severity="warning" if row["is_auto"] else "info",
                    headline=f"{row['dag_id']} was paused by {'Airflow ' + who if row['is_auto'] else 'a person'} on "
                    f"{wording.moment(row['paused_at'])} ({row['runs_prev'] / 4:.0f} runs a week before)",
                    evidence={
                        name: row[name]
                        for name in ("paused_at", "is_auto", "failed_runs", "runs_after", "runs_prev")
                    },
                    advice=f"Mend what failed, then: airflow dags unpause '{row['dag_id']}'."
                    if row["is_auto"]
                    else "Nothing, if it is meant to stay paused.",
                    rank=row["runs_prev"] / 4,
                )
            )
        return verdicts
