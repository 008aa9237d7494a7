"""How the week stood against the limits of tasks, runs and DAGs."""

from __future__ import annotations

from collections.abc import Callable

from windsock.findings import wording
from windsock.findings.held_settings import shown
from windsock.findings.limit_cures import worker_hosts
from windsock.findings.rule import rows_of
from windsock.findings.settings.told import (
    AT_LIMIT,
    IN_CODE,
    IN_USE,
    MUCH,
    NO_EFFECT,
    OFF,
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
             "retry_economics", "paused_dags", "work_by_worker")  # fmt: skip


def parallelism(held: Numbers, answers: Answers) -> Use:
    full, seen = full_minutes(answers)
    if full:
        return AT_LIMIT, f"no slot open in {wording.percent(full / seen)} of the minutes seen"
    weeks = peaks(answers, "deployment")
    if not weeks:
        return UNKNOWN, ""
    peak, limit = max(row["peak"] for row in weeks), held["parallelism"]
    told = f"at most {peak} at once in {wording.plural(len(weeks), 'week')}"
    if limit == 0:
        return OFF, f"without a limit, {told}"
    return against(peak, limit, told, why="each scheduler has the limit for itself")


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
        why = f"DAGs with a {limit} of their own have that"
        return against(peak, held[name], f"at most {peak} {what} at once this week", why=why)

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
    if held["default_task_execution_timeout"] is not None or not peaks(answers, "deployment"):
        return _ended("execution_timeout", "try", answers)
    ended = _timeouts("execution_timeout", answers)
    if ended:
        return OFF, f"{wording.plural(ended, 'try')} ended by an execution_timeout of their own"
    return OFF, "tasks without an execution_timeout of their own run without end"


def _timeouts(kind: str, answers: Answers) -> int:
    return sum(row["timeouts"] for row in rows_of(answers, "timeouts") if row["kind"] == kind)


def _ended(kind: str, what: str, answers: Answers) -> Use:
    """Of timeouts: what they ended."""
    if not peaks(answers, "deployment"):
        return UNKNOWN, ""
    ended = _timeouts(kind, answers)
    article = "an" if kind[0] in "aeiou" else "a"
    if not ended:
        return IN_USE, f"no {what} ended by {article} {kind}"
    return AT_LIMIT, f"{wording.plural(ended, what)} ended by {article} {kind}"


def retries(held: Numbers, answers: Answers) -> Use:
    rows = rows_of(answers, "retry_economics")
    failed, saved = (sum(row[name] for row in rows) for name in ("failed_first", "saved"))
    if not failed:
        return UNKNOWN, ""
    told = f"retries saved {saved:,} of {failed:,} failed first tries in nine weeks"
    return (IN_USE, told) if held["default_task_retries"] else (OFF, f"tasks' own {told}")


def consecutive(held: Numbers, answers: Answers) -> Use:
    if not peaks(answers, "deployment"):
        return UNKNOWN, ""
    paused = sum(bool(row["is_auto"]) for row in rows_of(answers, "paused_dags"))
    if not held["max_consecutive_failed_dag_runs_per_dag"]:
        own = f"{wording.plural(paused, 'DAG')} paused by a limit of its own"
        return OFF, own if paused else "no DAG pauses itself, however often it fails"
    if paused:
        return AT_LIMIT, f"{wording.plural(paused, 'DAG')} paused by it"
    return IN_USE, "no DAG paused by it"


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
    told = f"at most {peak} at once on a host{_places(held, answers)}"
    if limit is not None and limit <= peak <= MUCH * limit:
        return AT_LIMIT, told
    return against(peak, limit, told)


def _places(held: Numbers, answers: Answers) -> str:
    """Hosts x concurrency beside what the schedulers let in: the smaller one is the limit of the deployment."""
    hosts, each, slots = worker_hosts(answers), held["worker_concurrency"], held.get("parallelism")
    if not hosts or not each or not slots:
        return ""
    only = "only " if slots < hosts * each else ""
    return f"; {wording.plural(hosts, 'host')} x {shown(each)} are {shown(hosts * each)} places, parallelism lets {only}{shown(slots)} in"


def run_timeout(held: Numbers, answers: Answers) -> Use:
    word, told = _ended("dagrun_timeout", "run", answers)
    return (UNKNOWN, f"{told}; {IN_CODE}") if word == IN_USE else (word, told)


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
    if not rows:
        return UNKNOWN, ""
    return (
        IN_USE if held["default_deferrable"] else OFF
    ), f"sensors that poke held {wording.hours(hours)} of slots"
