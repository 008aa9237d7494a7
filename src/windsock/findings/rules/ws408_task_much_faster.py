"""WS408."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from windsock.findings import slower, wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a task is so much faster that somebody should look."""

    min_points: float = threshold(28, "six-hour medians", "a week of a busy task, four of a daily one")
    min_times: float = threshold(
        5.0, "times as fast", "a good change makes a task two or three times as fast"
    )
    alarm_times: float = threshold(20.0, "times as fast", "above it hardly any task still does what it did")
    min_before_s: float = threshold(
        10.0, "seconds of work before", "a shorter task is mostly start-up, which varies"
    )
    max_past_share: float = threshold(
        0.05, "fraction of the past", "a task that was as fast now and then has days without work"
    )
    alpha: float = threshold(0.001, "probability", "thousands of series are looked at in a week")


class TaskMuchFaster(Rule):
    """A task's own work is lastingly over in a small part of its time, and it still succeeds.

    What it means: it may have nothing to do any more: an input that stays empty, a filter that lets nothing through, an early
    return. Nothing fails, so nothing alerts. Or somebody made it fast, and all is well.
    How it is judged: as WS401, downwards: medians of six hours of successful tries, a step that lasts and still stands, begun in
    this week or the one before, to a time `min_times` shorter than that of all its past and of the level before, which no more than
    `max_past_share` of the past was as short as. A warning from `alarm_times` on, a watch below. Skipped and failed tries are
    not looked at, nor are sensors where the operator is told.
    What to do: count what it read and wrote before and after; where it was made faster, accept the finding.
    """

    code, name, section = "WS408", "task-much-faster", "durations"
    questions = ("work_times",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "work_times"):
            if len(row["works_s"]) < limits.min_points or np.median(row["works_s"]) < limits.min_before_s:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            step = _step(row, limits, week)
            if step is None:
                continue
            times = step.change.before / step.change.after
            before, after = wording.span(step.change.before), wording.short(step.change.after)
            task = f"{row['dag_id']}.{row['task_id']}"
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"], "task_id": row["task_id"]},
                    severity="warning" if times >= limits.alarm_times else "watch",
                    headline=f"{task} is {times:.0f} times as fast since {wording.moment(step.at)}: {before} → {after}; it still "
                    "succeeds: check that it still has work",
                    evidence={
                        **slower.step_evidence(step),
                        "times_as_fast": times,
                        "tries": row["tries"],
                        "tries_prev": row["tries_prev"],
                    },
                    advice=f"Count what {task} read and wrote before {wording.moment(step.earliest)} and after "
                    f"{wording.moment(step.latest)}; where it was made faster on purpose, accept this finding.",
                    rank=float(times),
                )
            )
        return verdicts


def _step(row: Row, limits: Limits, week: Week) -> slower.Step | None:
    """The step down that still stands, where the time after it is one that the past hardly knows."""
    works = np.asarray(row["works_s"], dtype=float)
    if float(np.median(works[-4:])) * limits.min_times > float(np.median(works)):
        return None  # cheap, and what most tasks are
    step = slower.newest_change(
        row["times_s"], row["works_s"], min_ratio=limits.min_times, alpha=limits.alpha, week=week
    )
    if step is None or step.change.ratio * limits.min_times > 1:
        return None
    past = works[: step.change.index]
    is_long = min(step.change.before, float(np.median(past))) >= max(
        limits.min_before_s, limits.min_times * step.change.after
    )
    # between two levels lies the geometric middle
    as_fast = float(np.mean(past <= np.sqrt(step.change.before * step.change.after)))
    return step if is_long and as_fast <= limits.max_past_share else None
