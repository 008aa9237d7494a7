"""WS610."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_environment
from windsock.findings.parsing.one_pass import week_pass
from windsock.findings.rule import Rule, Thresholds, Verdicts, threshold
from windsock.findings.settings import FROM, Held, held_of, missing
from windsock.findings.settings.told import full_minutes, peaks
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
    """`parallelism` or `parsing_processes` was raised above Airflow's default, and nothing came near it.

    What it means: the limit protects nothing: a DAG that runs wild may take all of it, from workers and databases that were
    never tried at that load. With Airflow 2's LocalExecutor each slot is a process that stands by; so is each parsing process.
    How it is judged: the most tries that ran at once in any second of five weeks, counted rather too high, against the value
    as API, database or a file tell it; of parsing processes how many were busy in the mean of the week, by the files' own parse
    times. A value at or below the default is nobody's raise. Each scheduler has the limit for itself, so with several there
    is even more room.
    What to do: lower it, or leave it if the room is meant. Nothing waits less by it.
    """

    code, name, section = "WS610", "limit-never-reached", "settings"
    questions = ("peaks_by_week", "executor_load_by_hour", "parse_load_by_file", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts(no_data=missing(answers))
        held = held_of(answers)
        for found in (_tasks(held, answers, verdicts, limits), _processes(held, answers, verdicts)):
            if found is None:
                continue
            one, use, told, evidence = found
            proposed = max(ceil(limits.room * use), int(one.default or 0))
            if use > limits.max_share * (one.value or 0) or proposed >= (one.value or 0):
                continue
            verdicts.findings.append(
                cls.finding(
                    subject={"setting": one.setting},
                    severity="info",
                    headline=f"{one.named} is {one.value:g}, and {told}",
                    evidence={"value": one.value, "default": one.default, **evidence}
                    | in_environment(answers, one.setting, proposed),
                    advice=f"Lower it to {proposed}, {limits.room:g} times that and not below the default, or leave it if the room "
                    f"is meant. Nothing gets faster by it: {_GAIN[one.setting]}. The risk is a busier month than the last; "
                    f"{_SCOPE[one.setting]}.",
                    rank=(one.value or 0) - use,
                )
            )
        return verdicts


_GAIN = {
    "parallelism": "a DAG that runs wild can take less",
    "parsing_processes": "processes that stand by give their memory back",
}
_SCOPE = {
    "parallelism": "each scheduler has the limit for itself",
    "parsing_processes": "callbacks of DAGs run in these processes, too",
}
Found = tuple[Held, float, str, dict[str, Any]]


def _raised(held: Mapping[str, Held], name: str) -> Held | None:
    """The setting, where somebody set it above its default."""
    one = held.get(name)
    if one is None or not one.is_told or one.value is None or one.default is None:
        return None
    return one


def _tasks(
    held: Mapping[str, Held], answers: Mapping[str, Answer], verdicts: Verdicts, limits: Limits
) -> Found | None:
    one, weeks = _raised(held, "parallelism"), peaks(answers, "deployment")
    if one is None:
        return None
    if len(weeks) < limits.min_weeks:
        verdicts.not_enough += 1
        return None
    verdicts.judged += 1
    if (one.value or 0) <= (one.default or 0) or full_minutes(answers)[0]:
        return None
    peak = max(row["peak"] for row in weeks)
    told = f"at most {peak} tasks ran at once in {wording.plural(len(weeks), 'week')}"
    return one, peak, told, {"peak": peak, "weeks": len(weeks), "tries": sum(row["tries"] for row in weeks)}


def _processes(held: Mapping[str, Held], answers: Mapping[str, Answer], verdicts: Verdicts) -> Found | None:
    one, whole = _raised(held, "parsing_processes"), week_pass(answers)
    if one is None or whole is None:
        return None
    verdicts.judged += 1
    if (one.value or 0) <= (one.default or 0):
        return None
    busy = whole.parse_s / max(whole.settings.interval_s, whole.cycle_s)
    told = f"{busy:.1f} of these processes were busy in the mean of the week"
    return one, busy, told, {"busy": busy, "files": whole.files, "parse_s": whole.parse_s}
