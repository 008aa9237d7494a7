"""How a task stands: healthy, flaky, broken, silent or unknown, and since when. Read by the report; measured by `task_standing`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from windsock.model import Row

Standing = Literal["healthy", "flaky", "broken", "silent", "unknown"]

BROKEN_ENDS = 3  # all lost since the last success; fewer in a row can be one bad night
FLAKY_ENDS = 2  # saved by a retry or lost, in the week
FLAKY = {"lost": "loses runs", "saved": "saved by retries"}
"""What a flaky task does, and its words."""
SILENT_WEEKS = 4  # weeks with a run before
UNKNOWN_ENDS = (
    2  # of the week, and at least half of all; one beside a known end can be a log that was read too early
)


def standing(row: Row) -> tuple[Standing, datetime | None]:
    """Silent: it ran in four weeks before and not now, while its DAG did. Broken: nothing but failures since a day.
    Flaky: some ends needed a retry or were lost, since
    the last week without such an end. Unknown: nobody knows how half of them ended, since the last week without such a
    one. Healthy is everything else; its date is None.
    """
    if row["no_end"] >= max(row["ended"], UNKNOWN_ENDS if row["ended"] else 1):
        return "unknown", row["no_end_since"]
    if not row["ended"]:
        is_silent = row["weeks_prev"] >= SILENT_WEEKS and row["dag_runs"]
        return ("silent", row["last_at"]) if is_silent else ("healthy", None)
    if row["lost"] == row["ended"] and row["failing_since"] and row["lost"] + row["lost_prev"] >= BROKEN_ENDS:
        return "broken", row["failing_since"]
    if row["lost"] + row["saved"] >= FLAKY_ENDS:
        return "flaky", min((at for at in flaky_since(row).values() if at), default=None)
    return "healthy", None


def flaky_since(row: Row) -> dict[str, datetime | None]:
    """Of `lost` and `saved` those that the task did this week → since when it does in every week."""
    return {name: row[f"{name}_since"] for name in FLAKY if row[name]}
