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


_MEMORY = "Raise the task's memory limit or its request, or process its input in parts."
_STOPPED = (
    "Find who stops it at these times: a worker that scales in or is deployed, an eviction, a run timeout, a person; "
    "a memory limit never sends SIGTERM."
)
_CRASHED = (
    "A native library crashed: look at what was upgraded, and run it with PYTHONFAULTHANDLER=1 to see where."
)
_CRASHES = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGABRT", "SIGFPE")


def words(reason: str, signal: str) -> tuple[str, str]:
    """How they ended, and what to do, by Airflow's reason and the signal it names (may be empty)."""
    if reason == "heartbeat":
        return "given up after their heartbeat was lost", "Look at the workers' hosts at these times."
    if reason == "oom":
        return "killed, most likely out of memory", _MEMORY
    if signal == "SIGTERM":
        return "told to stop by SIGTERM", _STOPPED
    if signal in _CRASHES:
        return f"crashed by {signal}", _CRASHED
    return f"killed by {signal or 'a signal'}", _MEMORY


class Killed(Rule):
    """A task's process is killed from outside, again and again.

    What it means: no exception, no callback, often no word in the log: the machine or the supervisor ended it.
    How it is judged: Airflow's own words in the log: killed by a signal (SIGKILL is most often the memory limit),
    or its heartbeat was lost; at least `min_tries` in the week.
    What to do: after SIGKILL give the task more memory, or make it need less; after SIGTERM find who stops it; after
    SIGSEGV look at native libraries; for lost heartbeats look at the workers.
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
            ending, advice = words(row["state_reason"], row["signal"])
            verdicts.findings.append(
                cls.finding(
                    subject={
                        "dag_id": row["dag_id"],
                        "task_id": row["task_id"],
                        "state_reason": row["state_reason"],
                    },
                    severity="warning",
                    headline=f"{row['dag_id']}.{row['task_id']}: {row['tries']} of {wording.plural(row['all_tries'], 'try')} "
                    f"{ending}",
                    evidence={
                        k: row[k] for k in ("tries", "all_tries", "lost", "tries_prev", "first_at", "last_at")
                    },
                    advice=advice,
                    rank=float(row["tries"]) + 2 * row["lost"],
                )
            )
        return verdicts
