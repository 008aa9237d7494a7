"""WS112."""

from collections.abc import Mapping
from shlex import quote
from typing import Any

from windsock.findings import rates, wording
from windsock.findings.rule import Rule, Verdicts
from windsock.intervals import wilson
from windsock.model import Answer
from windsock.week import Week


class SavedByRetries(Rule):
    """Clearly more of a DAG's runs than in its own recent past come through by a retry only.

    What it means: no run is lost, so nothing alerts: but what failed once this time fails twice on a bad night, and each
    retry costs its delay and a worker.
    How it is judged: as WS101 judges lost runs, of runs in which a first try failed and none was lost. Not told of a DAG whose
    lost runs are told, nor where an incident (WS110) or a bad hour (WS111) has hit the DAG.
    What to do: look at the error named beside it, before it ends runs.
    """

    code, name, section = "WS112", "saved-by-retries", "failures"
    questions = (*rates.QUESTIONS, "lost_runs_by_dag_error")
    thresholds = rates.RateThresholds

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        found = rates.saved_changes(answers, limits, week)
        verdicts = Verdicts(
            judged=sum(one.word != "not enough data" for one in found),
            not_enough=sum(one.word == "not enough data" for one in found),
        )
        errors = rates.main_errors(answers, "first_runs")
        for one in found:
            if one.word != "worse":
                continue
            counts, error = one.counts, errors.get(one.counts.subject)
            low, high = wilson(counts.k, counts.n)
            named = (
                f"In {wording.plural(error['first_runs'], 'run')} a first try failed with {error['error_signature']}. "
                if error
                else ""
            )
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": counts.subject},
                    severity="watch",
                    headline=f"{counts.subject}: a retry saved {counts.k} of {wording.plural(counts.n, 'run')} "
                    f"(before: {counts.k_prev} of {counts.n_prev})",
                    evidence={
                        "runs": counts.n,
                        "saved_runs": counts.k,
                        "rate": counts.k / counts.n,
                        "rate_low": low,
                        "rate_high": high,
                        "baseline_rate": counts.k_prev / counts.n_prev,
                        "excess_failures": one.excess_failures,
                        "probability": one.probability,
                    }
                    | ({"error_signature": error["error_signature"]} if error else {}),
                    advice=f"{named}Mend it before it ends runs: windsock why {quote(counts.subject)}.",
                    rank=one.rank,
                )
            )
        return verdicts
