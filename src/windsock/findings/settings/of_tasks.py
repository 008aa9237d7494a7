"""How the week stood against the limits of tasks, runs and DAGs."""

from __future__ import annotations

from collections.abc import Callable

from windsock.findings import wording
from windsock.findings.held_settings import shown
from windsock.findings.rule import rows_of
from windsock.findings.settings.told import (
    AT_LIMIT,
    IN_USE,
    NO_EFFECT,
    UNKNOWN,
    Answers,
    Numbers,
    Use,
    against,
    full_minutes,
    hits,
    major_version,
    peaks,
)

QUESTIONS = ("peaks_by_week", "executor_load_by_hour", "limit_hits", "queue_times", "pool_full_share", "pool_sensors", "timeouts",
             "retry_economics", "paused_dags")  # fmt: skip


def parallelism(held: Numbers, answers: Answers) -> Use:
    full, seen = full_minutes(answers)
    if full:
        return AT_LIMIT, f"no slot open in {wording.percent(full / seen)} of the minutes seen"
    weeks = peaks(answers, "deployment")
    if not weeks:
        return UNKNOWN, ""
    peak = max(row["peak"] for row in weeks)
    return against(
        peak, held["parallelism"], f"at most {peak} at once in {wording.plural(len(weeks), 'week')}"
    )


def waited_for(limit: str, name: str, grain: str, what: str) -> Callable[[Numbers, Answers], Use]:
    """Of limits of a DAG: hours waited for them, else the highest use that any DAG had."""

    def use(held: Numbers, answers: Answers) -> Use:
        rows = [
            row
            for row in rows_of(answers, "waiting_by_limit")
            if row["scope"] == "dag" and row["waits_for"] == limit and row["hours"] > 0
        ]
        if rows:
            hours, dags = sum(row["hours"] for row in rows), len({row["dag_id"] for row in rows})
            return AT_LIMIT, f"{wording.hours(hours)} waited in {wording.plural(dags, 'DAG')}"
        week = peaks(answers, grain)
        if not week:
            return UNKNOWN, ""
        peak = week[-1]["peak"]
        return against(peak, held[name], f"at most {peak} {what} at once this week")

    return use


def active_tasks(held: Numbers, answers: Answers) -> Use:
    """Counted over a DAG in Airflow 2, within a run in Airflow 3."""
    is_per_run = major_version(answers).startswith("3")
    grain, what = ("run", "tasks of a run") if is_per_run else ("dag", "tasks of a DAG")
    return waited_for("max_active_tasks", "max_active_tasks_per_dag", grain, what)(held, answers)


def default_pool(held: Numbers, answers: Answers) -> Use:
    row = next((row for row in rows_of(answers, "pool_full_share") if row["pool"] == "default_pool"), None)
    if row is None or row["total_slots"] is None:
        return UNKNOWN, ""
    if row["total_slots"] != held["default_pool_task_slot_count"]:
        return NO_EFFECT, f"default_pool has {row['total_slots']} slots"
    if row["full_share"]:
        return AT_LIMIT, f"full in {wording.percent(row['full_share'])} of its busy hours"
    return against(row["peak_slots"] or 0, row["total_slots"], f"at most {row['peak_slots']} slots taken")


def execution_timeout(held: Numbers, answers: Answers) -> Use:
    return _ended("execution_timeout", "try", answers)


def _ended(kind: str, what: str, answers: Answers) -> Use:
    """Of timeouts: what they ended."""
    if not peaks(answers, "deployment"):
        return UNKNOWN, ""
    ended = sum(row["timeouts"] for row in rows_of(answers, "timeouts") if row["kind"] == kind)
    article = "an" if kind[0] in "aeiou" else "a"
    if not ended:
        return IN_USE, f"no {what} ended by {article} {kind}"
    return AT_LIMIT, f"{wording.plural(ended, what)} ended by {article} {kind}"


def retries(held: Numbers, answers: Answers) -> Use:
    rows = rows_of(answers, "retry_economics")
    failed, saved = (sum(row[name] for row in rows) for name in ("failed_first", "saved"))
    return (
        (IN_USE, f"retries saved {saved:,} of {failed:,} failed first tries in nine weeks")
        if failed
        else (UNKNOWN, "")
    )


def consecutive(held: Numbers, answers: Answers) -> Use:
    if not peaks(answers, "deployment"):
        return UNKNOWN, ""
    paused = sum(bool(row["is_auto"]) for row in rows_of(answers, "paused_dags"))
    return (
        (AT_LIMIT, f"{wording.plural(paused, 'DAG')} paused by it")
        if paused
        else (IN_USE, "no DAG paused by it")
    )


def queued_timeout(held: Numbers, answers: Answers) -> Use:
    if ended := hits(answers, "stuck_in_queued", "queue_timeout"):
        return AT_LIMIT, f"{wording.plural(ended, 'try')} queued again or failed by it"
    row = next(iter(rows_of(answers, "queue_times")), None)
    if row is None or not row["tries"]:
        return UNKNOWN, ""
    return against(
        row["longest_s"],
        held["task_queued_timeout"],
        f"the longest in the queue {wording.span(row['longest_s'])}",
    )


def per_query(held: Numbers, answers: Answers) -> Use:
    most, slots = held["max_tis_per_query"], held.get("parallelism")
    if most is not None and slots is not None and most > slots > 0:
        return NO_EFFECT, f"never more than parallelism ({shown(slots)})"
    return UNKNOWN, ""


def concurrency(held: Numbers, answers: Answers) -> Use:
    hosts = peaks(answers, "host")
    if not hosts:
        return UNKNOWN, ""
    limit, peak = held["worker_concurrency"], hosts[-1]["peak"]
    told = f"at most {peak} at once on a host"
    return (AT_LIMIT, told) if limit is not None and peak >= limit else against(peak, limit, told)


def run_timeout(held: Numbers, answers: Answers) -> Use:
    return _ended("dagrun_timeout", "run", answers)


def retry_delay(held: Numbers, answers: Answers) -> Use:
    rows = [row for row in rows_of(answers, "retry_economics") if row["saved"]]
    early, saved = (sum(row[name] for row in rows) for name in ("early", "saved"))
    return (
        (
            IN_USE,
            f"{wording.plural(early, 'retry')} came too early for {saved:,} that a later one saved in nine weeks",
        )
        if rows
        else (UNKNOWN, "")
    )


def deferrable(held: Numbers, answers: Answers) -> Use:
    rows = rows_of(answers, "pool_sensors")
    hours = sum(row["slot_hours"] for row in rows)
    return (IN_USE, f"sensors that poke held {wording.hours(hours)} of slots") if rows else (UNKNOWN, "")
