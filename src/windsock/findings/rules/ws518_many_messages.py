"""WS518."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import rates, wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When messages hide their causes."""

    min_messages: float = threshold(50, "messages a week", "fewer are read")
    min_per_cause: float = threshold(
        10, "messages per cause", "a cause that fails ten tries should be told once"
    )


class ManyMessages(Rule):
    """A DAG's callbacks sent many messages for few causes.

    What it means: on_failure_callback and on_retry_callback run once for each try. Who gets fifty messages for five causes
    reads none of them.
    How it is judged: failed tries of the week that came to their own end, in DAGs that showed a callback in nine weeks (one
    that failed, or one that the dag-processor ran): each ran its callback once. `min_messages` or more of a DAG, and
    `min_per_cause` for each different error. They began with the failures: on the day from which on more tries of the DAG fail. One cause over many DAGs is an incident (WS110). Logs do not tell what a callback that works has sent, nor which DAGs
    have none: it is information.
    What to do: alert on runs or on what is new, and let this report tell the rest; take on_retry_callback out.
    """

    code, name, section = "WS518", "many-messages", "silent"
    questions = ("callbacks_of_week", "failure_counts_by_dag_day")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "callbacks_of_week"):
            if row["kind"] != "one DAG":
                continue
            verdicts.judged += 1
            messages, causes = row["messages"], max(1, row["behind"])
            if messages >= limits.min_messages and messages >= limits.min_per_cause * causes:
                verdicts.findings.append(
                    cls.finding(
                        subject={"dag_id": row["dag_id"]},
                        severity="info",
                        headline=f"{row['dag_id']}: callbacks were called for {messages:,} failed tries, and "
                        f"{wording.plural(causes, 'cause')} stood behind them",
                        evidence={
                            "messages": messages,
                            "causes": causes,
                            "failures": row["failures"],
                            **rates.failing_since(answers, row["dag_id"]),
                        },
                        advice="Alert on runs that are lost, not on each try (no on_retry_callback); one message per cause is this report.",
                        rank=messages / causes,
                    )
                )
        return verdicts
