"""WS510."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many kills are a pattern."""

    min_tries: float = threshold(3, "killed tries a week", "one or two can be a deploy or a lost node")
    min_company_z: float = threshold(
        3.0, "standard deviations", "of the rank sum: tries that are killed together share their company"
    )
    min_company_ratio: float = threshold(1.5, "times as many others on the host", "less is no cause")


_MEMORY = "Raise the task's memory limit or its request, or process its input in parts."
_TOGETHER = (
    "{beside_killed:.0f} other tries ran on its host when it was killed (median), {beside_usual:.0f} when it ended otherwise: run fewer at once "
    "(a pool for the tasks that need much memory, a lower worker_concurrency) before it gets more."
)
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
    Out of memory: where more other tries ran on its host when it was killed than when it ended otherwise (rank sum, on
    two days or more), that is said.
    What to do: after SIGKILL give the task more memory, or make it need less; after SIGTERM find who stops it; after
    SIGSEGV look at native libraries; for lost heartbeats look at the workers.
    """

    code, name, section = "WS510", "killed", "silent"
    questions = ("killed_tries", "memory_company")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        company = {(row["dag_id"], row["task_id"]): row for row in rows_of(answers, "memory_company")}
        for row in rows_of(answers, "killed_tries"):
            verdicts.judged += 1
            if row["tries"] < limits.min_tries:
                verdicts.not_enough += 1
                continue
            ending, advice = words(row["state_reason"], row["signal"])
            beside = company.get((row["dag_id"], row["task_id"])) if advice == _MEMORY else None
            crowd = _crowd(beside, limits) if beside else {}
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
                        **{
                            k: row[k]
                            for k in (
                                "tries",
                                "all_tries",
                                "lost",
                                "lost_runs",
                                "wasted_hours",
                                "tries_prev",
                                "first_at",
                                "last_at",
                            )
                        },
                        **crowd,
                    },
                    advice=f"{_TOGETHER.format(**crowd)} {advice}" if crowd else advice,
                    rank=float(row["tries"]) + 2 * row["lost"],
                )
            )
        return verdicts


def _crowd(row: Row, limits: Limits) -> dict[str, float]:
    """How many others ran beside it when it was killed, and else; empty where that is no more than luck."""
    if row["z"] is None or row["z"] < limits.min_company_z or row["kill_days"] < 2:
        return {}
    more = row["beside_killed"] - row["beside_usual"]
    if more < 1 or row["beside_killed"] < limits.min_company_ratio * row["beside_usual"]:
        return {}
    return {name: row[name] for name in ("beside_killed", "beside_usual")}
