"""No worker takes what is in the queue."""

from collections.abc import Iterator, Mapping, Sequence

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import Case, Cause, Count, Told, earliest
from windsock.model import Answer, Row

LONG_S = 3600.0
"""Seconds without a start while tries wait: longer than workers take to come up."""


class QueueUnserved(Cause):
    """A queue that no worker listens to, or whose workers are gone, takes tries and starts none."""

    name, words, about = "queue without a worker", "Their queue has no worker", "task not running"
    questions = ("queues_of_week", "case_tries")

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        mine = {row["queue"] for row in rows_of(answers, "case_tries") if row["queue"]}
        for row in unserved(rows_of(answers, "queues_of_week")):
            if row["queue"] not in mine and case.dag_id not in row["dag_ids"]:
                continue
            last = row["last_start_at"]
            started = f"the last start was {wording.moment(last)}" if last else "none was seen to start"
            yield cls.told(
                "likely",
                f"{wording.plural(row['waiting'], 'try')} of {wording.plural(row['dags'], 'DAG')} wait in queue {row['queue']} "
                f"since {wording.moment(row['oldest_at'])}; {started}",
                since=row["oldest_at"],
                evidence={
                    name: row[name]
                    for name in ("tries", "started", "waiting", "given_up", "hosts", "executor")
                },
                unknown="which workers listen to which queue: Airflow's API does not tell, `celery inspect active_queues` does",
                next=f"airflow celery worker --queues {row['queue']!r}  # is one running, and was it ever?",
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        seen = rows_of(answers, "queues_of_week")
        rows = unserved(seen)
        dags = tuple(sorted({dag_id for row in rows for dag_id in row["dag_ids"]}))
        missing = "" if seen else "API, database, or scheduler log"
        return Count(len(rows), "queues", earliest(rows, "oldest_at"), dags, missing=missing)


def unserved(rows: Sequence[Row]) -> list[Row]:
    """Queues in which tries wait for an hour and none has started in that time."""
    return [
        row
        for row in rows
        if row["waiting"]
        and (row["seen_until"] - row["oldest_at"]).total_seconds() >= LONG_S
        and (row["last_start_at"] is None or row["last_start_at"] <= row["oldest_at"])
    ]
