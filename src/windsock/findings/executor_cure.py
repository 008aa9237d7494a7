"""What cures an executor without open slots: slots, the workers behind them, or neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from windsock.findings import wording
from windsock.findings.how_to_set import in_environment, named
from windsock.findings.limit_cures import Cure, above_use, cure, gain, told_value
from windsock.findings.methods.more_room import LARGEST_FACTOR, SHARE
from windsock.findings.rule import rows_of
from windsock.findings.waiting.layers import EXECUTOR
from windsock.findings.waiting.workers import WORKERS
from windsock.model import Answer, Row


def executor_cure(
    answers: Mapping[str, Answer], executor: str, hours: Sequence[Row], slots: float, growth: float
) -> Cure:
    """Of one executor's week, `slots` of one scheduler; `growth` times as many where nobody tells the demand."""
    setting, told = named(answers, "parallelism"), told_value(answers, "parallelism")
    waits = {row["waits_for"]: row for row in rows_of(answers, "waiting_by_limit") if row["scope"] == "all"}
    workers, full = waits.get(WORKERS), waits.get(EXECUTOR)
    if workers and workers["limit_value"] and workers["hours"] > (full["hours"] if full else 0.0):
        advice, ways = cure(answers, workers, is_per_run=False)
        return f"Its slots are held by tasks that wait for a worker. {advice}", ways
    if not any(row["full_minutes"] for row in hours):
        return (
            f"More slots would not shorten it: {setting} had open ones. See what launches slowly: the scheduler's loop, or "
            "[kubernetes_executor] worker_pods_creation_batch_size where pods run the tasks.",
            {},
        )
    if told is not None and told > slots:
        return above_use(setting, told, slots), {}
    proposed, saved = _proposed(answers, executor, hours, slots, growth, full)
    return (
        f"Raise {setting} of each scheduler from {slots:.0f} to {proposed} ({proposed / slots:.2g} times) and the workers behind it "
        f"together ({named(answers, 'worker_concurrency')} where Celery runs them), or move DAGs out of the fullest hours{saved} "
        f"The risk: {proposed - slots:.0f} more tasks at once for workers, database and what they call.",
        in_environment(answers, "parallelism", proposed, before=slots),
    )


def queued_hours_when_full(hours: Sequence[Row]) -> float:
    """Task-hours in the queue while no slot was open: the queue's mean of an hour over its full minutes."""
    return float(sum((row["queued_mean"] or 0.0) * row["full_minutes"] / 60 for row in hours))


def _proposed(
    answers: Mapping[str, Answer],
    executor: str,
    hours: Sequence[Row],
    slots: float,
    growth: float,
    full: Row | None,
) -> tuple[int, str]:
    """The number, and what it saves as the end of a sentence."""
    if full and full.get("proposed") and full["limit_value"] == slots:
        return int(full["proposed"]), f". {gain(full)}"
    demand = _full_minutes(answers, executor)
    wanted = demand[ceil(SHARE * len(demand)) - 1] if demand else 0.0
    proposed = ceil(min(wanted, LARGEST_FACTOR * slots))
    if proposed > slots:
        queued, saved = (
            sum(min(one - slots, most) for one in demand if one > slots) / 60
            for most in (float("inf"), proposed - slots)
        )
        return proposed, (
            f". In the minutes without an open slot up to {wanted:.0f} were wanted (95th percentile, running and queued): of "
            f"{wording.hours(queued)} in the queue {wording.hours(saved)} would have run."
        )
    queued = queued_hours_when_full(hours)
    gained = (
        f": at most {wording.hours(queued)} in the queue were spent without an open slot." if queued else "."
    )
    return ceil(growth * slots), gained


def _full_minutes(answers: Mapping[str, Answer], executor: str) -> list[float]:
    """Running and queued in each minute without an open slot, the least first."""
    return sorted(
        running + (queued or 0.0)
        for row in rows_of(answers, "executor_minutes")
        if row["executor"] == executor
        for slots, running, queued in zip(
            row["open_slots"], row["running_tasks"], row["queued_tasks"], strict=True
        )
        if slots is not None and slots <= 0 and running is not None
    )
