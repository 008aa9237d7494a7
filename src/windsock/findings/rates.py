"""What WS101 and WS102 share: one judgement of all DAGs' lost-run rates, asked once per week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.failure_rates import Counts, RateChange, judge_rates
from windsock.findings.methods.onset import onset
from windsock.findings.rule import Thresholds, rows_of, threshold
from windsock.intervals import bounds
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
    """Every DAG's change of its lost-run rate. A change is none that may only be one of what is known: failures of which the
    log is cut now are no recovery."""
    days: dict[str, tuple[list[Row], list[Row]]] = {}
    for row in rows_of(answers, "failure_counts_by_dag_day"):
        days.setdefault(row["dag_id"], ([], []))[0 if row["week"] == week.monday else 1].append(row)
    windows = sorted(days.items())
    subjects = [Counts(dag_id, _lost(now), _lost(before)) for dag_id, (now, before) in windows]
    careful = [
        _as_if_lost(one, *([row["no_end_runs"] for row in rows] for rows in both))
        for one, (_, both) in zip(subjects, windows, strict=True)
    ]
    found = _judged(subjects, limits)
    if careful == subjects:
        return found
    words = {one.counts.subject: one.word for one in _judged(careful, limits)}
    return [
        one if words[one.counts.subject] == one.word else replace(one, word="no evidence") for one in found
    ]


def saved_changes(answers: Mapping[str, Answer], limits: RateThresholds, week: Week) -> list[RateChange]:
    """Every DAG's change of the rate of runs that a retry saved, judged as the lost ones are."""
    days: dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]]]] = {}
    for row in rows_of(answers, "failure_counts_by_dag_day"):
        windows = days.setdefault(row["dag_id"], ([], []))
        windows[0 if row["week"] == week.monday else 1].append((row["runs"], row["saved_runs"]))
    return _judged([Counts(dag_id, *windows) for dag_id, windows in sorted(days.items())], limits)


def _lost(rows: Sequence[Row]) -> list[tuple[int, int]]:
    return [(row["runs"], row["lost_runs"]) for row in rows]


def _judged(subjects: Sequence[Counts], limits: RateThresholds) -> list[RateChange]:
    return judge_rates(
        subjects, fdr=limits.fdr, min_units=int(limits.min_tries), min_failures=int(limits.min_failures)
    )


def _as_if_lost(counts: Counts, now: Sequence[int], before: Sequence[int]) -> Counts:
    """Counts in which runs without a known end (by day) were lost: those that one window has above the other's share.

    The share is that of the runs that are not known to be lost, so that a task whose log never ends changes nothing.
    """
    well, well_prev = counts.n - counts.k, counts.n_prev - counts.k_prev
    if not well or not well_prev:
        return counts
    share, share_prev = sum(now) / well, sum(before) / well_prev
    return Counts(
        counts.subject,
        _with(counts.days, now, round(well * (share - share_prev))),
        _with(counts.days_prev, before, round(well_prev * (share_prev - share))),
    )


def _with(days: Sequence[tuple[int, int]], unknown: Sequence[int], most: int) -> list[tuple[int, int]]:
    """The days with up to `most` of the unknown ones among the failures, first days first."""
    made = []
    for (units, failures), open_ in zip(days, unknown, strict=True):
        taken = min(open_, max(0, most))
        most -= taken
        made.append((units, failures + taken))
    return made


def evidence(change: RateChange, rows: Sequence[Row]) -> dict[str, Any]:
    """The numbers behind one finding. `tries` and `failures` count runs: the unit that is judged."""
    counts = change.counts
    told = next((row for row in rows if row["dag_id"] == counts.subject), {})
    low, high = bounds(counts.k, told.get("no_end_runs") or 0, counts.n)
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
        "no_end_runs": told.get("no_end_runs") or None,
        "no_end_runs_prev": told.get("no_end_runs_prev") or None,
    }


def headline(change: RateChange, rows: Sequence[Row]) -> str:
    """`5 of 48 runs failed (before: 3 of 380)`, with what has no known end."""
    counts = change.counts
    told = next((row for row in rows if row["dag_id"] == counts.subject), {})
    now, before = (
        f", {told[name]:,} without a known end" if told.get(name) else ""
        for name in ("no_end_runs", "no_end_runs_prev")
    )
    return f"{counts.k} of {wording.plural(counts.n, 'run')} failed{now} (before: {counts.k_prev} of {counts.n_prev}{before})"


def began(answers: Mapping[str, Answer], dag_id: str, *, rises: bool = True) -> dict[str, Any]:
    """When the rate changed: the first lost run (the first one that was not) from the likeliest day on, in nine weeks."""
    days = [row for row in rows_of(answers, "failure_counts_by_dag_day") if row["dag_id"] == dag_id]
    place = onset([(row["runs"], row["lost_runs"]) for row in days], rises=rises)
    name = "first_lost_at" if rises else "first_well_at"
    times = [at for row in days[place:] if (at := row.get(name))] if place is not None else []
    return {"began_at": times[0]} if times else {}


SURE = 7.5
"""Of a change among some sixty days: by chance one series in a thousand or so has a place that gains as much."""


def failing_since(answers: Mapping[str, Answer], dag_id: str) -> dict[str, str]:
    """The day from which on more of a DAG's tries fail, retried or not, in nine weeks; empty where none stands out."""
    days = [row for row in rows_of(answers, "failure_counts_by_dag_day") if row["dag_id"] == dag_id]
    place = onset([(row["tries"], row["failures"]) for row in days], least_gain=SURE)
    return {} if place is None else {"since": days[place]["day"].isoformat()}


def days_by_dag(answers: Mapping[str, Answer]) -> dict[str, list[Row]]:
    """DAG → its days with judged runs, oldest first."""
    days: dict[str, list[Row]] = {}
    for row in rows_of(answers, "failure_counts_by_dag_day"):
        days.setdefault(row["dag_id"], []).append(row)
    return days


def days_of_new_dags(answers: Mapping[str, Answer], week: Week, max_days: float) -> dict[str, list[Row]]:
    """DAG → its days, oldest first, of those first seen in the last `max_days` while others were seen before; that ran this week."""
    days = days_by_dag(answers)
    begins = min((rows[0]["day"] for rows in days.values()), default=None)
    return {
        dag_id: rows
        for dag_id, rows in sorted(days.items())
        if rows[0]["day"] != begins
        and (week.to_at.date() - rows[0]["day"]).days <= max_days
        and rows[-1]["week"] == week.monday
    }


def main_errors(answers: Mapping[str, Answer], of: str = "lost_runs") -> dict[str, Row]:
    """By DAG, the error that ended most of its lost runs, or with which most first tries failed (`first_runs`)."""
    worst: dict[str, Row] = {}
    for row in rows_of(answers, "lost_runs_by_dag_error"):
        before = worst.get(row["dag_id"])
        if row[of] and (before is None or row[of] > before[of]):
            worst[row["dag_id"]] = row
    return worst
