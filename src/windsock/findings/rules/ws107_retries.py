"""WS107."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_code, named
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.intervals import wilson
from windsock.model import Answer, Finding, Row
from windsock.week import Week

WEEKS = 9
EVIDENCE = ("failed_first", "saved", "saved_by_first", "hopeless", "hopeless_now", "retry_hours", "hopeless_hours",
            "hopeless_hours_now", "saved_hours", "late_hours", "delay_s", "error_signature")  # fmt: skip
OF_FATAL = ("fatal_signature", "fatal", "fatal_now", "fatal_hours")
OF_DELAY = ("recovery_s", "recovery_p90_s", "early", "early_hours")


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When another number of retries, another delay or an end at the first failure is proposed."""

    min_failed: float = threshold(
        10, "first tries that failed, in nine weeks", "fewer do not tell whether retries work"
    )
    min_hours: float = threshold(2, "hours of retries that never had a chance", "below it nobody gains much")
    max_saved_share: float = threshold(
        0.1, "fraction of failed first tries", "where retries save more, they are worth their hours"
    )
    min_fatal: float = threshold(
        5, "failures with one error", "fewer do not tell that no retry ever helps against it"
    )
    min_saved: float = threshold(
        10, "failures that a retry saved", "fewer do not tell how long trouble lasts"
    )
    min_early: float = threshold(0.5, "failed retries per saved failure", "most retries come late enough")
    min_delay_ratio: float = threshold(1.5, "times the delay as it is", "a little more delay changes nothing")


class Retries(Rule):
    """A task's retries cost hours that another number, another delay or an end at the first failure would save.

    What it means: where every try fails with the same error, retries only delay the alert and hold workers; where trouble
    outlasts the delay, the first ones are wasted.
    How it is judged: nine weeks of first executions. Hopeless are those that failed at every try with one error; saved
    those that a retry ended well. `retries`: where hardly any is saved, the last one that ever helped, 0 when none did.
    Fail fast: an error that began `min_fatal` hopeless executions and none that was saved. Delay: where saved ones often
    needed more than one retry, the time after which nine in ten had recovered. With each goes its arithmetic, and the upper
    end of the 95 % interval of what could be lost.
    What to do: set the proposed value in the task's code, where it stands over the deployment's default, or raise
    AirflowFailException for the error. The way back is the old value: the number of retries seen is the least that is set.
    """

    code, name, section = "WS107", "retries-without-a-chance", "retries"
    questions = ("retry_economics", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "retry_economics"):
            if row["failed_first"] < limits.min_failed:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            is_useful = row["saved"] > limits.max_saved_share * row["failed_first"]
            is_useless = not is_useful and row["hopeless_hours"] >= limits.min_hours and row["hopeless_now"]
            is_fatal = (
                row["fatal"] >= limits.min_fatal
                and row["fatal_hours"] >= limits.min_hours
                and row["fatal_now"]
            )
            is_early = _is_early(row, limits)
            if is_useless or is_fatal or is_early:
                verdicts.findings.append(cls._of(answers, row, bool(is_useless), bool(is_fatal), is_early))
        return verdicts

    @classmethod
    def _of(
        cls, answers: Mapping[str, Answer], row: Row, is_useless: bool, is_fatal: bool, is_early: bool
    ) -> Finding:
        task = f"{row['dag_id']}.{row['task_id']}"
        proposed, now = (row["last_saving_try"] or 1) - 1, row["most_tries"] - 1
        evidence = {name: row[name] for name in EVIDENCE}
        advice, hours = [], 0.0
        lines: list[dict[str, str]] = []
        whose = {"dag_id": row["dag_id"], "task_id": row["task_id"]}
        if is_useless:
            _, most_saved = wilson(row["saved"], row["failed_first"])
            evidence |= {"retries_now": now, "retries_proposed": proposed, "most_saved_rate": most_saved}
            default = named(answers, "default_task_retries")
            advice.append(_fewer(row, proposed, now, most_saved, default, is_fatal=is_fatal))
            if proposed < now:
                lines.append(in_code(answers, "default_task_retries", proposed, now, **whose))
            hours = row["hopeless_hours"]
        elif is_fatal:
            evidence |= {name: row[name] for name in OF_FATAL}
            advice.append(_fail_fast(row))
            hours = row["fatal_hours"]
        if is_early:
            evidence |= {name: row[name] for name in OF_DELAY} | {"retry_delay_proposed_s": _delay(row)}
            advice.append(_later(row))
            delay = row["delay_s"]
            lines.append(in_code(answers, "default_task_retry_delay", _delay(row), delay, **whose))
            hours += row["early_hours"]
        return cls.finding(
            subject=whose,
            severity="watch",
            headline=_headline(task, row, is_useless, is_fatal),
            evidence=evidence | _both(lines),
            advice=" ".join(advice),
            rank=hours / WEEKS,
        )


