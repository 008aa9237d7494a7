"""Where what a task waits for, deferred or rescheduled, is what makes runs late or long. Read by WS402 and WS403."""

from __future__ import annotations

from collections.abc import Mapping

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.model import Answer

OF_LONGER = 0.5
"""Of what runs take longer: the least that one task's longer time away has to explain."""


def by_waiting(answers: Mapping[str, Answer], dag_id: str, longer_s: float) -> str:
    """What to do where one task's time away grew by at least half of `longer_s`, by the answer to `time_away_by_task`; else nothing."""
    grown = [
        (row["away_s"] - row["away_prev_s"], row)
        for row in rows_of(answers, "time_away_by_task")
        if row["dag_id"] == dag_id and row["away_s"] is not None and row["away_prev_s"] is not None
    ]
    more, row = max(grown, key=lambda one: (one[0], one[1]["task_id"]), default=(0.0, {}))
    if longer_s <= 0 or more < OF_LONGER * longer_s:
        return ""
    what = "deferred" if row["deferred_hours"] >= row["rescheduled_hours"] else "rescheduled"
    return (
        f"{row['task_id']} stayed {what} for {wording.span(row['away_s'])} in the median ({wording.span(row['away_prev_s'])} "
        "before): no work of its own. Look at what it waits for, and that a triggerer has room."
        if what == "deferred"
        else f"{row['task_id']} was away for {wording.span(row['away_s'])} in the median ({wording.span(row['away_prev_s'])} before) "
        "between its pokes: no work of its own. Look at what it waits for."
    )
