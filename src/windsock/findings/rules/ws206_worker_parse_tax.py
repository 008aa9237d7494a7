"""WS206."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """What a tax must reach."""

    min_hours: float = threshold(5.0, "hours a week", "less is not worth anybody's afternoon")
    min_share: float = threshold(0.1, "fraction of the tasks' time", "below it the work itself is the cost")
    min_tries: float = threshold(20, "tries", "a few cold starts are no pattern")


class WorkerParseTax(Rule):
    """Tasks spend a large part of their time on importing their DAG file, or on getting its bundle ready.

    What it means: each try imports the whole file before it works; many short tasks of a heavy file pay for it again
    and again, in worker hours and in lateness.
    How it is judged: parse time plus bundle preparation, as the task logs of Airflow 3.3 and newer tell them, in hours
    and as a share of the time of the same tries.
    What to do: import heavy packages inside the tasks; split files that build many DAGs; keep bundles on a volume that
    workers share.
    """

    code, name, section = "WS206", "worker-parse-tax", "workers"
    questions = ("worker_parse_tax_by_file",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "worker_parse_tax_by_file")
        verdicts = Verdicts(
            no_data="" if rows else "parse times of workers: task logs of Airflow 3.3 and newer tell them"
        )
        for row in rows:
            if row["tries"] < limits.min_tries or row["tax_share"] is None:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            hours = row["parse_hours"] + row["prepare_hours"]
            if hours >= limits.min_hours and row["tax_share"] >= limits.min_share:
                verdicts.findings.append(cls._of_file(row, hours))
        return verdicts

    @classmethod
    def _of_file(cls, row: Row, hours: float) -> Finding:
        is_parse = row["parse_hours"] >= row["prepare_hours"]
        what = "importing it" if is_parse else "preparing its bundle"
        return cls.finding(
            subject={"dag_file": row["dag_file"], "bundle_name": row["bundle_name"]},
            severity="watch",
            headline=f"Tasks of {row['dag_file']} spend {wording.hours(hours)} a week, {wording.percent(row['tax_share'])} of "
            f"their time, before they work: mostly on {what}",
            evidence={
                "tries": row["tries"],
                "parse_hours": row["parse_hours"],
                "parse_p95_s": row["parse_p95_s"],
                "prepare_hours": row["prepare_hours"],
                "prepare_p95_s": row["prepare_p95_s"],
                "run_hours": row["run_hours"],
                "tax_share": row["tax_share"],
            },
            advice=f"Move heavy imports of {row['dag_file']} into its tasks, and split it if it builds many DAGs."
            if is_parse
            else "Keep the bundle on a volume that workers share, or make its repository smaller.",
            rank=hours,
        )
