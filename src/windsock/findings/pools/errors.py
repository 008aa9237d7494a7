"""What is shared by rules that must not advise more slots where tries fail more often when their pool is fuller."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from windsock.findings.methods.occupancy_errors import trend_z, without_largest
from windsock.findings.rule import rows_of
from windsock.model import Answer, Row

MIN_FAILURES = 20  # fewer are an evening's trouble
MIN_HOURS = 10  # with failures; fewer witnesses make no trend
MIN_Z = 3.0  # chance of about 1 in 700 by luck alone, one-sided
MIN_RATIO = 1.5  # of the rates in the fuller and the emptier half: less is too little to hold slots back for


@dataclass(frozen=True, slots=True)
class Rise:
    """Tries of a pool fail more often when it is fuller. Rates are fractions, of tasks that failed at least once."""

    z: float
    full_rate: float
    calm_rate: float
    tries: int
    failures: int


def rises(answers: Mapping[str, Answer]) -> dict[str, Rise]:
    """The pools in which failing rises with occupancy."""
    hours: dict[str, list[Row]] = defaultdict(list)
    for row in rows_of(answers, "pool_errors_by_hour"):
        hours[row["pool"]].append(row)
    found = {pool: _rise(rows) for pool, rows in sorted(hours.items())}
    return {pool: one for pool, one in found.items() if one is not None}


def judged_pools(answers: Mapping[str, Answer]) -> tuple[int, int]:
    """How many pools have enough failures for the test, and how many have not."""
    hours: dict[str, list[Row]] = defaultdict(list)
    for row in rows_of(answers, "pool_errors_by_hour"):
        hours[row["pool"]].append(row)
    enough = sum(_is_enough(rows) for rows in hours.values())
    return enough, len(hours) - enough


def is_checked(answers: Mapping[str, Answer], pool: str) -> bool:
    """Whether enough tries of a pool failed to tell if they do so more often when it is fuller."""
    rows = [row for row in rows_of(answers, "pool_errors_by_hour") if row["pool"] == pool]
    full, tries = (sum(row[name] for row in rows) for name in ("full_tries", "tries"))
    return _is_enough(rows) and 0 < full < tries


def _is_enough(rows: list[Row]) -> bool:
    failures = sum(row["failures"] for row in rows)
    return bool(failures >= MIN_FAILURES) and sum(row["failures"] > 0 for row in rows) >= MIN_HOURS


def _rise(rows: list[Row]) -> Rise | None:
    if not _is_enough(rows):
        return None
    tries, failures, full, full_failures = (
        sum(row[name] for row in rows) for name in ("tries", "failures", "full_tries", "full_failures")
    )
    if not full or full == tries:
        return None
    full_rate, calm_rate = full_failures / full, (failures - full_failures) / (tries - full)
    scores = [float(row["score"]) for row in rows]
    z = trend_z(scores)
    if min(z, trend_z(without_largest(scores))) < MIN_Z or full_rate < MIN_RATIO * calm_rate:
        return None
    return Rise(z, full_rate, calm_rate, int(tries), int(failures))
