"""WS311."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Any

from windsock.findings import wording
from windsock.findings.executor_cure import executor_cure, queued_hours_when_full
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When an executor is too small, or its queue grows."""

    min_full_share: float = threshold(
        0.05, "fraction of the minutes seen", "eight hours a week without an open slot are felt"
    )
    min_hours_seen: float = threshold(24, "hours with gauges", "a day at least, for the daily round")
    min_queue: float = threshold(
        2.0, "tasks queued, mean of the week", "a queue of one is the executor at work"
    )
    min_growth: float = threshold(
        2.0,
        "times the same hours of the weeks before",
        "queues double on a busy day; here the median hour must",
    )
    min_weeks: float = threshold(3, "weeks before", "one odd week is no usual queue")
    growth: float = threshold(
        1.5, "times the slots", "a first step, where neither waits nor a queue tell the demand"
    )


class ExecutorFull(Rule):
    """The executor has no open slot for hours a week, or its queue is longer than in the same hours of earlier weeks.

    What it means: every DAG waits there, whatever its pools and limits are.
    How it is judged: from the executor's gauges, minute by minute, while the scheduler's heartbeat advances: minutes in
    which no slot was open at any look; the queue's mean hour by hour beside the mean of the same weekday and hour in the
    eight weeks before, by the median of those ratios. Gauges are samples: a slot that was open between two looks is not
    seen.
    What to do: raise parallelism with the workers behind it, or move DAGs out of the full hours. The number is that of WS310,
    from the waits themselves, where they are known; else the 95th percentile of running and queued in the full minutes; else a
    first step. Where the slots are held by tasks that wait for a worker (Celery's queue counts as running), the workers are
    too few, and more slots make a longer queue. A queue beside open slots is a slow launch. The risk is that many more tasks at
    once on workers, database and what they call.
    """

    code, name, section = "WS311", "executor-full", "waiting"
    questions = ("executor_load_by_hour", "executor_minutes", "waiting_by_limit", "work_by_worker", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for executor, rows in groupby(
            rows_of(answers, "executor_load_by_hour"), lambda row: str(row["executor"])
        ):
            hours = list(rows)
            if len(hours) < limits.min_hours_seen:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            share = sum(row["full_minutes"] for row in hours) / sum(row["minutes"] for row in hours)
            growth, queue = _growth(hours, limits), _mean_queue(hours)
            has_grown = growth is not None and growth >= limits.min_growth and queue >= limits.min_queue
            if share >= limits.min_full_share or has_grown:
                verdicts.findings.append(
                    cls._of(answers, executor, hours, share, growth if has_grown else None, limits)
                )
        return verdicts

    @classmethod
    def _of(
        cls,
        answers: Mapping[str, Answer],
        executor: str,
        hours: Sequence[Row],
        share: float,
        growth: float | None,
        limits: Limits,
    ) -> Finding:
        name = f"Executor {executor}" if executor else "The executor"
        full_hours = sum(row["full_minutes"] for row in hours) / 60
        slots = max(row["slots"] for row in hours)
        told = []
        if share >= limits.min_full_share:
            told.append(
                f"had no open slot in {wording.percent(share)} of the minutes seen ({wording.hours(full_hours)})"
            )
        if growth is not None:
            told.append(f"had a queue {growth:.1f} times as long as in the same hours of the weeks before")
        fullest = sorted(hours, key=lambda row: (-row["full_minutes"], row["hour_at"]))[:3]
        advice, ways = executor_cure(answers, executor, hours, slots, limits.growth)
        return cls.finding(
            subject={"executor": executor},
            severity="warning",
            headline=f"{name} {' and '.join(told)}",
            evidence={
                "full_share": share,
                "full_hours": full_hours,
                "slots": slots,
                "head_room_slots": slots - max((row["running_most"] or 0) for row in hours),
                "queued_mean": _mean_queue(hours),
                "queue_growth": growth,
                "hours_seen": len(hours),
                "fullest": [wording.moment(row["hour_at"]) for row in fullest if row["full_minutes"]],
                "queued_hours_when_full": queued_hours_when_full(hours),
                **ways,
            },
            advice=advice,
            rank=full_hours,
        )


def _growth(hours: Sequence[Row], limits: Limits) -> float | None:
    """Median of the hours' queues, each against its usual one; a usual queue below one task counts as one."""
    known = [
        row for row in hours if row["weeks_before"] >= limits.min_weeks and row["queued_mean"] is not None
    ]
    if len(known) < limits.min_hours_seen:
        return None
    return float(median(row["queued_mean"] / max(1.0, row["queued_usual"]) for row in known))


def _mean_queue(hours: Sequence[Row]) -> float:
    queues = [row["queued_mean"] for row in hours if row["queued_mean"] is not None]
    return sum(queues) / len(queues) if queues else 0.0