def _both(lines: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What is set, and what is set back, a line each."""
    told = {way: "; ".join(one[way] for one in lines if one.get(way)) for way in ("apply", "undo")}
    return {way: line for way, line in told.items() if line}


def _is_early(row: Row, limits: Limits) -> bool:
    return bool(
        row["saved"] >= limits.min_saved
        and row["early"] >= limits.min_early * row["saved"]
        and row["early_hours"] >= limits.min_hours
        and row["delay_s"] is not None
        and row["recovery_p90_s"] is not None
        and row["recovery_p90_s"] >= limits.min_delay_ratio * row["delay_s"]
    )


def _delay(row: Row) -> float:
    """Whole minutes after which nine in ten had recovered, seconds."""
    return 60.0 * ceil(float(row["recovery_p90_s"]) / 60)


def _headline(task: str, row: Row, is_useless: bool, is_fatal: bool) -> str:
    if is_useless:
        return (
            f"{task}: retries saved {row['saved']} of {wording.plural(row['failed_first'], 'failure')} in nine weeks "
            f"and spent {wording.hours(row['hopeless_hours'])} on {row['hopeless']} that never had a chance"
        )
    if is_fatal:
        return (
            f"{task}: no retry ever saved one of {row['fatal']} failures with {_kind(row, 'fatal_type')} in nine weeks; "
            f"they spent {wording.hours(row['fatal_hours'])} on it"
        )
    return (
        f"{task}: {row['early']} retries came too early for {row['saved']} failures that a later one saved in nine weeks, "
        f"{wording.hours(row['early_hours'])} of tries"
    )


def _kind(row: Row, column: str) -> str:
    return str(row[column] or "this error")


def _fewer(row: Row, proposed: int, now: int, most_saved: float, default: str, *, is_fatal: bool) -> str:
    set_it = (
        f"Set retries={proposed} of the task (now at least {now}; it stands over {default})"
        if proposed < now
        else f"Keep retries={now}"
    )
    kind = _kind(row, "fatal_type" if is_fatal else "exception_type")
    return (
        f"{set_it}, or raise AirflowFailException on {kind}: {wording.hours(row['hopeless_hours'] / WEEKS)} a week less; "
        f"at most {wording.percent(most_saved)} of its failures could need a retry."
    )


def _fail_fast(row: Row) -> str:
    """Retries stay: they help against other errors."""
    _, most = wilson(0, row["fatal"])
    return (
        f"Raise AirflowFailException on {_kind(row, 'fatal_type')} and keep the retries, which saved {row['saved']} of "
        f"{row['failed_first']}: {wording.hours(row['fatal_hours'] / WEEKS)} a week less; of {row['fatal']} such failures none "
        f"was saved, so at most {wording.percent(most)} could be."
    )


def _later(row: Row) -> str:
    return (
        f"Set retry_delay to {wording.span(_delay(row))} (now about {wording.span(row['delay_s'])}): nine in ten of "
        f"{row['saved']} saved failures had recovered by then, half of them after {wording.span(row['recovery_s'])}; "
        f"{wording.hours(row['early_hours'] / WEEKS)} of tries a week less. Those that recover sooner end "
        f"{wording.span(max(0.0, _delay(row) - row['delay_s']))} later."
    )
