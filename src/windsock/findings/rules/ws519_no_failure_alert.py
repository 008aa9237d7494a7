"""WS519."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many failures that tell nobody are told."""

    min_tasks: float = threshold(
        5,
        "tasks in the week, over all DAGs that tell nobody",
        "as WS515: fewer stand in the incidents anyway",
    )


class NoFailureAlert(Rule):
    """Tasks failed for good in DAGs that have nothing by which to tell of it.

    What it means: who does not look at the page does not know that these DAGs fail.
    How it is judged: by the DAGs' serialised form in Airflow's metadata database, the only place that tells of a callback
    which never had to run: no on_failure_callback of the DAG or of any task, no address for mail on failure, no deadline (3.1
    and newer), no SLA (2.x), no task that runs because others failed (trigger rule one_failed or all_failed), and tasks
    that failed for good, `min_tasks` or more over all such DAGs. Paused DAGs and DAGs that are gone are left out. What
    cannot be known is counted beside, and is never called well: no database, no right to read `serialized_dag`, a form that
    cannot be read, an SLA or a task for failures of which nobody can say whether they tell. A listener, or whoever watches
    from outside, is not seen, so it is information.
    What to do: on_failure_callback in the DAG's arguments tells once a run; in its default_args once a task. Or read this
    report.
    """

    code, name, section = "WS519", "no-failure-alert", "silent"
    questions = ("failure_alerts",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "failure_alerts")
        unknown = [row for row in rows if row["has_alert"] is None]
        without = [row for row in rows if row["has_alert"] is False]
        failed = sorted(
            (row for row in without if row["lost"]), key=lambda row: (-row["lost"], row["dag_id"])
        )
        verdicts, lost = Verdicts(judged=len(rows) - len(unknown)), sum(row["lost"] for row in failed)
        if lost < limits.min_tasks:
            return verdicts
        dags = [row["dag_id"] for row in failed]
        verdicts.findings.append(
            cls.finding(
                subject={"reach": "all DAGs"},
                severity="info",
                headline=f"{wording.plural(lost, 'task')} failed for good in {wording.plural(len(dags), 'DAG')} without failure "
                "callback, mail or deadline",
                evidence={
                    "tasks": lost,
                    "dags": len(dags),
                    "dag_ids": dags[:20],
                    "owners": sorted({row["owner"] for row in failed if row["owner"]})[:20],
                    "dags_that_did_not_fail": len(without) - len(dags),
                    "dags_with_an_alert": len(rows) - len(unknown) - len(without),
                    "dags_not_known": len(unknown),
                    "not_known_for_want_of": sorted({row["missing"] for row in unknown if row["missing"]}),
                    "seen_at": max(row["seen_at"] for row in failed),
                },
                advice=f"Give {wording.names(dags)} an on_failure_callback: of the DAG, it tells once a run.",
                rank=float(lost),
            )
        )
        return verdicts
