"""WS605."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How alike two DAGs must be to be one."""

    min_runs: float = threshold(3, "runs of each", "fewer may be a trial")
    min_tasks: float = threshold(
        2, "tasks, where a file is known", "one task of a common name proves nothing"
    )
    min_tasks_without_file: float = threshold(
        4, "tasks, where none is known", "four task ids in common are no accident"
    )
    max_alike: float = threshold(
        3, "DAGs with the same tasks", "where many are alike nobody can say which became which"
    )
    max_gap_days: float = threshold(8.0, "days between them", "a weekly DAG is seen after seven")


class RenamedDag(Rule):
    """A DAG stopped, and one with the same tasks from the same file began: it was probably renamed.

    What it means: for Airflow, and for every comparison, the new one has no past: its trends begin anew, and the old one
    looks silent.
    How it is judged: the same task ids from the same file (3.3 and newer name it; else more tasks are asked for), the new
    one's first start after the old one's last, within `max_gap_days`, `min_runs` of each; where more than `max_alike` DAGs
    have these tasks nothing is said. It is a guess, so nothing is joined until the pipeline file says so; but that the old one
    runs no more (WS501, WS502) is told here only.
    What to do: add the pair to `renamed` of [scope] in the pipeline file. All questions then tell the old one's past under the
    new name. If it is no rename, accept the finding.
    """

    code, name, section = "WS605", "renamed-dag", "config"
    questions = ("renamed_dags",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "renamed_dags"):
            if min(row["runs"], row["former_runs"]) < limits.min_runs:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if not _is_rename(row, limits):
                continue
            new, old = row["dag_id"], row["former_dag_id"]
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": new},
                    severity="info",
                    headline=f"{new} is probably {old} under a new name, since {wording.moment(row['first_at'])}",
                    evidence={
                        "former_dag_id": old,
                        "dag_file": row["dag_file"] or None,
                        "tasks": row["tasks"],
                        "runs": row["runs"],
                        "former_runs": row["former_runs"],
                        "former_until": row["former_until"],
                        "first_at": row["first_at"],
                    },
                    advice=f'If so, add to [scope] of the pipeline file: renamed = {{"{new}" = "{old}"}}. Its trends then go on. '
                    f"If not, {old} has not run since {wording.moment(row['former_until'])}.",
                    rank=float(row["former_runs"]),
                )
            )
        return verdicts


def _is_rename(row: Row, limits: Limits) -> bool:
    least = limits.min_tasks if row["dag_file"] else limits.min_tasks_without_file
    return bool(
        row["tasks"] >= least
        and row["alike"] <= limits.max_alike
        and row["gap_s"] <= limits.max_gap_days * DAY_S
    )
