"""WS521."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

Kind = Literal["", "open runs", "other tasks"]


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a task that failed is held back, and not only late."""

    min_open: float = threshold(2, "open runs without the task", "one may just be at work")
    min_hours: float = threshold(
        24.0,
        "hours between the failure and the newest later run",
        "a queue or an outage of a night is over by then",
    )
    min_runs_before: float = threshold(
        10, "runs before, each with the task", "a task of some runs only is a branch"
    )
    min_runs_after: float = threshold(5, "later runs without the task", "fewer may be a branch or a skip")


class BlockedByPast(Rule):
    """A task failed once, and has not begun in any run since.

    What it means: with `depends_on_past` or `wait_for_downstream` the task waits for its own earlier run to succeed. It does
    not fail again, so nothing alerts; its runs stay open until `max_active_runs` holds the whole DAG.
    How it is judged: its newest known run failed for good, and at least `min_hours` of later runs came: `min_open` or more
    of them are open by API or database. Or, by logs alone, it began in each of `min_runs_before` runs and in none of
    `min_runs_after` later ones, in which other tasks ran and none failed: held back, or taken out of the DAG then. The
    first is a warning, the second only watched. Where API or database tell the DAG's make-up, its code decides: nothing is
    found where no task waits for this one by `depends_on_past` or `wait_for_downstream`, or where the DAG has it no more; what
    waits is named.
    What to do: clear the failed task of that one run, or mark it as success; the later runs then follow.
    """

    code, name, section = "WS521", "blocked-by-past", "why"
    questions = ("tasks_stopped",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        found: dict[str, list[Row]] = {}
        for row in rows_of(answers, "tasks_stopped"):
            verdicts.judged += 1
            if cls.kind(row, limits):
                found.setdefault(row["dag_id"], []).append(row)
        verdicts.findings += [cls._of(dag_id, rows, limits) for dag_id, rows in found.items()]
        return verdicts

    @classmethod
    def kind(cls, row: Row, limits: Any) -> Kind:
        """What shows that the task is held; empty: nothing does."""
        if row["last_later_at"] is None or row["failed_at"] is None or row["held_tasks"] == []:
            return ""
        if row["last_later_at"] - row["failed_at"] < timedelta(hours=limits.min_hours):
            return ""
        if row["open_later"] >= limits.min_open:
            return "open runs"
        ran_always = row["ran_before"] == row["runs_before"] >= limits.min_runs_before
        alone = row["failed_later"] == 0 and row["other_tasks"] >= limits.min_runs_after
        # where all runs are known, runs that ended without the task were not held by it
        return "other tasks" if ran_always and alone and not row["is_told"] else ""

    @classmethod
    def _of(cls, dag_id: str, rows: Sequence[Row], limits: Any) -> Finding:
        first = min(rows, key=lambda row: (row["failed_at"], row["task_id"]))
        by_open = any(cls.kind(row, limits) == "open runs" for row in rows)
        runs = max(row["open_later"] if by_open else row["later_runs"] for row in rows)
        held_by = next((row["held_by"] for row in rows if row["held_by"]), None)
        told = wording.plural(runs, "open run" if by_open else "later run")
        others = f" and {wording.plural(len(rows) - 1, 'other task')}" if len(rows) > 1 else ""
        return cls.finding(
            subject={"dag_id": dag_id},
            severity="warning" if by_open else "watch",
            headline=f"{dag_id}.{first['task_id']}{others} failed on {wording.moment(first['failed_at'])} and has not begun "
            f"since, in {told}{f': {held_by} holds it back' if held_by else ''}",
            evidence={
                "failed_run_id": first["failed_run_id"],
                "first_at": first["failed_at"],
                "last_at": max(row["last_later_at"] for row in rows),
                "tasks": len(rows),
                "task_ids": sorted(row["task_id"] for row in rows)[:20],
                "open_runs": first["open_later"],
                "later_runs": first["later_runs"],
                "ran_before": f"{first['ran_before']} of {wording.plural(first['runs_before'], 'run')}",
                "held_by": held_by,
                "held_tasks": sorted({one for row in rows for one in row["held_tasks"] or ()})[:20],
                "error_signature": first["error_signature"],
            },
            advice=f"Clear {first['task_id']} of the run {first['failed_run_id']}, or mark it as success: "
            + (
                "the later runs then follow."
                if held_by
                else "if depends_on_past holds the later runs, they follow."
            )
            + ("" if by_open or held_by else " If the task was taken out of the DAG, accept this finding."),
            rank=float(runs),
        )
