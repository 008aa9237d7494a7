"""WS522."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When versions without runs are a start_date that moves."""

    min_versions: float = threshold(
        5, "versions a week", "a DAG that is being written makes some before its first run"
    )
    min_days: float = threshold(3, "days", "a day of editing makes many, and is over")


class StartDateMoves(Rule):
    """A DAG makes version after version and never runs: its start_date moves with every parse.

    What it means: a start_date of `now()`, `utcnow()` or `days_ago`: the first interval begins anew with each
    parse and never ends, so no run is ever due. Nothing fails.
    How it is judged: `min_versions` or more versions on `min_days` or more days (API or database of Airflow 3), and not one
    scheduled run in nine weeks. A DAG that does run and makes versions is WS602's. Airflow makes versions only of DAGs
    that have run once (by hand, too); before that, and in Airflow 2, this is not seen.
    What to do: write a fixed start_date in the past.
    """

    code, name, section = "WS522", "start-date-moves", "why"
    questions = ("dag_versions_of_week", "dag_activity", "dag_versions")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "dag_versions_of_week")
        verdicts = Verdicts(judged=len(rows))
        firsts = {
            row["dag_id"]: row["first_at"]
            for row in rows_of(answers, "dag_versions")
            if row["version_number"] == 1
        }
        for row in cls.moving(rows, rows_of(answers, "dag_activity"), limits):
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"]},
                    severity="watch",
                    headline=f"{row['dag_id']} made {row['versions']:,} versions on {row['days']} days and has never run by "
                    "schedule: its start_date moves, most likely",
                    evidence={
                        name: row[name]
                        for name in ("versions", "bundle_versions", "days", "first_at", "last_at")
                    }
                    # it never ran: it has moved since its first version
                    | ({"began_at": firsts[row["dag_id"]]} if row["dag_id"] in firsts else {}),
                    advice=f"Write a fixed start_date in the past in the file of {row['dag_id']}, not now() or days_ago().",
                    rank=float(row["versions"]),
                )
            )
        return verdicts

    @classmethod
    def moving(cls, versions: Sequence[Row], activity: Sequence[Row], limits: Any) -> list[Row]:
        """Rows of `dag_versions_of_week` of DAGs that no schedule ever started."""
        scheduled = {row["dag_id"] for row in activity if row["scheduled_runs"]}
        return [
            row
            for row in versions
            if row["versions"] >= limits.min_versions
            and row["days"] >= limits.min_days
            and row["dag_id"] not in scheduled
        ]
