"""WS102."""

from collections.abc import Mapping
from typing import Any

from windsock.findings import rates
from windsock.findings.rule import Rule, Verdicts, rows_of
from windsock.model import Answer
from windsock.week import Week


class FailureRateBetter(Rule):
    """A DAG loses clearly fewer of its runs than in its own recent past.

    What it means: something that was done helped, or the cause went away.
    How it is judged: as WS101, in the other direction; logs that stop now where they told a failure before are no recovery.
    What to do: nothing; keep what changed.
    """

    code, name, section = "WS102", "failure-rate-better", "failures"
    questions = rates.QUESTIONS
    thresholds = rates.RateThresholds

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        found = rates.changes(answers, limits, week)
        told = rows_of(answers, "failure_rate_by_dag")
        verdicts = Verdicts(judged=sum(one.word != "not enough data" for one in found))
        for one in found:
            if one.word == "better":
                counts = one.counts
                verdicts.findings.append(
                    cls.finding(
                        subject={"dag_id": counts.subject},
                        severity="info",
                        headline=f"{counts.subject} recovered: {rates.headline(one, told)}",
                        evidence=rates.evidence(one, told)
                        | rates.began(answers, counts.subject, rises=False),
                        advice="Nothing to do.",
                        rank=-one.excess_failures,
                        status="better",
                    )
                )
        return verdicts
