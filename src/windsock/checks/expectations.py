"""What is expected of each table, as a list: which rows are bad, why, and how many of them stop the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from windsock.schema import STATES, TABLES


@dataclass(frozen=True, slots=True)
class Expectation:
    """Rows of `table` for which `bad` (SQL) is true, as a share of the week's rows, stay at or below `max_share`."""

    name: str
    table: str
    bad: str
    why: str
    severity: Literal["fail", "warn"] = "fail"
    max_share: float = 0.0  # fraction of the week's rows


def _missing(*columns: str) -> str:
    return " or ".join(f"{column} is null or {column} = ''" for column in columns)


def _negative(*columns: str) -> str:
    return " or ".join(f"coalesce({column} < 0, false)" for column in columns)


_KNOWN_STATE = "state is not null and state not in (" + ", ".join(f"'{state}'" for state in STATES) + ")"
_IDS = _missing("dag_id", "run_id", "task_id")
_BACKWARDS = "coalesce(ended_at < started_at, false)"

EXPECTATIONS: tuple[Expectation, ...] = (
    Expectation("task_logs_have_ids", "task_logs", _IDS, "an attempt without its ids"),
    Expectation("task_logs_have_try", "task_logs", "try_number is null or try_number < 0", "no try_number"),
    Expectation(
        "task_logs_state",
        "task_logs",
        f"state is null or {_KNOWN_STATE}",
        "a state that Airflow does not have",
    ),
    Expectation(
        "task_logs_counts",
        "task_logs",
        _negative("record_count", "error_count", "log_bytes"),
        "a negative count",
    ),
    Expectation("task_logs_times", "task_logs", _BACKWARDS, "ended before it started", "warn"),
    Expectation("task_logs_dated", "task_logs", "started_at is null", "no readable start time", "warn", 0.02),
    Expectation(
        "task_logs_decided", "task_logs", "state = 'unknown'", "no ending could be read", "warn", 0.05
    ),
    Expectation("task_instances_have_ids", "task_instances", _IDS, "a try without its ids"),
    Expectation("task_instances_state", "task_instances", _KNOWN_STATE, "a state that Airflow does not have"),
    Expectation("task_instances_times", "task_instances", _BACKWARDS, "ended before it started", "warn"),
    Expectation("dag_runs_have_ids", "dag_runs", _missing("dag_id", "run_id"), "a run without its ids"),
    Expectation(
        "component_events_event",
        "component_events",
        _missing("event"),
        "an event without its kind",
    ),
    Expectation(
        "component_events_component",
        "component_events",
        _missing("component"),
        "an event that nobody told",
        "warn",
        0.01,
    ),
    Expectation("dag_runs_times", "dag_runs", _BACKWARDS, "ended before it started", "warn"),
    Expectation(
        "log_events_level", "log_events", _missing("level"), "a record without its level", "warn", 0.01
    ),
    Expectation(
        "import_errors_message", "import_errors", _missing("message"), "an error without words", "warn"
    ),
    Expectation("deployments_value", "deployments", _missing("value"), "a fact without its value", "warn"),
    Expectation("log_events_have_ids", "log_events", _IDS, "a record without its ids"),
    Expectation(
        "log_events_order", "log_events", "record_no is null or record_no < 0", "a record without its place"
    ),
    Expectation(
        "parse_samples_value",
        "parse_samples",
        "parse_s is null or not isfinite(parse_s) or parse_s < 0",
        "a parse time that is no duration",
    ),
    Expectation(
        "parse_samples_unit",
        "parse_samples",
        "isfinite(parse_s) and parse_s > 3600",
        "over an hour: milliseconds?",
        "warn",
    ),
    Expectation("parse_samples_file", "parse_samples", _missing("dag_file"), "a parse time without its file"),
    Expectation("pool_samples_pool", "pool_samples", _missing("pool"), "a pool without its name"),
    Expectation(
        "pool_samples_slots",
        "pool_samples",
        _negative("running_slots", "queued_slots"),
        "negative slots",
        "warn",
    ),
    Expectation("metric_samples_name", "metric_samples", _missing("name"), "a series without its name"),
    Expectation(
        "metric_samples_value",
        "metric_samples",
        "value is null or not isfinite(value)",
        "no finite value",
        "warn",
        0.01,
    ),
    Expectation(
        "import_errors_file", "import_errors", _missing("dag_file"), "an import error without its file"
    ),
    Expectation("dag_tasks_ids", "dag_tasks", _missing("dag_id", "task_id"), "a task without its ids"),
    Expectation(
        "dag_tasks_times",
        "dag_tasks",
        "coalesce(end_date < start_date, false)",
        "a task that ends before it begins",
        "warn",
    ),
    Expectation("deployments_key", "deployments", _missing("key"), "a fact without its name"),
    Expectation(
        "objects_outcome",
        "objects",
        "outcome is null or object_url is null",
        "a ledger row without its outcome",
    ),
    Expectation(
        "objects_readable", "objects", "outcome = 'reject'", "objects that could not be read", "warn", 0.01
    ),
    *(
        Expectation(f"{table.name}_unique", table.name, "repeats > 0", "a row stored twice under one key")
        for table in TABLES.values()
        if table.name not in ("metric_samples", "deployments", "import_errors")
    ),
)
