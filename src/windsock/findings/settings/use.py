"""How the week stood against each setting: at its limit, never reached, harmful, and by which figures.

`at the limit`: it held work back, or ended it. `never reached`: use stayed below half of it. `harmful`: it works against
another setting. `no effect`: another one stands before it. `in use`: none of these. `not known`: no input tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from windsock.findings import wording
from windsock.findings.held_settings import shown
from windsock.findings.parsing.one_pass import week_pass
from windsock.findings.rule import rows_of
from windsock.model import Answer, Row

AT_LIMIT, NEVER, HARMFUL, NO_EFFECT, IN_USE, UNKNOWN = (
    "at the limit",
    "never reached",
    "harmful",
    "no effect",
    "in use",
    "not known",
)
LITTLE = 0.5  # of a limit: use that stays below it never came near
QUESTIONS = ("peaks_by_week", "executor_load_by_hour", "limit_hits", "queue_times", "parse_load_by_file", "parse_settings",
             "parse_kills_by_file", "parse_time_by_file", "heartbeats_by_component", "heartbeat_gaps", "killed_tries",
             "pool_full_share", "timeouts", "retry_economics", "paused_dags")  # fmt: skip
"""What it reads, beside the waiting by limit."""
Numbers = Mapping[str, float | None]
Use = tuple[str, str]
Answers = Mapping[str, Answer]


def used(name: str, held: Numbers, answers: Answers) -> Use:
    """What the week says of one setting, and the figures as a clause."""
    return _USES[name](held, answers) if name in _USES else (UNKNOWN, "")


def peaks(answers: Answers, grain: str) -> list[Row]:
    """The weeks' peaks of one grain, oldest first."""
    return [row for row in rows_of(answers, "peaks_by_week") if row["grain"] == grain]


def full_minutes(answers: Answers) -> tuple[int, int]:
    """Minutes in which no executor slot was open, and minutes seen."""
    rows = rows_of(answers, "executor_load_by_hour")
    return sum(row["full_minutes"] for row in rows), sum(row["minutes"] for row in rows)


def hits(answers: Answers, *events: str) -> int:
    """Tries that a time limit ended or queued again."""
    return sum(row["tries"] for row in rows_of(answers, "limit_hits") if row["event"] in events)


def _against(peak: float, limit: float | None, told: str) -> Use:
    if limit is None:
        return IN_USE, told
    return (NEVER if peak <= LITTLE * limit else IN_USE), told


def _parallelism(held: Numbers, answers: Answers) -> Use:
    full, seen = full_minutes(answers)
    if full:
        return AT_LIMIT, f"no slot open in {wording.percent(full / seen)} of the minutes seen"
    weeks = peaks(answers, "deployment")
    if not weeks:
        return UNKNOWN, ""
    peak = max(row["peak"] for row in weeks)
    return _against(
        peak, held["parallelism"], f"at most {peak} at once in {wording.plural(len(weeks), 'week')}"
    )


def _waited(limit: str, name: str, grain: str, what: str) -> Callable[[Numbers, Answers], Use]:
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
        return _against(peak, held[name], f"at most {peak} {what} at once this week")

    return use


def _tasks(held: Numbers, answers: Answers) -> Use:
    """Counted over a DAG in Airflow 2, within a run in Airflow 3."""
    version = next(
        (
            str(row["airflow_version"] or row["major_version"] or "")
            for row in rows_of(answers, "airflow_seen")
        ),
        "",
    )
    is_per_run = version.lstrip("v").startswith("3")
    grain, what = ("run", "tasks of a run") if is_per_run else ("dag", "tasks of a DAG")
    return _waited("max_active_tasks", "max_active_tasks_per_dag", grain, what)(held, answers)


def _kills(kind: str) -> Callable[[Numbers, Answers], Use]:
    """Of timeouts of parsing: files that it ended, else the slowest file."""
    name = {"import_timeout": "dagbag_import_timeout", "processor_timeout": "dag_file_processor_timeout"}[
        kind
    ]

    def use(held: Numbers, answers: Answers) -> Use:
        limit, other = held[name], held.get("dagbag_import_timeout")
        if kind == "processor_timeout" and limit is not None and other is not None and limit <= other:
            return HARMFUL, f"not above dagbag_import_timeout ({shown(other)} s)"
        killed = [
            row for row in rows_of(answers, "parse_kills_by_file") if row["kind"] == kind and row["kills"]
        ]
        if killed:
            return AT_LIMIT, f"ended {wording.plural(sum(row['kills'] for row in killed), 'parse')}"
        slowest = max((row["p95_s"] for row in rows_of(answers, "parse_time_by_file")), default=None)
        if slowest is None:
            return UNKNOWN, ""
        return _against(
            slowest, limit, f"the slowest file takes {wording.seconds(slowest)} (95th percentile)"
        )

    return use


def _interval(held: Numbers, answers: Answers) -> Use:
    whole, interval_s = week_pass(answers), held["min_file_process_interval"]
    if whole is None or interval_s is None:
        return UNKNOWN, ""
    told = f"one pass over {wording.plural(whole.files, 'file')} takes {wording.seconds(whole.cycle_s)}"
    return (NO_EFFECT if whole.cycle_s > interval_s else IN_USE), told


def _processes(held: Numbers, answers: Answers) -> Use:
    whole, interval_s = week_pass(answers), held["min_file_process_interval"]
    if whole is None or interval_s is None:
        return UNKNOWN, ""
    busy = whole.parse_s / max(interval_s, whole.cycle_s)
    told = f"{busy:.1f} processes busy in the mean"
    return (AT_LIMIT, told) if whole.cycle_s > interval_s else _against(busy, held["parsing_processes"], told)


SILENT_RATIO = 3.0  # as WS530 and the health table take a silence


