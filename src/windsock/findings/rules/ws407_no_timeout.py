"""WS407."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_code, named
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.model import Answer, Finding, Row
from windsock.week import Week

SETTING = "default_task_execution_timeout"


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a task wants a limit of its time."""

    times: float = threshold(
        5.0, "times the 95th percentile", "a slow day doubles a time; what hangs takes many times it"
    )
    min_sample: float = threshold(50, "tries that ended well", "a 99th percentile needs as many")
    room: float = threshold(1.5, "times the 99th percentile", "as WS404: room for a bad day")
    min_hours: float = threshold(2.0, "hours beyond that in the week", "below it nobody gains much")


class NoTimeout(Rule):
    """A task hung for hours and nothing ended it: it has no execution_timeout, or one far above its habit.

    What it means: Airflow sets no limit by default. A hanging call holds a worker and its pool's slot until somebody looks.
    How it is judged: tries of the week that took more than `times` the 95th percentile of the successes of nine weeks, of
    tasks of which no timeout ended any try. Proposed is `room` times the 99th percentile, with its n; what they ran beyond it
    is the gain. None below `min_sample` successes or `min_hours` of gain. Sensors are left out.
    What to do: set the proposed execution_timeout; a try that needs longer one day is then failed, and retried. The way back is
    to take it out again.
    """

    code, name, section = "WS407", "no-timeout", "durations"
    questions = ("tries_without_limit", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "tries_without_limit"):
            if row["ended_well"] < limits.min_sample:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            proposed = 60.0 * ceil(limits.room * row["p99_s"] / 60)
            hung = [took_s for took_s in row["longest_all"] if took_s > limits.times * row["p95_s"]]
            hours = sum(max(0.0, took_s - proposed) for took_s in hung) / 3600
            if hours >= limits.min_hours:
                verdicts.findings.append(cls._of(answers, row, hung, proposed, hours, limits))
        return verdicts

    @classmethod
    def _of(
        cls,
        answers: Mapping[str, Answer],
        row: Row,
        hung: Sequence[float],
        proposed: float,
        hours: float,
        limits: Limits,
    ) -> Finding:
        task, times = f"{row['dag_id']}.{row['task_id']}", len(hung)
        return cls.finding(
            subject={"dag_id": row["dag_id"], "task_id": row["task_id"]},
            severity="watch",
            headline=f"{task} ran {wording.span(row['longest_s'])} and no timeout ended it; 99 in 100 take at most "
            f"{wording.span(row['p99_s'])}",
            evidence={
                "tries_too_long": times,
                "longest_s": row["longest_s"],
                "longest_run": row["longest_run"],
                "ended_as": row["longest_end"],
                "longest_at": row["longest_at"],
                "ended_well": row["ended_well"],
                "median_s": row["median_s"],
                "p99_s": row["p99_s"],
                "proposed_s": proposed,
                "hours_beyond": hours,
                **in_code(answers, SETTING, proposed, None, dag_id=row["dag_id"], task_id=row["task_id"]),
            },
            advice=f"Set execution_timeout of the task to {wording.span(proposed)}: {limits.room:g} times the 99th percentile of "
            f"{row['ended_well']:,} that ended well. {wording.plural(times, 'try')} of this week would have given back "
            f"{wording.hours(hours)} of a worker. The risk: honest work that takes longer one day is failed. "
            f"{named(answers, SETTING)} is for tasks that set none.",
            rank=hours,
        )
