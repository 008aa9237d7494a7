"""WS650."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_code
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When putting a log anew and anew is worth a word."""

    min_starts: float = threshold(
        10, "processes per object", "a retry of a deferral or two is how they work; ten are a habit"
    )
    min_bytes: float = threshold(1e9, "bytes a week", "less costs nobody money or time")
    min_factor: float = threshold(
        3.0, "times what is kept", "below it the log itself is the cost, not its rewriting"
    )


class LogRewritten(Rule):
    """A task puts its whole log anew at every poke, so that bytes grow with the square of the pokes.

    What it means: a sensor in reschedule mode, or a task that defers again and again, ends its process at each poke; Airflow
    then fetches the object, appends, and puts it whole. A thousand pokes of 2 kB write a gigabyte to keep two megabytes, and
    each poke waits for it.
    How it is judged: processes that began in one object, as its log tells; at least `min_starts` of the task's most rewritten one,
    `min_bytes` a week written beyond what is kept, and `min_factor` times of it. An estimate: each process is taken to add as
    much as the others.
    What to do: poke less often (poke_interval, exponential_backoff), or use the deferrable form, whose trigger waits in one
    process; make the sensor's own lines fewer.
    """

    code, name, section = "WS650", "log-rewritten", "logs"
    questions = ("log_bill_by_task", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "log_bill_by_task")
        verdicts = Verdicts(no_data="" if rows else "no task logs were read this week")
        for row in rows:
            if not row["rewritten"]:
                continue
            verdicts.judged += 1
            if (
                row["most_starts"] >= limits.min_starts
                and row["rewritten_bytes"] >= limits.min_bytes
                and row["written_bytes"] >= limits.min_factor * row["kept_bytes"]
            ):
                verdicts.findings.append(cls._of_task(answers, row))
        return verdicts

    @classmethod
    def _of_task(cls, answers: Mapping[str, Answer], row: Row) -> Finding:
        times = row["written_bytes"] / max(row["kept_bytes"], 1)
        return cls.finding(
            subject={"dag_id": row["dag_id"], "task_id": row["task_id"]},
            severity="info",
            headline=f"{row['dag_id']}.{row['task_id']} wrote about {wording.size(row['written_bytes'])} to keep "
            f"{wording.size(row['kept_bytes'])} of logs: it puts the whole object anew at each poke",
            evidence={
                "objects": row["objects"],
                "rewritten": row["rewritten"],
                "most_starts": row["most_starts"],
                "kept_bytes": row["kept_bytes"],
                "written_bytes": row["written_bytes"],
                "fetched_bytes": row["fetched_bytes"],
                "factor": times,
                "puts": row["puts"],
                "operator": row["operator"],
                "month_cost": row.get("month_cost"),
                "estimate": True,
                **in_code(
                    answers, "default_deferrable", True, False, dag_id=row["dag_id"], task_id=row["task_id"]
                ),
            },
            advice="Use the deferrable form, whose trigger waits in one process, or poke less often (poke_interval): bytes grow with "
            f"the square of the pokes, half as many write a quarter. Up to {wording.size(row['rewritten_bytes'])} a week need not be "
            "written. The risk: a triggerer has to run, or what is waited for is noticed later.",
            rank=float(row["rewritten_bytes"]),
        )
