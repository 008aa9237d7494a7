"""WS303."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a pool is given up."""

    min_weeks: float = threshold(5, "weeks seen without a task", "a monthly job uses its pool once in five")


class PoolUnused(Rule):
    """A pool that no task has used for weeks.

    What it means: nothing is broken; a pool that nobody uses misleads who reads the list, and a DAG that was meant for it
    may run in default_pool.
    How it is judged: no running, queued, deferred or scheduled slot in any sample, and no try, for `min_weeks` weeks.
    What to do: see whether a DAG lost its `pool=`; else delete the pool.
    """

    code, name, section = "WS303", "pool-unused", "pools"
    questions = ("pools_unused",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "pools_unused"):
            if row["pool"] == "default_pool":
                continue  # Airflow keeps it, used or not
            if row["weeks_seen"] < limits.min_weeks:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            verdicts.findings.append(
                cls.finding(
                    subject={"pool": row["pool"]},
                    severity="info",
                    headline=f"No task used pool {row['pool']} in {row['weeks_seen']} weeks",
                    evidence={
                        "total_slots": row["total_slots"],
                        "weeks_seen": row["weeks_seen"],
                        "apply": f"airflow pools delete {quote(row['pool'])}",
                        "undo": f"airflow pools set {quote(row['pool'])} {row['total_slots']} ''",
                    },
                    advice="See whether a DAG lost its pool=; else delete the pool.",
                    rank=0.0,
                )
            )
        return verdicts
