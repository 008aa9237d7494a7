"""WS531."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """Which silence of a whole fleet is none of its habits."""

    min_silent_s: float = threshold(21600.0, "seconds", "six hours: a long task's log comes when it ends")
    min_ratio: float = threshold(
        2.0, "times the longest time without a start in four weeks", "fleets sleep at night and on weekends"
    )
    min_tries: float = threshold(
        5, "tries in the same hours of each of the four weeks before", "fewer may be due to chance"
    )
    min_weeks: float = threshold(4, "weeks with tries before", "what is usual at these hours needs a history")


class NothingStarted(Rule):
    """From a moment on nothing started any more, in no DAG.

    What it means: Airflow stands still, or its logs no longer arrive where they are read. Nothing failed, so every rate of
    the week looks as ever.
    How it is judged: the time from the newest start of any try to the end of the week (or to the newest pull), against the
    longest such time in four weeks and what each of them started in the same hours. Quiet windows are not counted, nor DAGs
    that had stopped before the others, as long as they are fewer than half: each of those has a finding of its own.
    What to do: look whether the scheduler and its workers run; if they do, whether their logs reach the bucket.
    """

    code, name, section = "WS531", "nothing-started", "silent"
    questions = ("starts_stopped",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "starts_stopped"):
            if row["silent_s"] is None or row["weeks_seen"] < limits.min_weeks:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            bar = max(limits.min_silent_s, limits.min_ratio * (row["longest_gap_s"] or 0))
            is_few = 2 * row["stopped_dags"] < row["dags"]
            usual = row["going_tries"] if is_few else row["usual_tries"]
            if row["silent_s"] < bar or usual < limits.min_tries:
                continue
            verdicts.findings.append(
                cls.finding(
                    subject={},
                    severity="critical",
                    headline=f"Nothing started after {wording.moment(row['newest_at'])}, for {wording.span(row['silent_s'])}; "
                    f"the four weeks before started at least {wording.plural(usual, 'try')} in these hours",
                    evidence={
                        "newest_at": row["newest_at"],
                        "until_at": row["until_at"],
                        "silent_s": row["silent_s"],
                        "usual_tries": usual,
                        "longest_gap_s": row["longest_gap_s"],
                    },
                    advice="See whether the scheduler and the workers run (airflow jobs check); if they do, whether their logs "
                    "still reach the place they are read from (windsock doctor).",
                    rank=row["silent_s"] / 3600,
                )
            )
        return verdicts
