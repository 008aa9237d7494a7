"""WS633."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When waiting in a queue is no ordinary waiting."""

    min_tries: float = threshold(
        5, "tries given up in a queue that works", "a worker that restarts leaves one or two behind"
    )
    min_queued_s: float = threshold(
        3600.0, "seconds", "a worker that scales from zero is there within minutes"
    )


class QueueWithoutWorker(Rule):
    """Tasks wait in a queue that no worker takes from.

    What it means: they stand queued until `task_queued_timeout` (ten minutes), are put back twice, and fail without an error
    or a log of their own; before 2.6 they wait for ever.
    How it is judged: the scheduler gave tries up in the queue, or API or database show some that stand queued for
    `min_queued_s`. Where no try of the queue began in the week, one is enough, and it is a warning; where others began it takes
    `min_tries`, and means too few workers.
    What to do: start a worker with this queue in its `--queues`, or mend the task's `queue`: a misspelt one is accepted.
    """

    code, name, section = "WS633", "queue-without-worker", "executors"
    questions = ("queues_without_worker",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "queues_without_worker"):
            verdicts.judged += 1
            given_up = row["failed"] + row["put_back"]
            stands = row["still"] and row["longest_s"] >= limits.min_queued_s
            is_dead = row["queue"] and not row["begun"] and (given_up or stands)
            if is_dead or row["tries"] - row["still"] >= limits.min_tries:
                verdicts.findings.append(cls._of(row, is_dead=bool(is_dead)))
            else:
                verdicts.not_enough += 1
        return verdicts

    @classmethod
    def _of(cls, row: Row, *, is_dead: bool) -> Finding:
        queue = f"Queue {row['queue']}" if row["queue"] else "A queue that nobody names"
        began = (
            f"last one {wording.moment(row['last_begun_at'])}"
            if row["last_begun_at"]
            else "none in five weeks"
        )
        waited = f"{wording.plural(row['tries'], 'try')} of {wording.plural(row['tasks'], 'task')} waited for a worker in vain"
        ended = f", {row['failed']} of them failed by it" if row["failed"] else ""
        told = f"no task begins there ({began})" if is_dead else f"{row['begun']} began"
        evidence = {
            name: row[name]
            for name in (
                *(
                    "executor",
                    "dag_ids",
                    "tasks",
                    "tries",
                    "failed",
                    "put_back",
                    "still",
                    "longest_s",
                    "begun",
                ),
                *("begun_prev", "last_begun_at", "first_at", "last_at"),
            )
        }
        if is_dead and row["queue"] and row["executor"].startswith("Celery"):
            evidence["apply"] = f"airflow celery worker --queues {row['queue']}"
            evidence["undo"] = "stop that worker"
        return cls.finding(
            subject={"queue": row["queue"], "executor": row["executor"]},
            severity="warning" if is_dead else "watch",
            headline=f"{queue}: {waited}{ended}; {told}",
            evidence=evidence,
            advice=f"Start a worker for it, or mend the queue of {wording.names(list(row['dag_ids']))}: Airflow accepts any name."
            if is_dead
            else "Give the queue more workers or slots at these times, or raise [scheduler] task_queued_timeout.",
            rank=float(row["tries"] + 2 * row["failed"]),
        )
