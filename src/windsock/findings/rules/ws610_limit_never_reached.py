"""WS610."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_environment
from windsock.findings.rule import Rule, Thresholds, Verdicts, threshold
from windsock.findings.settings import FROM, held_of, missing
from windsock.findings.settings.use import full_minutes, peaks
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a limit is so far from use that it protects nothing."""

    min_weeks: float = threshold(
        5, "weeks with tries", "a month holds its end, when most deployments are busiest"
    )
    max_share: float = threshold(0.5, "fraction of the limit at the peak", "a limit wants room for a bad day")
    room: float = threshold(
        1.5, "times the peak", "what is proposed still lets the busiest moment grow by half"
    )


class LimitNeverReached(Rule):
    """`parallelism` was raised above Airflow's default, and the busiest moment of a month came nowhere near it.

    What it means: the limit protects nothing: a DAG that runs wild may take all of it, from workers and databases that were
    never tried at that load. With Airflow 2's LocalExecutor each slot is a process that stands by.
    How it is judged: the most tries that ran at once in any second of five weeks, counted rather too high, against the value
    as API, database or a file tell it; a value at or below the default is nobody's raise. Each scheduler has the limit for
    itself, so with several there is even more room.
    What to do: lower it, or leave it if the room is meant. Nothing waits less by it.
    """

    code, name, section = "WS610", "limit-never-reached", "settings"
    questions = ("peaks_by_week", "executor_load_by_hour", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts(no_data=missing(answers))
        one, weeks = held_of(answers).get("parallelism"), peaks(answers, "deployment")
        if one is None or not one.is_told or one.value is None or one.default is None:
            return verdicts
        if len(weeks) < limits.min_weeks:
            verdicts.not_enough += 1
            return verdicts
        verdicts.judged += 1
        peak, full = max(row["peak"] for row in weeks), full_minutes(answers)[0]
        proposed = max(ceil(limits.room * peak), int(one.default))
        if one.value <= one.default or peak > limits.max_share * one.value or full or proposed >= one.value:
            return verdicts
        verdicts.findings.append(
            cls.finding(
                subject={"setting": one.setting},
                severity="info",
                headline=f"{one.named} is {one.value:g}, and at most {peak} tasks ran at once in {wording.plural(len(weeks), 'week')}",
                evidence={
                    "value": one.value,
                    "default": one.default,
                    "peak": peak,
                    "weeks": len(weeks),
                    "tries": sum(row["tries"] for row in weeks),
                    **in_environment(answers, one.setting, proposed),
                },
                advice=f"Lower it to {proposed}, {limits.room:g} times the busiest moment and not below the default, or leave it "
                "if the room is meant. Nothing gets faster by it: a DAG that runs wild can take less. The risk is a busier "
                "month than the last; each scheduler has the limit for itself.",
                rank=one.value - peak,
            )
        )
        return verdicts