def _health(held: Numbers, answers: Answers) -> Use:
    limit, beat = held["scheduler_health_check_threshold"], held.get("scheduler_heartbeat_sec")
    if limit is not None and beat is not None and limit <= beat:
        return HARMFUL, f"not above scheduler_heartbeat_sec ({shown(beat)} s)"
    if not any(row["component"] == "scheduler" for row in rows_of(answers, "heartbeats_by_component")):
        return UNKNOWN, ""
    gaps = [
        row["gap_s"]
        for row in rows_of(answers, "heartbeat_gaps")
        if row["component"] == "scheduler"
        and row["seen_minutes"]
        # snapshots minutes apart cannot show a shorter silence than they are apart
        and row["gap_s"] > max(limit or 0, SILENT_RATIO * row["usual_gap_s"])
    ]
    if gaps:
        return AT_LIMIT, f"{wording.plural(len(gaps), 'silence')}, the longest {wording.span(max(gaps))}"
    return IN_USE, "no silence of more than a minute"


def _heartbeat(held: Numbers, answers: Answers) -> Use:
    killed = hits(answers, "heartbeat_timeout")
    logged = sum(
        row["tries"] for row in rows_of(answers, "killed_tries") if row["state_reason"] == "heartbeat"
    )
    if killed or logged:
        return AT_LIMIT, f"{wording.plural(max(killed, logged), 'try')} failed by it"
    return (IN_USE, "no try failed by it") if peaks(answers, "deployment") else (UNKNOWN, "")


def _default_pool(held: Numbers, answers: Answers) -> Use:
    row = next((row for row in rows_of(answers, "pool_full_share") if row["pool"] == "default_pool"), None)
    if row is None or row["total_slots"] is None:
        return UNKNOWN, ""
    if row["total_slots"] != held["default_pool_task_slot_count"]:
        return NO_EFFECT, f"default_pool has {row['total_slots']} slots"
    if row["full_share"]:
        return AT_LIMIT, f"full in {wording.percent(row['full_share'])} of its busy hours"
    return _against(row["peak_slots"] or 0, row["total_slots"], f"at most {row['peak_slots']} slots taken")


def _execution(held: Numbers, answers: Answers) -> Use:
    if not peaks(answers, "deployment"):
        return UNKNOWN, ""
    ended = sum(row["timeouts"] for row in rows_of(answers, "timeouts") if row["kind"] == "execution_timeout")
    told = (
        f"{wording.plural(ended, 'try')} ended by an execution_timeout"
        if ended
        else "no try ended by an execution_timeout"
    )
    return (AT_LIMIT if ended else IN_USE), told


def _retries(held: Numbers, answers: Answers) -> Use:
    rows = rows_of(answers, "retry_economics")
    failed, saved = (sum(row[name] for row in rows) for name in ("failed_first", "saved"))
    return (
        (IN_USE, f"retries saved {saved:,} of {failed:,} failed first tries in nine weeks")
        if failed
        else (UNKNOWN, "")
    )


def _consecutive(held: Numbers, answers: Answers) -> Use:
    if not peaks(answers, "deployment"):
        return UNKNOWN, ""
    paused = sum(bool(row["is_auto"]) for row in rows_of(answers, "paused_dags"))
    return (
        (AT_LIMIT, f"{wording.plural(paused, 'DAG')} paused by it")
        if paused
        else (IN_USE, "no DAG paused by it")
    )


def _queued(held: Numbers, answers: Answers) -> Use:
    if ended := hits(answers, "stuck_in_queued", "queue_timeout"):
        return AT_LIMIT, f"{wording.plural(ended, 'try')} queued again or failed by it"
    row = next(iter(rows_of(answers, "queue_times")), None)
    if row is None or not row["tries"]:
        return UNKNOWN, ""
    return _against(
        row["longest_s"],
        held["task_queued_timeout"],
        f"the longest in the queue {wording.span(row['longest_s'])}",
    )


def _per_query(held: Numbers, answers: Answers) -> Use:
    most, slots = held["max_tis_per_query"], held.get("parallelism")
    if most is not None and slots is not None and most > slots > 0:
        return NO_EFFECT, f"never more than parallelism ({shown(slots)})"
    return UNKNOWN, ""


def _concurrency(held: Numbers, answers: Answers) -> Use:
    hosts = peaks(answers, "host")
    if not hosts:
        return UNKNOWN, ""
    limit, peak = held["worker_concurrency"], hosts[-1]["peak"]
    told = f"at most {peak} at once on a host"
    return (AT_LIMIT, told) if limit is not None and peak >= limit else _against(peak, limit, told)


_USES: Mapping[str, Callable[[Numbers, Answers], Use]] = {
    "parallelism": _parallelism,
    "max_active_tasks_per_dag": _tasks,
    "max_active_runs_per_dag": _waited(
        "max_active_runs", "max_active_runs_per_dag", "dag_runs", "runs of a DAG"
    ),
    "max_active_tis_per_dag": _waited(
        "max_active_tis_per_dag", "max_active_tis_per_dag", "task", "instances of a task"
    ),
    "dagbag_import_timeout": _kills("import_timeout"),
    "dag_file_processor_timeout": _kills("processor_timeout"),
    "min_file_process_interval": _interval,
    "parsing_processes": _processes,
    "scheduler_health_check_threshold": _health,
    "task_heartbeat_timeout": _heartbeat,
    "default_pool_task_slot_count": _default_pool,
    "default_task_execution_timeout": _execution,
    "default_task_retries": _retries,
    "max_consecutive_failed_dag_runs_per_dag": _consecutive,
    "task_queued_timeout": _queued,
    "max_tis_per_query": _per_query,
    "worker_concurrency": _concurrency,
}
