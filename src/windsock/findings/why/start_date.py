"""The DAG's first run is not due yet, or never will be."""

from collections.abc import Iterator, Mapping, Sequence

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


class StartDate(Cause):
    """A `start_date` of now() moves with every parse: its first interval never ends."""

    name, words, about = "start_date", "Their start_date moves or lies ahead", "not running"
    questions = ("dag_versions_of_week", "dag_activity", "dag_states")
    codes = ("WS522",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
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
        state, activity = state_of(answers, case), activity_of(answers, case)
        due = state and state["next_run_at"]
        if state and due and due > state["list_at"] and not (activity and activity["scheduled_runs"]):
            yield cls.told(
                "likely",
                f"{case.dag_id} has never run by schedule in view, and its next run is due on {wording.moment(due)}",
                since=None,
                evidence={"next_run_at": due, "listed_at": state["listed_at"]},
                unknown="whether that date moves with each parse (start_date of now()) or lies ahead on purpose: look again in a day",
                next=f"airflow dags next-execution {case.dag_id!r}",
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        seen = rows_of(answers, "dag_versions_of_week")
        rows = moving(seen, answers)
        missing = "" if seen else "API or database of Airflow 3"
        return Count(len(rows), "DAGs", earliest(rows, "first_at"), dags_of(rows), missing=missing)


def moving(rows: Sequence[Row], answers: Mapping[str, Answer]) -> list[Row]:
    """DAGs that WS522 finds, of these."""
    return StartDateMoves.moving(rows, rows_of(answers, "dag_activity"), limits_of(StartDateMoves, answers))
