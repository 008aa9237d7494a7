"""WS302."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When waiting has no end."""

    min_held_minutes: float = threshold(
        10, "minutes said by the scheduler", "a pool that is being resized is too small for a moment"
    )


class WaitsForEver(Rule):
    """A task wants more slots than its pool has, or a pool that does not exist: it will never run.

    What it means: the scheduler passes the task over in every loop. It does not fail, so nothing alerts, and its run stays
    open.
    How it is judged: by the scheduler's own words, in at least `min_held_minutes` minutes of the week; or by API and
    database, where the task is scheduled and wider than its pool.
    What to do: give the pool the slots, or let the task ask for fewer (`pool_slots`), or name a pool that exists.
    """

    code, name, section = "WS302", "waits-for-ever", "pools"
    questions = ("waits_for_ever",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        bounds = {row["pool"]: row for row in rows_of(answers, "pool_bounds")}
        for row in rows_of(answers, "waits_for_ever"):
            verdicts.judged += 1
            is_seen_waiting = not row["held_minutes"] and row["runs"]
            if is_seen_waiting or row["held_minutes"] >= limits.min_held_minutes:
                verdicts.findings.append(cls._of(row, bounds.get(row["pool"], {})))
            else:
                verdicts.not_enough += 1
        return verdicts

    @classmethod
    def _of(cls, row: Row, bound: Row) -> Finding:
        pool, task = row["pool"], f"{row['dag_id']}.{row['task_id']}" if row["task_id"] else ""
        wants = row["task_slots"]
        if row["is_missing"]:
            headline = f"{task or 'Tasks'} wait{'s' if task else ''} for pool {pool}, which does not exist"
            apply, undo = f"airflow pools set {quote(pool)} 1 ''", f"airflow pools delete {quote(pool)}"
            advice = (
                "Create the pool with the slots that its tasks may take together, or name one that exists."
            )
        else:
            has = row["total_slots"]
            headline = f"{task} wants {wants} slots of pool {pool}, which has {has}: it waits for ever"
            apply = f"airflow pools set {quote(pool)} {wants} ''"
            undo = f"airflow pools set {quote(pool)} {has} ''"
            advice = f"Let the task ask for at most {has} slots (pool_slots), or raise the pool to {wants}."
            most = bound.get("max_slots")
            if most is not None and most < wants:
                protects = f" ({bound['protects']})" if bound.get("protects") else ""
                advice = f"Let the task ask for at most {has} slots (pool_slots): the pool may have {most} at the most{protects}."
                apply = undo = ""
        return cls.finding(
            subject={"pool": pool, "dag_id": row["dag_id"], "task_id": row["task_id"]},
            severity="critical",
            headline=headline,
            evidence={
                "task_slots": wants,
                "total_slots": row["total_slots"],
                "runs": row["runs"],
                "held_minutes": row["held_minutes"],
                "first_at": row["first_at"],
                "last_at": row["last_at"],
                "since": wording.moment(row["first_at"]),
                **({"apply": apply, "undo": undo} if apply else {"max_slots": bound["max_slots"]}),
            },
            advice=advice,
            rank=float(row["held_minutes"] / 60 + row["runs"]),
        )
