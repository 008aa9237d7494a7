"""WS515."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
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
    counted beside. A DAG with `min_tasks` has a finding of its own; those with fewer share one. Without a dag-processor's log nobody can tell; it is only watched.
    What to do: alert on runs, not on tasks; or read this report.
    """

    code, name, section = "WS515", "unheard-failures", "silent"
    questions = ("unheard_failures", "runs_timed_out")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "unheard_failures")
        known = [row for row in rows if row["heard"] or row["callback"]]
        silent = [row for row in known if row["unheard"]]
        verdicts = Verdicts(judged=sum(row["lost"] for row in rows))
        if sum(row["unheard"] for row in silent) < limits.min_tasks:
            return verdicts
        few = [row for row in silent if row["unheard"] < limits.min_tasks]
        alone = [row for row in silent if row not in few]
        # a single one needs no group
        groups = [*([row] for row in alone), *([few] if few else [])]
        verdicts.findings += [cls._of(group, rows, answers) for group in groups]
        return verdicts

    @classmethod
    def _of(cls, silent: Sequence[Row], rows: Sequence[Row], answers: Mapping[str, Answer]) -> Finding:
        """Of one DAG, so that it has an owner; or of all those that each have too few to be told alone."""
        others = [row for row in rows if not (row["heard"] or row["callback"])]
        dags = sorted(row["dag_id"] for row in silent)
        timed_out = {row["dag_id"]: row["timed_out"] for row in rows_of(answers, "runs_timed_out")}
        unheard, lost = (sum(row[name] for row in silent) for name in ("unheard", "lost"))
        before = [row["unheard_prev"] for row in silent if row["unheard_prev"] is not None]
        is_one = len(dags) == 1
        told = f"{unheard} of {wording.plural(lost, 'task')} that failed for good left no sign that a callback ran"
        return cls.finding(
            subject={"dag_id": dags[0]} if is_one else {"reach": "all DAGs"},
            severity="watch",
            headline=f"{dags[0]}: {told}"
            if is_one
            else f"{told}, in {wording.plural(len(dags), 'DAG')} with few each",
            evidence={
                "unheard": unheard,
                "unheard_prev": sum(before) if before else None,
                "lost": lost,
                "ran_to_end": sum(row["ran_to_end"] for row in silent),
                "told_by_processor": sum(row["told"] for row in silent),
                "dags": len(dags),
                "dag_ids": dags[:20],
                "processor_log_read": all(row["components"] for row in silent),
                "runs_timed_out": sum(timed_out.get(dag_id, 0) for dag_id in dags) or None,
                "not_known": sum(row["unheard"] for row in others if row["callback"] is None),
                "without_callback": sum(row["unheard"] for row in others if row["callback"] is False),
                "first_at": min(row["first_at"] for row in silent if row["first_at"]),
                "last_at": max(row["last_at"] for row in silent if row["last_at"]),
            },
            advice=f"Do not count on alerts of tasks for {wording.names(dags)}: a killed process sends none.",
            rank=float(unheard),
        )
