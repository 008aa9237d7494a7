"""WS635."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

PODS, SHARED = "KubernetesExecutor", ("CeleryExecutor", "LocalExecutor")


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a task would be better off elsewhere."""

    min_tries: float = threshold(50, "tries a week", "a task that runs seldom costs little anywhere")
    min_start_ratio: float = threshold(
        1.0, "times the work", "a pod that starts no longer than it works is worth it"
    )
    min_start_hours: float = threshold(
        2.0, "hours a week in starting, all such tasks", "less is not worth a change"
    )
    min_kills: float = threshold(
        3, "tries killed for memory a week", "one or two may be bad luck with neighbours"
    )
    min_work_s: float = threshold(600.0, "seconds, median", "shorter tasks do not repay a pod")


class ExecutorFit(Rule):
    """Tasks run on an executor that costs them more than another would.

    What it means: short tasks pay for a pod each time, or a heavy one takes the memory that a worker's other tasks need.
    How it is judged: with the KubernetesExecutor, tasks of at least `min_tries` tries whose median start takes
    `min_start_ratio` times their median work or longer, together `min_start_hours`; with Celery or Local workers, tasks of
    `min_work_s` that were killed for memory `min_kills` times. Since 2.10 one Airflow can run several executors.
    What to do: set `executor` on the task (2.10 and newer); a queue of workers for short tasks, pods with a memory limit of
    their own for heavy ones.
    """

    code, name, section = "WS635", "executor-fit", "executors"
    questions = ("executor_fit",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        short, heavy = [], []
        for row in rows_of(answers, "executor_fit"):
            verdicts.judged += 1
            if row["executor"] == PODS and _is_short(row, limits):
                short.append(row)
            elif (
                row["executor"] in SHARED
                and row["memory_kills"] >= limits.min_kills
                and (row["work_s"] or 0) >= limits.min_work_s
            ):
                heavy.append(row)
        if sum(row["start_hours"] for row in short) >= limits.min_start_hours:
            verdicts.findings.append(cls._short(short))
        if heavy:
            verdicts.findings.append(cls._heavy(sorted(heavy, key=lambda row: -row["memory_kills"])))
        return verdicts

    @classmethod
    def _short(cls, rows: Sequence[Row]) -> Finding:
        starting, working = (sum(row[name] for row in rows) for name in ("start_hours", "work_hours"))
        first = rows[0]
        return cls.finding(
            subject={"kind": "short tasks in pods"},
            severity="info",
            headline=f"{wording.plural(len(rows), 'task')} of the KubernetesExecutor in pods that take longer to start than the work takes: "
            f"{wording.hours(starting)} of starting for {wording.hours(working)} of work, most {first['dag_id']}.{first['task_id']} "
            f"({wording.seconds(first['start_s'])} for {wording.seconds(first['work_s'])})",
            evidence=_evidence(rows) | {"start_hours": starting, "work_hours": working},
            advice='Run them on workers that stand ready (executor="CeleryExecutor" on the task, 2.10 and newer), or do several '
            "in one task.",
            rank=starting,
        )

    @classmethod
    def _heavy(cls, rows: Sequence[Row]) -> Finding:
        kills, first = sum(row["memory_kills"] for row in rows), rows[0]
        return cls.finding(
            subject={"kind": "heavy tasks on shared workers"},
            severity="info",
            headline=f"{wording.plural(len(rows), 'long task')} ran out of memory on shared workers {kills} times, most "
            f"{first['dag_id']}.{first['task_id']} ({first['memory_kills']} of {wording.plural(first['tries'], 'try')}, "
            f"{wording.span(first['work_s'])} each)",
            evidence=_evidence(rows) | {"memory_kills": kills, "lost": sum(row["lost"] for row in rows)},
            advice='Give them a memory limit of their own: pods (executor="KubernetesExecutor" on the task, 2.10 and newer), or a '
            "queue of workers with few slots.",
            rank=float(kills),
        )


def _is_short(row: Row, limits: Limits) -> bool:
    if row["starts"] < limits.min_tries or row["work_s"] is None:
        return False
    return bool(row["start_s"] >= limits.min_start_ratio * row["work_s"])


def _evidence(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "tasks": len(rows),
        "task_ids": [f"{row['dag_id']}.{row['task_id']}" for row in rows[:20]],
        "tries": sum(row["tries"] for row in rows),
        "queues": sorted({row["queue"] for row in rows if row["queue"]})[:8],
    }
