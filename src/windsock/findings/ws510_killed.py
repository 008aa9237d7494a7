"""WS510."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many kills are a pattern."""

    min_tries: float = threshold(3, "killed tries a week", "one or two can be a deploy or a lost node")


WORDS = {
    "oom": "killed, most likely out of memory",
    "signal": "killed by a signal",
    "heartbeat": "given up after their heartbeat was lost",
}


class Killed(Rule):
    """A task's process is killed from outside, again and again.

    What it means: no exception, no callback, often no word in the log: the machine or the supervisor ended it.
    How it is judged: Airflow's own words in the log: killed by a signal (SIGKILL is most often the memory limit),
    or its heartbeat was lost; at least `min_tries` in the week.
    What to do: give the task more memory, or make it need less; for lost heartbeats look at the workers.
    """

    code, name, section = "WS510", "killed", "silent"
    questions = ("killed_tries",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "killed_tries"):
            verdicts.judged += 1
            if row["tries"] < limits.min_tries:
                verdicts.not_enough += 1
                continue
            verdicts.findings.append(
                cls.finding(
                    subject={
                        "dag_id": row["dag_id"],
                        "task_id": row["task_id"],
                        "state_reason": row["state_reason"],
                    },
                    severity="warning",
                    headline=f"{row['dag_id']}.{row['task_id']}: {row['tries']} of {wording.plural(row['all_tries'], 'try')} "
                    f"{WORDS[row['state_reason']]}",
                    evidence={
                        k: row[k] for k in ("tries", "all_tries", "lost", "tries_prev", "first_at", "last_at")
                    },
                    advice="Raise the task's memory limit or its request, or process its input in parts."
                    if row["state_reason"] != "heartbeat"
                    else "Look at the workers' hosts at these times.",
                    rank=float(row["tries"]) + 2 * row["lost"],
                )
            )
        return verdicts
