"""WS402."""

from collections.abc import Mapping
from typing import Any

from windsock.findings import slower, wording
from windsock.findings.by_retries import by_retries
from windsock.findings.by_waiting import by_waiting
from windsock.findings.rule import Rule, Verdicts, rows_of
from windsock.model import Answer
from windsock.week import Week


class RunSlower(Rule):
    """A DAG's runs take lastingly longer from their first start to their last end.

    What it means: the critical path grew, or tasks wait between each other: for slots, for retries, for the scheduler.
    How it is judged: as WS401, on whole runs that lost no task; DAGs whose task WS401 names are told there only.
    What to do: see which of its tasks grew; if none did, look at pools and at the scheduler.
    """

    code, name, section = "WS402", "run-slower", "durations"
    questions = ("run_finishes", "failure_rate_by_dag", "time_away_by_task")
    thresholds = slower.SlowerThresholds

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "run_finishes"):
            hours = row["runs"] * (row["took_s"] or 0) / 3600
            if hours < limits.min_extra_hours or len(row["times_s"]) < limits.min_points:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            step = slower.newest_step(row["times_s"], row["tooks_s"], limits, week)
            extra = row["runs"] * (step.change.after - step.change.before) / 3600 if step else 0.0
            if step is None or extra < limits.min_extra_hours:
                continue
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"]},
                    severity="warning",
                    headline=f"Runs of {row['dag_id']} take {step.change.ratio:.1f} times as long since "
                    f"{wording.moment(step.at)}: {wording.span(step.change.before)} → {wording.span(step.change.after)}",
                    evidence={
                        **slower.step_evidence(step),
                        "runs": row["runs"],
                        "runs_prev": row["runs_prev"],
                        "later_hours": extra,
                    },
                    advice=by_retries(answers, row["dag_id"], row["runs"])
                    or by_waiting(answers, row["dag_id"], step.change.after - step.change.before)
                    or "Compare its tasks' work (windsock ask work_times); if none grew, they wait for each other or for slots.",
                    rank=extra,
                )
            )
        return verdicts
