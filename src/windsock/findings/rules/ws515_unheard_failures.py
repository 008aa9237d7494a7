"""WS515."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many unheard failures are told."""

    min_tasks: float = threshold(
        5, "tasks in the week, over all DAGs known to have callbacks", "fewer stand in the incidents anyway"
    )


class Unheard(Rule):
    """Tasks failed for good, and there is no sign that any callback ran.

    What it means: a killed process runs no callback. Alerts that hang on on_failure_callback did not fire, unless the
    dag-processor ran them.
    How it is judged: tasks that failed for good without reaching their own end (no log, killed, heartbeat lost), and no
    word of a callback in the dag-processor's log within the hour; only in DAGs that showed a callback in nine weeks or
    have one by the metadata database, because logs do not tell which DAGs have one: failures of the others are counted
    as not known, or as without a callback where the database says so (WS519). Failures that ran to their end are not counted: there the callback ran. Killed is also who leaves by `os._exit` or is ended while deferred.
    Runs that `dagrun_timeout` ended have no failed task at all: only a DAG-level callback can tell of them; they are
    counted beside. Without a dag-processor's log nobody can tell; it is only watched.
    What to do: alert on runs, not on tasks; or read this report.
    """

    code, name, section = "WS515", "unheard-failures", "silent"
    questions = ("unheard_failures", "runs_timed_out")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "unheard_failures")
        known = [row for row in rows if row["heard"] or row["callback"]]
        others = [row for row in rows if not (row["heard"] or row["callback"])]
        silent = [row for row in known if row["unheard"]]
        verdicts, unheard = (
            Verdicts(judged=sum(row["lost"] for row in rows)),
            sum(row["unheard"] for row in silent),
        )
        if unheard < limits.min_tasks:
            return verdicts
        lost = sum(row["lost"] for row in known)
        dags = sorted((row["dag_id"] for row in silent), key=str)
        verdicts.findings.append(
            cls.finding(
                subject={"reach": "all DAGs"},
                severity="watch",
                headline=f"{unheard} of {wording.plural(lost, 'task')} that failed for good left no sign that a callback ran, "
                f"in {wording.plural(len(silent), 'DAG')}",
                evidence={
                    "unheard": unheard,
                    "lost": lost,
                    "ran_to_end": sum(row["ran_to_end"] for row in rows),
                    "told_by_processor": sum(row["told"] for row in rows),
                    "dags": len(silent),
                    "dag_ids": dags[:20],
                    "processor_log_read": all(row["components"] for row in silent),
                    "runs_timed_out": sum(row["timed_out"] for row in rows_of(answers, "runs_timed_out"))
                    or None,
                    "not_known": sum(row["unheard"] for row in others if row["callback"] is None),
                    "without_callback": sum(row["unheard"] for row in others if row["callback"] is False),
                    "first_at": min(row["first_at"] for row in silent if row["first_at"]),
                    "last_at": max(row["last_at"] for row in silent if row["last_at"]),
                },
                advice=f"Do not count on alerts of tasks for {wording.names(dags)}: a killed process sends none.",
                rank=float(unheard),
            )
        )
        return verdicts
