"""The DAG's first run is not due yet, or never will be; or its last one was."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.rules.ws522_start_date_moves import StartDateMoves
from windsock.findings.why.cause import (
    Case,
    Cause,
    Count,
    Told,
    activity_of,
    dags_of,
    earliest,
    limits_of,
    of_dag,
    state_of,
)
from windsock.model import Answer, Row

FRESH = timedelta(days=14)
"""What ended longer ago than two reports is known."""


class StartDate(Cause):
    """A `start_date` of now() moves with every parse: its first interval never ends. After `end_date` no run is made."""

    name, words, about = (
        "start_date",
        "Their start_date moves or lies ahead, or their end_date has passed",
        "not running",
    )
    questions = ("dag_versions_of_week", "dag_activity", "dag_states", "dag_dates")
    codes = ("WS522",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        state, activity = state_of(answers, case), activity_of(answers, case)
        dates = of_dag(answers, "dag_dates", case)
        by_code = list(_by_code(dates, answers))
        for row, headline, next_step in by_code:
            yield cls.told(
                "certain",
                headline,
                since=row["end_date"] if ended(row) else row["first_seen_at"] if row["moves"] else None,
                evidence={
                    name: row[name]
                    for name in (
                        "start_date",
                        "end_date",
                        "schedule",
                        "seen_at",
                        "readings",
                        "was_start_date",
                    )
                },
                next=next_step,
            )
        if by_code:
            return
        for row in moving(of_dag(answers, "dag_versions_of_week", case), answers):
            yield cls.told(
                "likely",
                f"{case.dag_id} made {row['versions']} versions this week and had no scheduled run: its start_date moves, "
                "most likely",
                since=row["first_at"],
                evidence={
                    name: row[name] for name in ("versions", "bundle_versions", "days", "last_version")
                },
                unknown="what differs between two versions: the code, or Airflow's warning of version inflation (3.2 and newer)",
                next="look in its file for a start_date of now(), utcnow() or days_ago(); write a fixed date",
            )
        due = state and state["next_run_at"]
        if state and due and due > state["list_at"] and not (activity and activity["scheduled_runs"]):
            yield cls.told(
                "likely",
                f"{case.dag_id} has never run by schedule in view, and its next run is due on {wording.moment(due)}",
                since=None,
                evidence={"next_run_at": due, "listed_at": state["listed_at"]},
                unknown="whether that date moves with each parse (start_date of now()) or lies ahead on purpose: "
                + (
                    "a second reading of the DAG will tell"
                    if dates
                    else "the DAG's make-up (API or database) would tell"
                ),
                next=f"airflow dags next-execution {case.dag_id!r}",
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        seen, dates = rows_of(answers, "dag_versions_of_week"), rows_of(answers, "dag_dates")
        off = {row["dag_id"] for row in rows_of(answers, "dag_states") if row["is_gone"] or row["is_paused"]}
        moves = moving(seen, answers)
        told = [row for row, *_ in _by_code(dates, answers) if row["dag_id"] not in off]
        # what ended long ago is no cause of this week
        told = [row for row in told if not ended(row) or row["seen_at"] - row["end_date"] <= FRESH]
        dags = dags_of([*moves, *told])
        missing = "" if seen or dates else "API or database"
        return Count(len(dags), "DAGs", earliest(moves, "first_at"), dags, missing=missing)


def _by_code(dates: Sequence[Row], answers: Mapping[str, Answer]) -> Iterator[tuple[Row, str, str]]:
    """Rows of `dag_dates` by which a DAG does not run, each with its sentence and what to do."""
    moved = StartDateMoves.moved(dates, rows_of(answers, "dag_activity"), limits_of(StartDateMoves, answers))
    moving_ids = {row["dag_id"] for row in moved}
    for row in dates:
        dag_id, start_date = row["dag_id"], row["start_date"]
        if ended(row):
            end_date = wording.moment(row["end_date"])
            yield (
                row,
                f"{dag_id} has an end_date, {end_date}: no later run is made",
                (f"take end_date out of the file of {dag_id}, or pause the DAG if it is done"),
            )
        elif start_date is not None and start_date > row["seen_at"]:
            yield (
                row,
                f"{dag_id} has a start_date that lies ahead, {wording.moment(start_date)}: no run is made before",
                (f"airflow dags next-execution {dag_id!r}"),
            )
        elif dag_id in moving_ids:
            yield (
                row,
                (
                    f"{dag_id} has a start_date that moves: {wording.moment(row['was_start_date'])} on "
                    f"{wording.moment(row['first_seen_at'])}, {wording.moment(start_date)} on {wording.moment(row['seen_at'])}"
                ),
                "write a fixed start_date in the past in its file, not now(), utcnow() or days_ago()",
            )


def ended(row: Row) -> bool:
    """Whether its end_date had passed when it was read."""
    return row["end_date"] is not None and row["end_date"] <= row["seen_at"]


def moving(rows: Sequence[Row], answers: Mapping[str, Answer]) -> list[Row]:
    """DAGs that WS522 finds, of these."""
    return StartDateMoves.moving(rows, rows_of(answers, "dag_activity"), limits_of(StartDateMoves, answers))
