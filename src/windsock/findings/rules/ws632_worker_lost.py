"""WS632."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a lost host is worth a line."""

    min_at_once: float = threshold(
        3, "tries given up within ten minutes", "one or two alone are killed tasks, not a lost host"
    )
    warn_runs: float = threshold(1, "runs that lost a task", "what was tried again cost time only")


class WorkerLost(Rule):
    """A host was lost with the tasks that ran on it.

    What it means: the machine or the worker's process was killed, froze, or was cut off: its tasks leave no log and no
    error, and each has used a try.
    How it is judged: the scheduler gave up tries of one host, at least `min_at_once` of them within ten minutes, since
    their heartbeats had stopped; a warning where `warn_runs` runs lost a task by it. The hours thrown away hold the time
    that the scheduler waits for a heartbeat.
    What to do: look why it went (memory, a deploy, a spot instance); let workers shut down warmly; give its tasks a retry.
    """

    code, name, section = "WS632", "worker-lost", "executors"
    questions = ("lost_workers",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "lost_workers"):
            verdicts.judged += 1
            if row["most_at_once"] < limits.min_at_once:
                verdicts.not_enough += 1
                continue
            verdicts.findings.append(cls._of(row, limits))
        return verdicts

    @classmethod
    def _of(cls, row: Row, limits: Limits) -> Finding:
        queue = f" of queue {row['queue']}" if row["queue"] else ""
        cost = [f"{wording.plural(row['lost'], 'task')} failed for good"] if row["lost"] else []
        cost += [f"{wording.plural(row['retried'], 'retry')} used"] if row["retried"] else []
        cost += [f"{wording.span(row['lost_hours'] * 3600)} of work thrown away"]
        return cls.finding(
            subject={"hostname": row["hostname"]},
            severity="warning" if row["lost_runs"] >= limits.warn_runs else "watch",
            headline=f"Worker {row['hostname']}{queue} was lost {wording.moment(row['first_at'])} with "
            f"{wording.plural(row['tries'], 'running try')}: {', '.join(cost)}",
            evidence={
                name: row[name]
                for name in (
                    *(
                        "tries",
                        "tasks",
                        "dags",
                        "most_at_once",
                        "retried",
                        "lost",
                        "lost_runs",
                        "no_log",
                        "lost_hours",
                    ),
                    *("queue", "first_at", "last_at", "missed_at", "ready_at"),
                )
            },
            advice=f"Look why {row['hostname']} went: memory, a deploy without a warm shutdown, a machine taken away"
            + (". Give the tasks that were lost for good a retry." if row["lost"] else "."),
            rank=row["lost_hours"] + 2 * row["lost_runs"],
        )
