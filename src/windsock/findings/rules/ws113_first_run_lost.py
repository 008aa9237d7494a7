"""WS113."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from windsock.findings import rates, wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a run counts as the first one."""

    max_runs: float = threshold(2, "runs, all lost", "more are WS104's and WS106's")
    min_days: float = threshold(
        7, "days of logs before its first run", "in a lake's first week every run is the first one seen"
    )


class FirstRunLost(Rule):
    """All that was ever seen of a DAG is a run or two that were lost.

    What it means: a new weekly or monthly DAG, or one that runs once, has made nothing yet. One lost run proves no rate, so
    no other rule tells it, and the next one may be weeks away.
    How it is judged: by what it costs, not by chance: in nine weeks the DAG had up to `max_runs` judged runs, all of them lost
    and the newest of them this week, and others were seen at least `min_days` before its first one. A run that was cleared and
    then succeeded is not lost. Many of them are told together.
    What to do: mend the error and clear the run's failed tasks; tell its author that it has never worked.
    """

    code, name, section = "WS113", "first-run-lost", "failures"
    questions = ("runs_lost_since", "failure_counts_by_dag_day", "lost_runs_by_dag_error")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        errors = rates.main_errors(answers)
        begins = min((row["day"] for row in rows_of(answers, "failure_counts_by_dag_day")), default=None)
        for row in rows_of(answers, "runs_lost_since"):
            verdicts.judged += 1
            if begins is None or row["until_at"] is not None or row["runs"] > limits.max_runs:
                continue
            days = (row["since"].date() - begins).days
            if days >= limits.min_days:
                verdicts.findings.append(cls._told(row, days, errors.get(row["dag_id"])))
        return verdicts

    @classmethod
    def _told(cls, row: Row, days: int, error: Row | None) -> Any:
        dag_id, since = row["dag_id"], wording.moment(row["since"])
        first = "its first run" if row["runs"] == 1 else f"its first {row['runs']} runs"
        of = f"of {since}" if row["runs"] == 1 else f"since {since}"
        named = f"{error['error_signature']} ended it. " if error else ""
        return cls.finding(
            subject={"dag_id": dag_id},
            severity="watch",
            headline=f"{dag_id} lost {first}, {of}; none was seen in {wording.plural(days, 'day')} before",
            evidence={
                "runs": row["runs"],
                "week_runs": row["week_runs"],
                "rate": 1.0,
                "since": row["since"],
                "last_at": row["last_at"],
                "task_ids": list(row["task_ids"] or ()),
                "days_before": days,
            }
            | ({"error_signature": error["error_signature"]} if error else {}),
            advice=f"{named}Mend it and {wording.CLEAR}, as nobody knows when the next one comes: windsock why {quote(dag_id)}.",
            rank=float(row["runs"]),
        )
