"""WS514."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a failing callback is told."""

    min_failures: float = threshold(2, "times in the week", "one may be the network")


class CallbackFailed(Rule):
    """A callback or notifier fails: what should tell of failures is itself silent.

    What it means: the alert, the clean-up or the mail did not happen; the task's own state does not show it.
    How it is judged: Airflow's own words in the task's log, and the dag-processor's for DAG-level callbacks, at least
    `min_failures` times. It is a warning when a failed try went untold; DAG-level callbacks are seen only where the
    dag-processor's log is read.
    What to do: test the callback by hand with the context of that run; wrap it so that it cannot raise.
    """

    code, name, section = "WS514", "callback-failed", "silent"
    questions = ("failed_callbacks",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "failed_callbacks"):
            verdicts.judged += 1
            if row["failures"] < limits.min_failures:
                verdicts.not_enough += 1
                continue
            where = f"{row['dag_id']}.{row['task_id']}" if row["task_id"] else row["dag_id"] or "a DAG"
            kind = row["exception_type"] or "an error"
            verdicts.findings.append(
                cls.finding(
                    subject={
                        "dag_id": row["dag_id"] or "",
                        "task_id": row["task_id"] or "",
                        "kind": row["kind"],
                    },
                    severity="warning" if row["failed_tries"] and not row["prev"] else "watch",
                    headline=f"{where}: its {row['kind']} failed {wording.plural(row['failures'], 'time')} with {kind}"
                    + (
                        f"; {wording.plural(row['failed_tries'], 'failure')} went untold"
                        if row["failed_tries"]
                        else ""
                    ),
                    evidence={
                        name: row[name]
                        for name in (
                            "failures",
                            "tries",
                            "failed_tries",
                            "prev",
                            "tries_known",
                            "error_signature",
                            "sample",
                            "first_at",
                            "last_at",
                        )
                    },
                    advice="Mend what the callback calls, or catch its errors; until then look at these failures by hand.",
                    rank=float(row["failed_tries"] + row["failures"] / 10),
                )
            )
        return verdicts
