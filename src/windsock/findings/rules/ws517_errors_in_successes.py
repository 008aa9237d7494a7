"""WS517."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.proportions import chance_of_rise
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When errors in successes are news."""

    min_tries: float = threshold(5, "successful tries with a new error", "a few come with any upgrade")
    min_before: float = threshold(
        20, "successful tries in the eight weeks before", "what is usual must be known"
    )
    min_share: float = threshold(
        0.1, "fraction of the week's successes", "rarer ones stand in the question's answer"
    )
    max_chance: float = threshold(0.001, "probability", "hundreds of tasks are looked at in a week")


class ErrorsInSuccesses(Rule):
    """A task succeeds, but logs errors that it never used to log.

    What it means: something is caught and passed over: rows left out, a fallback taken, a partial load called done.
    How it is judged: successful tries with a record at level error that none of the task's successes had in the eight weeks
    before, at least `min_tries` of them; the share of successes with errors rose (Fisher's exact test).
    What to do: read the sample; decide whether the task should fail instead.
    """

    code, name, section = "WS517", "errors-in-successes", "silent"
    questions = ("errors_in_successes",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "errors_in_successes"):
            verdicts.judged += 1
            n, now, before, k = (
                row[name] for name in ("successes", "with_errors", "successes_prev", "with_errors_prev")
            )
            if before < limits.min_before:
                verdicts.not_enough += 1
                continue
            if row["new_errors"] < max(limits.min_tries, limits.min_share * n):
                continue
            chance = chance_of_rise(now, n, k, before)
            if chance > limits.max_chance:
                continue
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"], "task_id": row["task_id"]},
                    severity="warning",
                    headline=f"{row['dag_id']}.{row['task_id']}: {now} of {wording.plural(n, 'success')} logged errors "
                    f"(before: {k} of {before})",
                    evidence={
                        "successes": n,
                        "with_errors": now,
                        "successes_prev": before,
                        "with_errors_prev": k,
                        "new_errors": row["new_errors"],
                        "p_value": chance,
                        "error_signature": row["error_signature"],
                        "sample": row["sample"],
                        "first_at": row["first_at"],
                        "last_at": row["last_at"],
                    },
                    advice="Read the sample: if the work is not done, let the task fail.",
                    rank=float(row["new_errors"]),
                )
            )
        return verdicts
