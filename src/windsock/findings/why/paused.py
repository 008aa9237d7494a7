"""The DAG is paused."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import Case, Cause, Count, Told, activity_of, of_dag, state_of
from windsock.model import Answer


class Paused(Cause):
    """By Airflow after failed runs in a row, by somebody, or because it is new and nobody has unpaused it yet."""

    name, words, about = "paused", "Paused by Airflow or by somebody", "not running"
    questions = ("paused_dags", "dag_states", "dag_activity")
    codes = ("WS503",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        unpause = f"airflow dags unpause {case.dag_id!r}"
        state, activity = state_of(answers, case), activity_of(answers, case)
        told = next(iter(of_dag(answers, "paused_dags", case)), None)
        if told:
            failed = (
                f" after {told['failed_runs']} failed runs in a row"
                if told["failed_runs"]
                else " after failed runs"
            )
            who = f"Airflow{failed}" if told["is_auto"] else "a person"
            yield cls.told(
                "certain",
                f"{case.dag_id} was paused by {who} on {wording.moment(told['paused_at'])}",
                since=told["paused_at"],
                evidence={name: told[name] for name in ("failed_runs", "runs_after", "runs_prev")},
                unknown=""
                if state
                else "whether somebody unpaused it after the week: API or database would tell",
                next=unpause if not told["is_auto"] else f"mend what failed, then: {unpause}",
            )
        elif state and state["is_paused"]:
            ever = bool(activity and activity["scheduled_runs"])
            since = state["unpaused_at"]
            span = (
                f", between {wording.moment(since)} and {wording.moment(state['paused_from'])}"
                if since and state["paused_from"]
                else ""
            )
            yield cls.told(
                "certain",
                f"{case.dag_id} is paused{span}, as Airflow's list of {wording.moment(state['listed_at'])} says"
                + ("" if ever else "; it has never run by schedule in view"),
                since=state["paused_from"],
                evidence={"listed_at": state["listed_at"], "last_unpaused_at": since},
                unknown="who paused it and when: the audit log (API or database) or the scheduler's log would tell",
                next=unpause,
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        states = rows_of(answers, "dag_states")
        active = {row["dag_id"] for row in rows_of(answers, "dag_activity") if row["scheduled_runs"]}
        since: dict[str, datetime] = {
            row["dag_id"]: row["paused_at"]
            for row in rows_of(answers, "paused_dags")
            if row["runs_prev"] or row["dag_id"] in active
        }
        for row in states:
            if row["is_paused"] and row["dag_id"] in active:
                since.setdefault(row["dag_id"], row["paused_from"])
        missing = "" if states or since else "API, database, or scheduler log"
        return Count(
            len(since), "DAGs", min(since.values(), default=None), tuple(sorted(since)), missing=missing
        )
