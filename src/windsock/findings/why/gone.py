"""Airflow lists the DAG no more, or never did."""

from collections.abc import Iterator, Mapping

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import (
    Case,
    Cause,
    Count,
    Told,
    activity_of,
    dags_of,
    earliest,
    files_of,
    state_of,
)
from windsock.model import Answer


class Gone(Cause):
    """A DAG whose file is gone, or gives it no more, leaves the list without a word; its history stays."""

    name, words, about = "gone", "Left Airflow's list of DAGs", "missing from the UI"
    questions = ("dag_states", "dag_activity", "dag_files", "near_dags")
    codes = ("WS501", "WS504")

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        state = state_of(answers, case)
        listed = rows_of(answers, "dag_states")
        near = [row["dag_id"] for row in rows_of(answers, "near_dags")]
        mean = f"; did you mean {wording.names(near)}?" if near else ""
        if state and state["is_gone"]:
            yield cls.told(
                "certain",
                f"Airflow lists {case.dag_id} no more since the list of {wording.moment(state['listed_at'])} or the one after it",
                since=state["listed_at"],
                evidence={
                    "dag_file": state["dag_file"],
                    "last_listed_at": state["listed_at"],
                    "list_at": state["list_at"],
                },
                unknown="why: its file was removed or renamed, or gives another dag_id; the repository would tell",
                next=f"git log --oneline -5 -- {state['dag_file'] or '<its file>'}",
            )
        elif state is None and listed:
            at = max(row["list_at"] for row in listed)
            ran = activity_of(answers, case)
            what = f"; it ran last on {wording.moment(ran['last_at'])}" if ran and ran["last_at"] else mean
            yield cls.told(
                "certain",
                f"Airflow's list of {wording.moment(at)} ({len(listed)} DAGs) does not have {case.dag_id}{what}",
                since=ran["last_at"] if ran else None,
                evidence={"list_at": at, "dags": len(listed)},
                unknown="whether its file was removed, or gives it no more: the repository would tell"
                if ran
                else "which file should define it, where no import error names one",
                next="airflow dags list-import-errors",
            )
        elif state is None and activity_of(answers, case) is None and not files_of(answers, case):
            yield cls.told(
                "possible",
                f"No log, no component and no list of nine weeks names {case.dag_id}{mean}",
                unknown="whether Airflow has it at all: its list of DAGs comes with [sources.airflow_api] or [sources.airflow_db]",
                next="airflow dags list | grep -F " + repr(case.dag_id),
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        seen = rows_of(answers, "dag_states")
        recent = {row["dag_id"] for row in rows_of(answers, "dag_activity") if row["scheduled_runs"]}
        rows = [row for row in seen if row["is_gone"] and row["dag_id"] in recent]
        missing = "" if seen else "API or database"
        return Count(len(rows), "DAGs", earliest(rows, "listed_at"), dags_of(rows), missing=missing)
