"""WS522."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week

_ADVICE = "Write a fixed start_date in the past in the file of {}, not now() or days_ago()."


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When versions without runs are a start_date that moves, and when readings of it are."""

    min_versions: float = threshold(
        5, "versions a week", "a DAG that is being written makes some before its first run"
    )
    min_days: float = threshold(3, "days", "a day of editing makes many, and is over")
    min_moves: float = threshold(2, "readings with a later start_date", "one is an edit")
    max_age_days: float = threshold(
        8.0, "days between start_date and reading", "what moves with the clock stays near it"
    )


class StartDateMoves(Rule):
    """A DAG makes version after version and never runs: its start_date moves with every parse.

    What it means: a start_date of `now()`, `utcnow()` or `days_ago`: the first interval begins anew with each
    parse and never ends, so no run is ever due. Nothing fails.
    How it is judged: not one scheduled run in nine weeks, and the start_date itself as API or database told it: later in
    `min_moves` or more readings than in the one before, and never more than `max_age_days` old. Or, where it was not read so
    often, `min_versions` or more versions on `min_days` or more days (Airflow 3, of DAGs that have run once, by hand, too). A DAG that
    does run and makes versions is WS602's.
    What to do: write a fixed start_date in the past.
    """

    code, name, section = "WS522", "start-date-moves", "why"
    questions = ("dag_versions_of_week", "dag_activity", "dag_dates", "dag_versions")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "dag_versions_of_week")
        dates, activity = rows_of(answers, "dag_dates"), rows_of(answers, "dag_activity")
        verdicts = Verdicts(judged=len({row["dag_id"] for row in (*rows, *dates)}))
        firsts = {
            row["dag_id"]: row["first_at"]
            for row in rows_of(answers, "dag_versions")
            if row["version_number"] == 1
        }
        seen = cls.moved(dates, activity, limits)
        for row in seen:
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"]},
                    severity="watch",
                    headline=f"{row['dag_id']} has never run by schedule: its start_date moves, from "
                    f"{wording.moment(row['was_start_date'])} to {wording.moment(row['start_date'])} in {row['readings']} readings",
                    evidence={
                        "readings": row["readings"],
                        "moves": row["moves"],
                        "was_start_date": row["was_start_date"],
                        "start_date": row["start_date"],
                        "schedule": row["schedule"],
                        "first_at": row["first_seen_at"],
                        "last_at": row["seen_at"],
                    },
                    advice=_ADVICE.format(row["dag_id"]),
                    rank=float(row["moves"]),
                )
            )
        told = {row["dag_id"] for row in seen}
        for row in cls.moving(rows, activity, limits):
            if row["dag_id"] in told:
                continue
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
                    advice=_ADVICE.format(row["dag_id"]),
                    rank=float(row["versions"]),
                )
            )
        return verdicts

    @classmethod
    def moved(cls, dates: Sequence[Row], activity: Sequence[Row], limits: Any) -> list[Row]:
        """Rows of `dag_dates` of DAGs that no schedule ever started, whose start_date was seen to move with the clock."""
        scheduled = {row["dag_id"] for row in activity if row["scheduled_runs"]}
        return [
            row
            for row in dates
            if row["moves"] >= limits.min_moves
            and not row["moves_back"]
            and row["seen_at"] - row["start_date"] <= timedelta(days=limits.max_age_days)
            and row["schedule"] != ""
            and row["dag_id"] not in scheduled
        ]

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
