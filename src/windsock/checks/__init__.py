"""Is the data fit to judge? DuckDB measures each table per week, Great Expectations asserts on the small frame.

That shape (measure, then assert) keeps memory bounded and survives changes of Great Expectations, whose own DuckDB
datasource does not work (docs/decisions.md). Its import costs seconds, so it happens inside `check` and nowhere else.
`fail` stops the run before anything is judged; `warn` goes on and becomes a finding of the WS9xx family.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from windsock.checks.asserting import unmet
from windsock.checks.expectations import EXPECTATIONS, Expectation
from windsock.errors import CheckError, ConfigError
from windsock.schema import TABLES, Table
from windsock.week import Week

__all__ = ["EXPECTATIONS", "Broken", "CheckReport", "Expectation", "check", "validate_shares"]


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
        for name in unmet(table.name, measured, expectations):
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
