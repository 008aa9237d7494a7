"""Is the data fit to judge? DuckDB measures each table per week, Great Expectations asserts on the small frame.

That shape (measure, then assert) keeps memory bounded and survives changes of Great Expectations, whose own DuckDB
datasource does not work (docs/decisions.md). Its import costs seconds, so it happens inside `check` and nowhere else.
`fail` stops the run before anything is judged; `warn` goes on and becomes a finding of the WS9xx family.
"""

from __future__ import annotations

import difflib
import logging
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import duckdb

from windsock.errors import CheckError, ConfigError
from windsock.schema import TABLES, Table
from windsock.week import Week

STATES = [
    "success",
    "failed",
    "up_for_retry",
    "skipped",
    "deferred",
    "up_for_reschedule",
    "upstream_failed",
    "removed",
    "restarting",
    "scheduled",
    "queued",
    "running",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Expectation:
    """Rows of `table` for which `bad` (SQL) is true, as a share of the week's rows, stay at or below `max_share`."""

    name: str
    table: str
    bad: str
    why: str
    severity: Literal["fail", "warn"] = "fail"
    max_share: float = 0.0  # fraction of the week's rows


@dataclass(frozen=True, slots=True)
class Broken:
    """An expectation that did not hold: where, how many, and up to three of the rows."""

    expectation: Expectation
    week: str
    rows: int
    bad_rows: int
    examples: tuple[Mapping[str, Any], ...]

    def sentence(self) -> str:
        """What, where, how many, and which rows."""
        shown = "; ".join(", ".join(f"{k}={_short(v)}" for k, v in row.items()) for row in self.examples)
        what = f"{self.expectation.table}, week {self.week}: {self.bad_rows} of {self.rows} rows: {self.expectation.why}"
        return f"{what} (for example {shown})" if shown else what


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All expectations over the weeks in view."""

    checked: int
    failures: tuple[Broken, ...]
    warnings: tuple[Broken, ...]

    def raise_for_failures(self, lake_url: str) -> None:
        """Stop with status 2 when the data are not fit to judge."""
        if self.failures:
            first, more = self.failures[0], len(self.failures) - 1
            tail = f" (and {more} more failed checks)" if more else ""
            raise CheckError(
                f"{lake_url}: {first.sentence()}{tail}; "
                "mend the source or read it again with `windsock pull PIPELINE --reread`"
            )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


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


def validate_shares(shares: Mapping[str, float]) -> None:
    """Refuse an override of a check that does not exist, or that is no share."""
    known = [one.name for one in EXPECTATIONS]
    for name, share in shares.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
            raise ConfigError(f"[checks] has no check '{name}'; {hint}")
        if not 0 <= share <= 1:
            raise ConfigError(f"[checks] {name} is {share:g}; it is the share of bad rows allowed, 0 to 1")


def check(
    conn: duckdb.DuckDBPyConnection, *, week: Week, shares: Mapping[str, float] | None = None
) -> CheckReport:
    """Measure every table for `week`, assert, and explain what does not hold.

    `shares` holds other limits by check name: the fraction of bad rows that is let through.
    """
    broken: list[Broken] = []
    wanted = [replace(one, max_share=(shares or {}).get(one.name, one.max_share)) for one in EXPECTATIONS]
    for table in TABLES.values():
        expectations = [one for one in wanted if one.table == table.name]
        measured = _measure(conn, table, expectations, week)
        if measured["row_count"] == 0:
            continue
        for name in _unmet(table.name, measured, expectations):
            expectation = next(one for one in expectations if one.name == name)
            examples = _examples(conn, table, expectation, week)
            broken.append(
                Broken(expectation, str(week), measured["row_count"], int(measured[f"bad_{name}"]), examples)
            )
    return CheckReport(
        checked=len(EXPECTATIONS),
        failures=tuple(one for one in broken if one.expectation.severity == "fail"),
        warnings=tuple(one for one in broken if one.expectation.severity == "warn"),
    )


def _rows_of_week(table: Table, week: Week) -> str:
    """The week's rows with `repeats`: how many earlier rows have the same key."""
    key = ", ".join(table.sort_key)
    # a log without a readable start lies in the week of its object (DESIGN 3), and is what a check looks for
    anchor = "coalesce(started_at, object_modified_at)" if table.name == "task_logs" else table.anchor
    return (
        f"(select *, row_number() over (partition by {key} order by object_url) - 1 as repeats from {table.name} "
        f"where {anchor} >= timestamptz '{week.from_at.isoformat()}' "
        f"and {anchor} < timestamptz '{week.to_at.isoformat()}') as rows_of_week"
    )


def _measure(
    conn: duckdb.DuckDBPyConnection, table: Table, expectations: list[Expectation], week: Week
) -> dict[str, int]:
    columns = ["count(*) as row_count"]
    columns += [f"count(*) filter (where {one.bad}) as bad_{one.name}" for one in expectations]
    cursor = conn.execute(f"select {', '.join(columns)} from {_rows_of_week(table, week)}")
    names = [column[0] for column in cursor.description or ()]
    (values,) = cursor.fetchall()
    return dict(zip(names, (int(value) for value in values), strict=True))


def _examples(
    conn: duckdb.DuckDBPyConnection, table: Table, expectation: Expectation, week: Week
) -> tuple[dict[str, Any], ...]:
    shown = dict.fromkeys((*table.sort_key, "object_url"))
    columns = ", ".join(f"cast({name} as varchar) as {name}" for name in shown)
    sql = f"select {columns} from {_rows_of_week(table, week)} where {expectation.bad} order by all limit 3"
    return tuple(dict(zip(shown, row, strict=True)) for row in conn.execute(sql).fetchall())


def _unmet(table: str, measured: Mapping[str, int], expectations: list[Expectation]) -> list[str]:
    """The names of the expectations that Great Expectations found unmet on the one-row frame of measures."""
    gx, gxe, pandas = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    frame = pandas.DataFrame([measured])
    asset = context.data_sources.add_pandas("windsock").add_dataframe_asset(table)
    batch = asset.add_batch_definition_whole_dataframe("week")
    suite = context.suites.add(
        gx.ExpectationSuite(
            name=table,
            expectations=[
                gxe.ExpectColumnValuesToBeBetween(
                    column=f"bad_{one.name}",
                    max_value=one.max_share * measured["row_count"],
                    meta={"name": one.name},
                )
                for one in expectations
            ],
        )
    )
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(name=table, data=batch, suite=suite)
    )
    result = validation.run(batch_parameters={"dataframe": frame})
    unmet = {one.expectation_config.meta["name"] for one in result.results if not one.success}
    return [one.name for one in expectations if one.name in unmet]


def _great_expectations() -> tuple[Any, Any, Any]:
    """The late import: seconds of CPU that only `check` and `run` should pay. Analytics stay off."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import great_expectations.expectations as gxe
        import pandas
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return gx, gxe, pandas
