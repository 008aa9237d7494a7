"""WS501."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.cadence import another_name
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """Which cadence is firm enough to miss a run."""

    min_weeks: float = threshold(4, "weeks with runs before", "a cadence needs a history")
    max_missing_weeks: float = threshold(
        0, "weeks without runs before", "a DAG that pauses by habit is not silent"
    )


class SilentDag(Rule):
    """A DAG that ran every week has not run at all.

    What it means: nothing failed, so nothing alerted: paused, deleted, unparsable, or never scheduled.
    How it is judged: the DAG's own cadence: scheduled runs in each of the weeks since it was first seen, none now. Of a week that
    goes on, only what each of these weeks had by then counts, a day allowed for logs that come late.
    What to do: see whether it is paused or gone from the DAG list, and whether its file still imports.
    """

    code, name, section = "WS501", "silent-dag", "silent"
    questions = ("runs_by_dag_week", "renamed_dags")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "runs_by_dag_week")
        verdicts = Verdicts(no_data="" if rows else "no task logs of scheduled runs in view")
        if not any(row["runs"] for row in rows):
            # a whole fleet without logs is a missing input, not a fleet of silent DAGs
            verdicts.no_data = verdicts.no_data or "no task log of any scheduled run in this week"
            return verdicts
        for row in rows:
            if row["weeks_seen"] < limits.min_weeks or row["least_runs"] is None:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if row["runs"] or row["least_runs"] <= 0:
                continue
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"]},
                    severity="warning",
                    headline=f"{row['dag_id']} did not run this week (usually {row['median_runs']:.0f} runs a week); "
                    f"last run {wording.moment(row['last_at'])}",
                    evidence={
                        "median_runs": row["median_runs"],
                        "weeks_seen": row["weeks_seen"],
                        "last_at": row["last_at"],
                        "last_run_id": row["last_run_id"],
                    },
                    advice=f"{another_name(rows_of(answers, 'renamed_dags'), row['dag_id']) or 'See'} whether it is paused, gone or broken: "
                    f"airflow dags details '{row['dag_id']}'.",
                    rank=float(row["median_runs"]) + 5,
                )
            )
        return verdicts
