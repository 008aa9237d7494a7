"""WS403."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.by_retries import by_retries
from windsock.findings.by_waiting import by_waiting
from windsock.findings.methods.binomial import chance_of_at_least
from windsock.findings.methods.onset import onset
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week

HABIT = 0.05  # share of runs that finish after the 95th percentile of their own past


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When late is later than usual."""

    min_runs_prev: float = threshold(20, "finished runs in the eight weeks before", "a habit needs a history")
    min_late: float = threshold(5, "late runs in the week", "one bad night is no habit")
    min_days: float = threshold(3, "days with a late run", "late runs of one night have one cause")
    min_share: float = threshold(0.5, "fraction of the week's runs", "less is a tail, no shift")
    min_delay_s: float = threshold(600.0, "seconds later in the median", "nobody waits for less")
    max_chance: float = threshold(0.0001, "probability", "hundreds of DAGs are looked at in a week")


class LateFinish(Rule):
    """A DAG's runs finish later than its own habit.

    What it means: what reads their result is late, though nothing failed.
    How it is judged: finish of each scheduled run against its logical date. Late is a finish after the 95th percentile of
    the eight weeks before; so many late runs in a week must be unlikely by that habit (binomial), over `min_days` days
    and half of the runs. A DAG without deadlines gets this one from its own past.
    What to do: the evidence parts the delay into starting late and taking longer; where retries take longer, it is said.
    """

    code, name, section = "WS403", "late-finish", "durations"
    questions = ("run_finishes", "failure_rate_by_dag", "time_away_by_task")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "run_finishes"):
            if row["runs_prev"] < limits.min_runs_prev or not row["runs"] or row["finish_prev_s"] is None:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            late, delay = row["late_runs"], (row["finish_s"] or 0) - row["finish_prev_s"]
            is_shift = late >= limits.min_share * row["runs"] and row["late_days"] >= limits.min_days
            if late < limits.min_late or not is_shift or delay < limits.min_delay_s:
                continue
            chance = chance_of_at_least(late, row["runs"], HABIT)
            if chance > limits.max_chance:
                continue
            longer = (row["took_s"] or 0) - (row["took_prev_s"] or 0)
            started = row["waited_s"] or 0
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"]},
                    severity="warning",
                    headline=f"{row['dag_id']}: {late} of {wording.plural(row['runs'], 'run')} finished later than 95 % of the "
                    f"weeks before, {wording.span(delay)} later in the median",
                    evidence={
                        "late_runs": late,
                        "runs": row["runs"],
                        "runs_prev": row["runs_prev"],
                        "late_days": row["late_days"],
                        "finish_s": row["finish_s"],
                        "finish_prev_s": row["finish_prev_s"],
                        "p95_prev_s": row["p95_prev_s"],
                        "later_start_s": started,
                        "longer_run_s": longer,
                        "p_value": chance,
                        "later_hours": delay * row["runs"] / 3600,
                    }
                    | _began(row),
                    advice="It starts late: look at pools, the scheduler and what it waits for."
                    if started > longer
                    else by_retries(answers, row["dag_id"], late)
                    or by_waiting(answers, row["dag_id"], longer)
                    or "Its runs take longer: compare its tasks' work (windsock ask work_times).",
                    rank=delay * row["runs"] / 3600,
                )
            )
        return verdicts


def _began(row: Mapping[str, Any]) -> dict[str, Any]:
    """The first late run from the likeliest day of the change on."""
    counts = list(zip(row.get("day_runs") or (), row.get("day_late") or (), strict=True))
    place = onset(counts)
    times = [at for at in row["day_late_at"][place:] if at] if place is not None else []
    return {"began_at": times[0]} if times else {}
