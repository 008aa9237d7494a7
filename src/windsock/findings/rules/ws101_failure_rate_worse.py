"""WS101."""

from collections.abc import Mapping
from typing import Any

from windsock.findings import rates
from windsock.findings.rule import Rule, Verdicts, rows_of
from windsock.model import Answer
from windsock.week import Week


class FailureRateWorse(Rule):
    """A DAG loses clearly more of its runs than in its own recent past.

    What it means: of the runs that were scheduled, more ended with a failed task than the eight weeks before explain.
    How it is judged: the unit is the run, whatever number of its tasks failed. Empirical-Bayes beta-binomial over all
    DAGs; how much days differ, and which DAGs have bad nights, is learned from all of them: a bad night that is over is no
    change, days that stay bad until the week's end are one. Among the findings made, one in twenty may be false.
    Backfills, manual runs, cleared tries and retries that worked are not counted. Runs of which nobody knows how they ended
    are named beside it; it must hold whether more of them were lost before or not. A DAG whose lost runs an incident
    (WS110) explains is told there only.
    What to do: look at the error named beside it, then at what was deployed on the day it began.
    """

    code, name, section = "WS101", "failure-rate-worse", "failures"
    questions = (*rates.QUESTIONS, "lost_runs_by_dag_error")
    thresholds = rates.RateThresholds

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        found = rates.changes(answers, limits, week)
        told = rows_of(answers, "failure_rate_by_dag")
        verdicts = Verdicts(
            judged=sum(one.word != "not enough data" for one in found),
            not_enough=sum(one.word == "not enough data" for one in found),
            no_data="" if found else "no task logs of scheduled runs in this week or the eight before",
        )
        errors = rates.main_errors(answers)
        for one in found:
            if one.word == "worse":
                counts = one.counts
                error = errors.get(counts.subject)
                named = f"{error['lost_runs']} were lost to {error['error_signature']}. " if error else ""
                verdicts.findings.append(
                    cls.finding(
                        subject={"dag_id": counts.subject},
                        severity="critical" if counts.k / counts.n >= 0.5 else "warning",
                        headline=f"{counts.subject}: {rates.headline(one, told)}",
                        evidence=rates.evidence(one, told)
                        | rates.began(answers, counts.subject)
                        | ({"error_signature": error["error_signature"]} if error else {}),
                        advice=f"{named}Look at what changed in {counts.subject}: about {one.excess_failures:.0f} runs more "
                        "than usual were lost this week.",
                        rank=one.rank,
                    )
                )
        return verdicts
