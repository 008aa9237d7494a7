"""WS107."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.intervals import wilson
from windsock.model import Answer, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When another number of retries is proposed."""

    min_failed: float = threshold(
        10, "first tries that failed, in nine weeks", "fewer do not tell whether retries work"
    )
    min_hours: float = threshold(2, "hours of retries that never had a chance", "below it nobody gains much")
    max_saved_share: float = threshold(
        0.1, "fraction of failed first tries", "where retries save more, they are worth their hours"
    )


class Retries(Rule):
    """A task's retries cost hours and hardly ever help.

    What it means: every try fails with the same error: the retries only delay the alert and hold workers.
    How it is judged: nine weeks of first executions. Hopeless are those that failed at every try with one error; saved
    those that a retry ended well. The proposal keeps every retry that ever helped: `retries` is the last one that did, 0
    when none did; with its arithmetic, and the upper end of the 95 % interval of what it could have saved.
    What to do: set the proposed number, or raise AirflowFailException for this error; undo it by the old number.
    """

    code, name, section = "WS107", "retries-without-a-chance", "retries"
    questions = ("retry_economics",)
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
            if row["hopeless_hours"] < limits.min_hours or is_useful or not row["hopeless_now"]:
                continue
            verdicts.findings.append(cls._of(row))
        return verdicts

    @classmethod
    def _of(cls, row: Row) -> Any:
        proposed, now = (row["last_saving_try"] or 1) - 1, row["most_tries"] - 1
        task = f"{row['dag_id']}.{row['task_id']}"
        _, most_saved = wilson(row["saved"], row["failed_first"])
        kind = row["exception_type"] or "this error"
        set_it = f"Set retries={proposed} (now at least {now})" if proposed < now else f"Keep retries={now}"
        return cls.finding(
            subject={"dag_id": row["dag_id"], "task_id": row["task_id"]},
            severity="watch",
            headline=f"{task}: retries saved {row['saved']} of {wording.plural(row['failed_first'], 'failure')} in nine weeks "
            f"and spent {wording.hours(row['hopeless_hours'])} on {row['hopeless']} that never had a chance",
            evidence={
                name: row[name]
                for name in (
                    "failed_first",
                    "saved",
                    "saved_by_first",
                    "hopeless",
                    "hopeless_now",
                    "retry_hours",
                    "hopeless_hours",
                    "hopeless_hours_now",
                    "saved_hours",
                    "late_hours",
                    "delay_s",
                    "error_signature",
                )
            }
            | {"retries_now": now, "retries_proposed": proposed, "most_saved_rate": most_saved},
            advice=f"{set_it}, or raise AirflowFailException on {kind}: {wording.hours(row['hopeless_hours'] / 9)} a week less; "
            f"at most {wording.percent(most_saved)} of its failures could need a retry.",
            rank=row["hopeless_hours"] / 9,
        )
