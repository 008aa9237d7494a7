"""WS513."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many timed-out runs matter."""

    min_runs: float = threshold(2, "timed-out runs in the week", "one long run is no pattern")


class TimedOutRuns(Rule):
    """Runs ended by dagrun_timeout: their unfinished tasks count as skipped, not as failed.

    What it means: the run is lost, but no task failed: task-level callbacks and failure rates stay silent
    (apache/airflow#30264).
    How it is judged: the scheduler's word, or a run recorded as failed with skipped tasks and no failed one. Compared with
    the eight weeks before: new is a warning, a habit is only to be watched.
    What to do: see whether the run has grown (WS401, WS402) or waits for slots; raise dagrun_timeout only after that.
    """

    code, name, section = "WS513", "timed-out-runs", "silent"
    questions = ("runs_timed_out",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "runs_timed_out"):
            verdicts.judged += 1
            if row["timed_out"] < limits.min_runs:
                verdicts.not_enough += 1
                continue
            is_habit = row["prev"] / 8 >= row["timed_out"] / 2
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"]},
                    severity="watch" if is_habit else "warning",
                    headline=f"{row['dag_id']}: {row['timed_out']} of {wording.plural(row['runs'], 'run')} timed out, "
                    f"{row['without_fail']} of them without a failed task ({row['prev']} in the eight weeks before)",
                    evidence={
                        name: row[name]
                        for name in (
                            "timed_out",
                            "runs",
                            "without_fail",
                            "by_component",
                            "skipped_tasks",
                            "prev",
                            "longest_s",
                            "shortest_s",
                            "first_at",
                            "last_at",
                        )
                    },
                    advice="Count these runs as lost; a DAG-level on_failure_callback tells of them, a task's does not.",
                    rank=float(row["timed_out"]),
                )
            )
        return verdicts
