"""WS524."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.incident_shape import known_by
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.rules.ws110_incident import Incident, is_incident
from windsock.model import Answer, Finding, Row
from windsock.week import Week

NAMED = {"login": "Login", "connection": "Connection", "host": "Host"}


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """Which connection is told where it is no incident."""

    min_dags: float = threshold(2, "DAGs", "in one DAG its own error tells it as well")
    min_tries: float = threshold(6, "failed tries in the week", "a handful is the network")


class ConnectionFailing(Rule):
    """One connection, login or host fails tries of several DAGs, and is no incident of this week.

    What it means: one credential or one service is at fault, but it has been so for weeks, or hits few DAGs: no rise tells
    of it (WS110), and each DAG's failures look like its own.
    How it is judged: errors that name the same connection id, login or host (or name none, could not reach something, and come
    from tries that took the same connection last), in at least `min_dags` DAGs and `min_tries`
    failed tries of the week; what WS110 tells already is left out. It is a watch: nothing new happened.
    What to do: mend it once, on the side of the connection.
    """

    code, name, section = "WS524", "connection-failing", "why"
    questions = ("incidents_by_error",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "incidents_by_error"):
            if not is_named(row):
                continue
            verdicts.judged += 1
            is_many = row["dags"] >= limits.min_dags and row["tries"] >= limits.min_tries
            if is_many and row["tasks_well"] < row["tasks"] and not is_incident(row, Incident.limits()):
                verdicts.findings.append(cls._of(row))
        return verdicts

    @classmethod
    def _of(cls, row: Row) -> Finding:
        kind, _, name = row["cause"].partition(" ")
        weeks = row["weeks_prev"]
        before = f" (before: {row['tries_prev'] / weeks:.0f} a week)" if weeks else ""
        return cls.finding(
            subject={"cause": row["cause"]},
            severity="watch",
            headline=f"{NAMED[kind]} {name} fails {wording.plural(row['dags'], 'DAG')}: {wording.plural(row['tries'], 'try')} "
            f"this week{before}, {row['lost']} for good",
            evidence={
                "dags": row["dags"],
                "dag_ids": list(row["dag_ids"]),
                "tries": row["tries"],
                "tries_prev": row["tries_prev"],
                "lost_runs": row["lost_runs"],
                "well_since": f"{row['tasks_well']} of {wording.plural(row['tasks'], 'task')}",
                "first_at": row["first_at"],
                "last_at": row["last_at"],
                "sample": row["sample"],
            }
            | known_by(row),
            advice=f"Mend {name} once, for {wording.names(list(row['dag_ids']))}.",
            rank=float(row["lost_runs"]),
        )


def is_named(row: Row) -> bool:
    """Whether the error names a connection, a login or a host."""
    return row["cause"] not in row["signatures"] and row["cause"].partition(" ")[0] in NAMED
