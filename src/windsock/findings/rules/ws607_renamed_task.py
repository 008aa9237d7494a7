"""WS607."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How alike two tasks must be to be one."""

    min_runs: float = threshold(3, "runs of each", "fewer may be a trial")
    min_runs_unread: float = threshold(
        5, "runs of each, where the DAG was not read twice", "by chance two tasks take turns for some runs"
    )
    min_kept: float = threshold(
        1, "neighbours that kept their names", "a DAG whose tasks all have new names may be another DAG"
    )
    max_alike: float = threshold(
        1, "pairs that the change allows", "where one task became two nobody can say which one it is"
    )
    max_shared_runs: float = threshold(0, "runs that have both", "a run that had both had two tasks")
    min_share: float = threshold(
        0.8, "fraction of the DAG's runs, where it was not read twice", "branches come and go, too"
    )
    max_times: float = threshold(
        2.0, "times the median duration, where it was not read twice", "the same work takes the same time"
    )


class RenamedTask(Rule):
    """A task went, and one of the same operator came in its place: it was probably renamed.

    What it means: the new one has no past: its rates and durations begin anew, and a fault of it looks as if it were new.
    How it is judged: of two readings of the DAG (API or database) one has the old and the next one the new task, with the same
    operator, after the same tasks and before the same; nothing else that came or went could be its other half; no run has both,
    and `min_runs` have each. Neighbours that were renamed with it do not count: one at least kept its name, or the task kept the last
    part of its own (it was put into a task group). Of a DAG that was not read twice the runs must say as much: one
    task in nearly all of them (`min_share`) up to one run, another in nearly all from the next one on, the same tasks
    always done before it and always begun after it, about the same duration. It is a guess, so nothing is joined until
    the pipeline file says so.
    What to do: add the pair to `renamed` of [scope] in the pipeline file. All questions then tell the old one's past under the
    new name. If it is another task, accept the finding.
    """

    code, name, section = "WS607", "renamed-task", "config"
    questions = ("renamed_tasks",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "renamed_tasks"):
            least = limits.min_runs if row["told_by"] == "readings" else limits.min_runs_unread
            if min(row["runs"], row["former_runs"]) < least:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if _is_rename(row, limits):
                verdicts.findings.append(cls._told(row))
        return verdicts

    @classmethod
    def _told(cls, row: Row) -> Finding:
        dag_id, new, old = row["dag_id"], row["task_id"], row["former_task_id"]
        sure = "is probably" if row["told_by"] == "readings" else "looks like"
        return cls.finding(
            subject={"dag_id": dag_id, "task_id": new},
            severity="info",
            headline=f"{new} of {dag_id} {sure} {old} under a new name, since {wording.moment(row['first_at'])}",
            evidence={
                "former_task_id": old,
                "told_by": row["told_by"],
                "operator": row["operator"],
                "runs": row["runs"],
                "former_runs": row["former_runs"],
                "former_until": row["former_until"],
                "first_at": row["first_at"],
                "work_s": row["work_s"],
                "former_work_s": row["former_work_s"],
            },
            advice=f'If so, add to [scope] of the pipeline file: renamed = {{"{dag_id}/{new}" = "{old}"}}. Its rates and trends then go on.',
            rank=float(row["former_runs"]),
        )


def _is_rename(row: Row, limits: Limits) -> bool:
    is_moved = _own_part(row["task_id"]) == _own_part(row["former_task_id"])
    if row["alike"] > limits.max_alike or row["shared_runs"] > limits.max_shared_runs:
        return False
    if row["kept"] < limits.min_kept and not is_moved:
        return False
    return row["told_by"] == "readings" or _is_as_alike_by_runs(row, limits)


def _is_as_alike_by_runs(row: Row, limits: Limits) -> bool:
    now, before = row["work_s"], row["former_work_s"]
    return bool(
        now
        and before
        and max(now, before) <= limits.max_times * min(now, before)
        and row["runs"] >= limits.min_share * row["runs_since"]
        and row["former_runs"] >= limits.min_share * row["runs_before"]
    )


def _own_part(task_id: str) -> str:
    """A task's id without those of its groups."""
    return task_id.rpartition(".")[2]
