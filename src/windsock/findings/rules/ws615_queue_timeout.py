"""WS615."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_environment
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM, held_of
from windsock.findings.settings.told import hits
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When the time in the queue is limited too tightly."""

    min_hits: float = threshold(
        3, "tries queued again or failed in the week", "one or two are a lost message"
    )
    near_share: float = threshold(
        0.5,
        "fraction of the limit at the 99th percentile",
        "where the others start soon the queue is not slow: they were lost",
    )
    min_tries: float = threshold(200, "tries with a time in the queue", "a 99th percentile needs as many")
    room: float = threshold(2.0, "times the 99th percentile", "room for a bad day")


class QueueTimeout(Rule):
    """Tries are taken out of the executor's queue by `task_queued_timeout` while others lie there nearly as long.

    What it means: they would have started a little later. Airflow queues them again or fails them instead.
    How it is judged: tries that the scheduler's log or the audit log tell as stuck in the queue, and the 99th percentile of the
    time in the queue of those that started. Where that is far below the limit the stuck ones were lost, by a worker or a
    message, and no limit helps: nothing is told here.
    What to do: more slots or workers first; a higher limit only so that nothing fails until then.
    """

    code, name, section = "WS615", "queue-timeout-too-short", "settings"
    questions = ("limit_hits", "queue_times", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        limit = held_of(answers).get("task_queued_timeout")
        row = next(iter(rows_of(answers, "queue_times")), None)
        if limit is None or not limit.value or row is None:
            return verdicts
        if row["tries"] < limits.min_tries:
            verdicts.not_enough += 1
            return verdicts
        verdicts.judged += 1
        ended = hits(answers, "stuck_in_queued", "queue_timeout")
        if ended < limits.min_hits or row["p99_s"] < limits.near_share * limit.value:
            return verdicts
        proposed = max(60 * ceil(limits.room * row["p99_s"] / 60), 60 * ceil(limit.value / 60) + 60)
        verdicts.findings.append(
            cls.finding(
                subject={"setting": limit.setting},
                severity="watch",
                headline=f"{wording.plural(ended, 'try')} taken out of the queue after {wording.span(limit.value)}; of those that "
                f"started one in a hundred lay there {wording.span(row['p99_s'])} or longer",
                evidence={
                    "ended": ended,
                    "failed": hits(answers, "queue_timeout"),
                    "limit_s": limit.value,
                    "median_s": row["median_s"],
                    "p99_s": row["p99_s"],
                    "longest_s": row["longest_s"],
                    "tries": row["tries"],
                    **in_environment(answers, limit.setting, proposed),
                },
                advice=f"Find the slots or workers that the queue waits for. Until then set {limit.named} to {proposed}, "
                f"{limits.room:g} times the 99th percentile: at most {ended} tries a week are spared. The risk: a try that is "
                f"really lost is noticed {wording.span(proposed - limit.value)} later.",
                rank=float(ended),
            )
        )
        return verdicts
