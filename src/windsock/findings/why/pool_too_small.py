"""The task asks for more slots than its pool has, or for a pool that is not there."""

from collections.abc import Iterator, Mapping

from windsock.findings.pools.bounds import refused
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import Case, Cause, Count, Told, dags_of, earliest, of_dag
from windsock.model import Answer, Row


class PoolTooSmall(Cause):
    """It waits for ever: it does not fail, and nothing alerts."""

    name, words, about = "pool too small", "Their pool is too small for them, or missing", "task not running"
    questions = ("waits_for_ever",)
    codes = ("WS302",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        for row in of_dag(answers, "waits_for_ever", case):
            task = f"{row['dag_id']}.{row['task_id']}"
            what = (
                f"{task} waits for pool {row['pool']}, which does not exist"
                if row["is_missing"]
                else f"{task} wants {row['task_slots']} slots of pool {row['pool']}, which has {row['total_slots']}: "
                "it waits for ever"
            )
            yield cls.told(
                "certain",
                what,
                since=row["first_at"],
                evidence={name: row[name] for name in ("runs", "held_minutes", "first_at", "last_at")},
                next=_next(answers, row),
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        rows = rows_of(answers, "waits_for_ever")
        tasks = {(row["dag_id"], row["task_id"]) for row in rows}
        return Count(len(tasks), "tasks", earliest(rows, "first_at"), dags_of(rows))


def _next(answers: Mapping[str, Answer], row: Row) -> str:
    """The pool with as many slots as the task wants; where `[pools.NAME]` forbids that, fewer for the task."""
    wants = row["task_slots"] or 1
    if why := refused(answers, row["pool"], wants):
        most = "" if row["is_missing"] else f" of at most {row['total_slots']}"
        return f"a smaller pool_slots{most} in the DAG: {why}"
    return f"airflow pools set {row['pool']!r} {wants} ''  # or a smaller pool_slots in the DAG"
