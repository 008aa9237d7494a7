"""WS110."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.counts import chance_of_more
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """What makes failures one incident."""

    min_dags: float = threshold(3, "DAGs", "fewer share an error by chance")
    min_tasks: float = threshold(
        20, "tasks, whatever number of DAGs", "so many tasks of one DAG fail for one cause, too"
    )
    min_tries: float = threshold(6, "failed tries", "a handful is noise")
    min_rise: float = threshold(
        3.0, "times the weekly rate before", "an old, steady error is not an incident"
    )
    max_chance: float = threshold(
        0.0001, "probability", "hundreds of signatures are looked at in a week; none may pass by luck"
    )


class Incident(Rule):
    """One error hit many DAGs: most likely one cause.

    What it means: failures that look like many problems share one error signature.
    How it is judged: one signature (without the place in the code) in at least `min_dags` DAGs, or `min_tasks` tasks,
    and `min_tries` failed tries this week; at least `min_rise` times its weekly rate before, and more runs
    than its own past explains by chance (negative binomial prediction). upstream_failed tasks have no signature and
    never count. Ranked by lost runs and wasted hours. A DAG whose lost runs an incident tells is not told again.
    What to do: look for what the DAGs share (a connection, a host, a release) before looking into any one of them.
    """

    code, name, section = "WS110", "incident", "incidents"
    questions = ("incidents_by_error",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "incidents_by_error"):
            verdicts.judged += 1
            if row["dags"] < limits.min_dags and row["tasks"] < limits.min_tasks:
                continue
            weeks = row["weeks_prev"]
            if row["tries"] < limits.min_tries or row["tries"] * weeks < limits.min_rise * row["tries_prev"]:
                continue
            if weeks and chance_of_more(row["runs"], row["runs_prev"], weeks) > limits.max_chance:
                continue
            kind = row["exception_type"] or "one error"
            verdicts.findings.append(
                cls.finding(
                    subject={"error_signature": row["error_signature"]},
                    severity="critical" if weeks and row["lost_runs"] >= 10 else "warning",
                    headline=f"One error in {wording.plural(row['dags'], 'DAG')}: {kind}, "
                    f"{wording.plural(row['tries'], 'try')} failed, {row['lost']} for good",
                    evidence={
                        "dags": row["dags"],
                        "dag_ids": list(row["dag_ids"]),
                        "runs": row["runs"],
                        "lost_runs": row["lost_runs"],
                        "tries": row["tries"],
                        "lost": row["lost"],
                        "wasted_hours": row["wasted_hours"],
                        "first_at": row["first_at"],
                        "last_at": row["last_at"],
                        "tries_prev": row["tries_prev"],
                        "sample": row["sample"],
                    },
                    advice=f"Look for what {wording.names(list(row['dag_ids']))} share; "
                    f"it began {wording.moment(row['first_at'])}.",
                    rank=float(row["lost_runs"] + row["wasted_hours"]),
                )
            )
        return verdicts
