"""WS109."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from windsock.findings import rates, wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
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


class RareRunLost(Rule):
    """A DAG that runs more rarely than once a week has lost its newest run.

    What it means: whatever the month's run makes is missing until the next one; no rate shows one run.
    How it is judged: by what it costs, not by chance: the newest judged run of the week was lost, its runs begin at least
    `min_gap_days` apart (median of nine weeks), and it lost fewer than `max_habit` of those before. A run that was cleared
    and then succeeded is not lost.
    What to do: mend the error, and clear the run's failed tasks so that it need not wait for the next one.
    """

    code, name, section = "WS109", "rare-run-lost", "failures"
    questions = ("runs_lost_since", "lost_runs_by_dag_error")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        errors = rates.main_errors(answers)
        for row in rows_of(answers, "runs_lost_since"):
            if row["gap_s"] is None:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if row["gap_s"] < limits.min_gap_days * DAY_S or row["well_at"] is None:
                continue
            if row["lost_prev"] < limits.max_habit * row["runs_prev"]:
                verdicts.findings.append(cls._told(row, errors.get(row["dag_id"])))
        return verdicts

    @classmethod
    def _told(cls, row: Row, error: Row | None) -> Any:
        dag_id, gap = row["dag_id"], wording.plural(round(row["gap_s"] / DAY_S), "day")
        runs = "its newest run" if row["runs"] == 1 else f"its last {row['runs']} runs"
        named = f"{error['error_signature']} ended it. " if error else ""
        return cls.finding(
            subject={"dag_id": dag_id},
            severity="watch",
            headline=f"{dag_id} lost {runs}, of {wording.moment(row['last_at'])}; the next one comes {gap} after it",
            evidence={name: row[name] for name in ("runs", "last_at", "well_at", "runs_prev", "lost_prev")}
            | {"gap_days": row["gap_s"] / DAY_S}
            | ({"error_signature": error["error_signature"]} if error else {}),
            advice=f"{named}Mend it and clear the failed tasks of that run, so that it need not wait for the next one: "
            f"windsock why {quote(dag_id)}.",
            rank=float(row["runs"]) * row["gap_s"] / DAY_S,
        )
