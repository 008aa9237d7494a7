"""WS109."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from shlex import quote
from statistics import median
from typing import Any

from windsock.findings import rates, wording
from windsock.findings.methods.proportions import chance_of_rise
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row, Severity
from windsock.week import Week

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """Which lost run is not soon made good by the next."""

    min_gap_days: float = threshold(
        8, "days from run to run", "a weekly DAG has its next run before the next report"
    )
    max_habit: float = threshold(
        0.5, "fraction of its runs before", "who loses every other run tells nothing new by the next one"
    )
    min_swarm: float = threshold(3, "such DAGs", "two may be chance whatever the others do")
    max_chance: float = threshold(
        0.001, "probability", "a month's end comes twelve times a year, and its runs fail together"
    )


class RareRunLost(Rule):
    """A DAG that runs more rarely than once a week has lost its newest run.

    What it means: whatever the month's run makes is missing until the next one; no rate shows one run.
    How it is judged: by what it costs, not by chance: the newest judged run of the week was lost, its runs begin at least
    `min_gap_days` apart (median of nine weeks), and it lost fewer than `max_habit` of those before. A run that was cleared
    and then succeeded is not lost. From `min_swarm` such DAGs on all that run so rarely are looked at together: a warning where
    this week's share of lost runs is less likely than `max_chance` by their weeks before (Fisher's exact test).
    What to do: mend the error, and clear the run's failed tasks so that it need not wait for the next one.
    """

    code, name, section = "WS109", "rare-run-lost", "failures"
    questions = ("runs_lost_since", "lost_runs_by_dag_error", "failure_counts_by_dag_day")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        errors = rates.main_errors(answers)
        rare: list[Row] = []
        for row in rows_of(answers, "runs_lost_since"):
            if row["gap_s"] is None:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if row["gap_s"] < limits.min_gap_days * DAY_S or row["well_at"] is None:
                continue
            if row["lost_prev"] < limits.max_habit * row["runs_prev"]:
                rare.append(row)
        is_swarm = len(rare) >= limits.min_swarm and _chance(answers, limits, week) <= limits.max_chance
        for row in rare:
            verdicts.findings.append(
                cls._told(row, errors.get(row["dag_id"]), "warning" if is_swarm else "watch")
            )
        return verdicts

    @classmethod
    def _told(cls, row: Row, error: Row | None, severity: Severity) -> Any:
        dag_id, gap = row["dag_id"], wording.plural(round(row["gap_s"] / DAY_S), "day")
        runs = "its newest run" if row["runs"] == 1 else f"its last {row['runs']} runs"
        named = f"{error['error_signature']} ended it. " if error else ""
        return cls.finding(
            subject={"dag_id": dag_id},
            severity=severity,
            headline=f"{dag_id} lost {runs}, of {wording.moment(row['last_at'])}; the next one comes {gap} after it",
            evidence={
                name: row[name]
                for name in ("runs", "week_runs", "last_at", "well_at", "runs_prev", "lost_prev")
            }
            | {"gap_days": row["gap_s"] / DAY_S}
            | ({"error_signature": error["error_signature"]} if error else {}),
            advice=f"{named}Mend it and {wording.CLEAR}, so that it need not wait for the next one: windsock why {quote(dag_id)}.",
            rank=float(row["runs"]) * row["gap_s"] / DAY_S,
        )


def _chance(answers: Mapping[str, Answer], limits: Limits, week: Week) -> float:
    """How likely this week's lost runs of all DAGs that run so rarely are by those of their weeks before; 1 without such."""
    now, before = [], []
    for rows in rates.days_by_dag(answers).values():
        gaps = [(later["day"] - row["day"]).days for row, later in pairwise(rows)]
        if gaps and median(gaps) >= limits.min_gap_days:
            now += [row for row in rows if row["week"] == week.monday]
            before += [row for row in rows if row["week"] != week.monday]
    if not now or not before:
        return 1.0
    counts = [sum(row[name] for row in rows) for rows in (now, before) for name in ("lost_runs", "runs")]
    return chance_of_rise(*counts)
