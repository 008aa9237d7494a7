"""WS651."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When more logs are more than a busy week."""

    min_weeks: float = threshold(4, "weeks before", "fewer do not tell what is usual")
    min_ratio: float = threshold(
        2.0, "times the usual week", "a month's end alone can bring half as much again"
    )
    min_bytes: float = threshold(1e9, "bytes a week more", "less costs nobody money or time")


class LogGrowth(Rule):
    """A DAG writes far more log than it used to.

    What it means: a debug level left on, a loop that prints its rows, an error that is logged again and again; it slows the
    task, the pages that show the log, and fills the bucket.
    How it is judged: bytes of log objects by the week of their last change: this week at least `min_ratio` times the median
    of the weeks before (at least `min_weeks`), more than any of them, and `min_bytes` above the usual. More objects and larger
    objects are told apart. Two weeks that differ are no trend: only a level above all eight is told.
    What to do: look at the newest log of its largest task (`windsock ask log_bill_by_task`); `windsock ask log_templates`
    tells which lines fill it.
    """

    code, name, section = "WS651", "log-growth", "logs"
    questions = ("log_bytes_by_dag_week", "log_bill_by_task")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        of_dag: dict[str, list[Row]] = defaultdict(list)
        for row in rows_of(answers, "log_bytes_by_dag_week"):
            of_dag[row["dag_id"]].append(row)
        verdicts = Verdicts(no_data="" if of_dag else "no task logs were read this week")
        for dag_id, rows in sorted(of_dag.items()):
            now = [row for row in rows if row["week"] == week.monday]
            before = [row for row in rows if row["week"] < week.monday]
            if not dag_id or not now or len(before) < limits.min_weeks:
                verdicts.not_enough += bool(dag_id)
                continue
            verdicts.judged += 1
            usual = median(row["kept_bytes"] for row in before)
            if (
                now[0]["kept_bytes"] >= limits.min_ratio * usual
                and now[0]["kept_bytes"] > max(row["kept_bytes"] for row in before)
                and now[0]["kept_bytes"] - usual >= limits.min_bytes
            ):
                verdicts.findings.append(cls._of_dag(dag_id, now[0], before, _largest(answers, dag_id)))
        return verdicts

    @classmethod
    def _of_dag(cls, dag_id: str, now: Row, before: Sequence[Row], task: str) -> Finding:
        usual = median(row["kept_bytes"] for row in before)
        each = now["kept_bytes"] / now["objects"]
        each_before = median(row["kept_bytes"] / row["objects"] for row in before)
        is_larger = each >= 1.5 * each_before
        why = "each log is larger" if is_larger else "there are more of them"
        return cls.finding(
            subject={"dag_id": dag_id},
            severity="info",
            headline=f"{dag_id} wrote {wording.size(now['kept_bytes'])} of logs this week, usually {wording.size(usual)}: {why}",
            evidence={
                "kept_bytes": now["kept_bytes"],
                "usual_bytes": usual,
                "weeks_before": len(before),
                "objects": now["objects"],
                "objects_usual": median(row["objects"] for row in before),
                "object_bytes": each,
                "object_bytes_usual": each_before,
                "largest_task": task,
            },
            advice=f"Look at the newest log of {task}: a debug level, a loop that prints, an error told again and again."
            if is_larger
            else f"See why {task} runs more often: its schedule, mapped tasks, retries.",
            rank=float(now["kept_bytes"] - usual),
        )


def _largest(answers: Mapping[str, Answer], dag_id: str) -> str:
    """Its task with most bytes this week; the DAG itself where no answer tells."""
    mine = [row for row in rows_of(answers, "log_bill_by_task") if row["dag_id"] == dag_id and row["task_id"]]
    return f"{dag_id}.{max(mine, key=lambda row: row['kept_bytes'])['task_id']}" if mine else dag_id
