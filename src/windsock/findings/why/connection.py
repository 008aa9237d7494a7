"""A connection, a login or a host that the task needs does not answer."""

from collections.abc import Iterator, Mapping, Sequence

from windsock.findings import wording
from windsock.findings.incident_shape import known_by
from windsock.findings.rule import rows_of
from windsock.findings.rules.ws524_connection_failing import NAMED, is_named
from windsock.findings.why.cause import Case, Cause, Count, Told, earliest
from windsock.model import Answer, Row


class ConnectionFails(Cause):
    """One credential or one service fails every DAG that uses it, in words of its own."""

    name, words, about = "connection", "A connection, login or host that failed", "connection failing"
    questions = ("incidents_by_error", "case_tries")
    codes = ("WS110", "WS524")

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        mine = {row["bare_signature"] for row in rows_of(answers, "case_tries") if row["bare_signature"]}
        for row in _named(rows_of(answers, "incidents_by_error")):
            if case.dag_id not in row["dag_ids"] or (case.task_id and not mine & set(row["signatures"])):
                continue
            kind, _, name = row["cause"].partition(" ")
            others = [one for one in row["dag_ids"] if one != case.dag_id]
            well = row["tasks_well"] >= row["tasks"]
            also = (
                f", and {wording.plural(len(others), 'other DAG')} met it this week ({wording.names(others)})"
                if others
                else " alone"
            )
            yield cls.told(
                "likely" if not well else "possible",
                f"{NAMED[kind]} {name} failed {wording.plural(row['tries'], 'try')} of {case.dag_id}{also}, "
                f"{wording.moment(row['first_at'])} to {wording.moment(row['last_at'])}{'; all well since' if well else ''}",
                since=row["first_at"],
                evidence={
                    "tries": row["tries"],
                    "tries_prev": row["tries_prev"],
                    "dags": row["dags"],
                    "signatures": list(row["signatures"]),
                    "tasks_well_since": f"{row['tasks_well']} of {row['tasks']}",
                    "sample": row["sample"],
                }
                | known_by(row),
                unknown="whether the secret, the network or the service is at fault: its own side would tell"
                if kind != "connection"
                else "what the connection holds: windsock never reads connections",
                next=f"airflow connections get {name!r}"
                if kind == "connection"
                else "windsock ask incidents_by_error",
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        rows = _named(rows_of(answers, "incidents_by_error"))
        dags = tuple(sorted({dag_id for row in rows for dag_id in row["dag_ids"]}))
        return Count(len(rows), "connections", earliest(rows, "first_at"), dags)


def _named(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if is_named(row)]
