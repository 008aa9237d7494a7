"""What WS101 and WS102 share: one judgement of all DAGs' lost-run rates, asked once per week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings.methods.failure_rates import Counts, RateChange, judge_rates
from windsock.findings.methods.onset import onset
from windsock.findings.rule import Thresholds, rows_of, threshold
from windsock.intervals import wilson
from windsock.model import Answer, Row
from windsock.week import Week

QUESTIONS = ("failure_counts_by_dag_day", "failure_rate_by_dag")


@dataclass(frozen=True, slots=True)
class RateThresholds(Thresholds):
    """Both directions are judged alike."""

    min_tries: float = threshold(20, "runs", "below this in either window a rate says too little")
    min_failures: float = threshold(5, "failed runs in both windows", "fewer cannot carry a claim of change")
    fdr: float = threshold(0.05, "fraction", "expected share of false findings among those made")


def changes(answers: Mapping[str, Answer], limits: RateThresholds, week: Week) -> list[RateChange]:
    """Every DAG's change of its lost-run rate."""
    days: dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]]]] = {}
    for row in rows_of(answers, "failure_counts_by_dag_day"):
        windows = days.setdefault(row["dag_id"], ([], []))
        windows[0 if row["week"] == week.monday else 1].append((row["runs"], row["lost_runs"]))
    subjects = [Counts(dag_id, now, before) for dag_id, (now, before) in sorted(days.items())]
    return judge_rates(
        subjects, fdr=limits.fdr, min_units=int(limits.min_tries), min_failures=int(limits.min_failures)
    )


def evidence(change: RateChange, rows: Sequence[Row]) -> dict[str, Any]:
    """The numbers behind one finding. `tries` and `failures` count runs: the unit that is judged."""
    counts = change.counts
    low, high = wilson(counts.k / change.dispersion, counts.n / change.dispersion)
    told = next((row for row in rows if row["dag_id"] == counts.subject), {})
    return {
        "tries": counts.n,
        "failures": counts.k,
        "rate": counts.k / counts.n,
        "rate_low": low,
        "rate_high": high,
        "baseline_tries": counts.n_prev,
        "baseline_failures": counts.k_prev,
        "baseline_rate": counts.k_prev / counts.n_prev,
        "excess_failures": change.excess_failures,
        "probability": change.probability,
        "dispersion": change.dispersion,
        "first_try_failed_runs": told.get("first_try_failed_runs"),
    }


def began(answers: Mapping[str, Answer], dag_id: str, *, rises: bool = True) -> dict[str, Any]:
    """When the rate changed: the first lost run (the first one that was not) from the likeliest day on, in nine weeks."""
    days = [row for row in rows_of(answers, "failure_counts_by_dag_day") if row["dag_id"] == dag_id]
    place = onset([(row["runs"], row["lost_runs"]) for row in days], rises=rises)
    name = "first_lost_at" if rises else "first_well_at"
    times = [at for row in days[place:] if (at := row.get(name))] if place is not None else []
    return {"began_at": times[0]} if times else {}


def main_errors(answers: Mapping[str, Answer]) -> dict[str, Row]:
    """By DAG, the error that ended most of its lost runs."""
    worst: dict[str, Row] = {}
    for row in rows_of(answers, "lost_runs_by_dag_error"):
        before = worst.get(row["dag_id"])
        if before is None or row["lost_runs"] > before["lost_runs"]:
            worst[row["dag_id"]] = row
    return worst
