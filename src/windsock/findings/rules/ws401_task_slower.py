"""WS401."""

from collections.abc import Mapping
from typing import Any

from windsock.findings import slower, wording
from windsock.findings.rule import Rule, Verdicts, rows_of
from windsock.model import Answer
from windsock.week import Week


class TaskSlower(Rule):
    """A task's own work takes lastingly longer.

    What it means: not the queue, not the parsing, not the start-up: the code or its data got slower.
    How it is judged: medians of six hours of successful tries, less the time told for bundle and parsing, in logs; a step
    that lasts (piecewise constant fit with a penalty for autocorrelation, t-test, against drift and short incidents), of
    at least `min_ratio`, costing `min_extra_hours` in the week. Sensors are not judged.
    What to do: look at what was deployed and at how much data came in the interval named.
    """

    code, name, section = "WS401", "task-slower", "durations"
    questions = ("work_times",)
    thresholds = slower.SlowerThresholds

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "work_times"):
            if row["hours"] < limits.min_extra_hours or len(row["times_s"]) < limits.min_points:
                verdicts.not_enough += 1  # a task that works less in all cannot have grown by more
                continue
            verdicts.judged += 1
            step = slower.newest_step(row["times_s"], row["works_s"], limits, week)
            extra = row["tries"] * (step.change.after - step.change.before) / 3600 if step else 0.0
            if step is None or extra < limits.min_extra_hours:
                continue
            before, after = wording.span(step.change.before), wording.span(step.change.after)
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"], "task_id": row["task_id"]},
                    severity="warning",
                    headline=f"{row['dag_id']}.{row['task_id']} works {step.change.ratio:.1f} times as long since "
                    f"{wording.moment(step.at)}: {before} → {after}",
                    evidence={
                        **slower.step_evidence(step),
                        "extra_hours": extra,
                        "tries": row["tries"],
                        "tries_prev": row["tries_prev"],
                    },
                    advice=f"Look at what was deployed, and at the amount of data, between {wording.moment(step.earliest)} and "
                    f"{wording.moment(step.latest)}; it costs {wording.hours(extra)} of workers a week.",
                    rank=extra,
                )
            )
        return verdicts
