"""Nine weeks of waiting, limit by limit: what changed since last week, and against the habit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from windsock.findings.methods.week_amounts import judge_weeks
from windsock.findings.rule import rows_of
from windsock.findings.waiting.answer import OWN, REST
from windsock.findings.waiting.layers import POOL, RUNS, SCHEDULER
from windsock.model import Answer, Row
from windsock.week import Week

TRENDS = "waiting_trends"
TITLE = "How did the waiting for each limit change since last week, and against the eight weeks before?"
WEEKS = 8
"""Weeks before the report's that make the habit."""
BASIS = ("try_waits", "run_waits")
"""Of a week's questions, the two of which one must tell something, else the week compares with none."""
COLUMNS = ("scope", "dag_id", "pool", "waits_for", "wait_hours", "prev_hours", "usual_hours", "weeks_before", "change", "p_value",
           "hours_by_week")  # fmt: skip
LEAST_KNOWN = 0.8
"""Of this week's share of tries with a ready time: a week that knows clearly less does not compare."""
MOST_UNATTRIBUTED = 0.2
"""Of a week's waiting: where more is not explained, no waiting for a limit that nobody told may be hidden in it."""

Key = tuple[str, str, str]
"""Scope, whose, limit."""


@dataclass(frozen=True, slots=True)
class WaitingWeek:
    """One week's waiting, as little of it as a comparison needs."""

    hours: Mapping[Key, float]
    told: frozenset[Key]  # limits whose value was known, also those that nobody waited for
    present: frozenset[tuple[str, str]]  # scope and name of what ran
    known: float  # share of tries with a ready time
    runs: int

    @classmethod
    def of(cls, asked: Mapping[str, Answer], made: Mapping[str, Answer]) -> WaitingWeek:
        """From the answers of the week's questions, and from what `waiting_answers` made of them."""
        rows = rows_of(made, "waiting_by_limit")
        tries = [row for row in rows_of(asked, "try_waits") if row["tries"]]
        runs = rows_of(asked, "run_waits")
        seen = rows_of(made, "waiting_seen")[0]
        present = {("dag", row["dag_id"]) for row in [*tries, *runs]} | {
            ("pool", row["pool"]) for row in tries
        }
        return cls(
            {_key(row): row["hours"] for row in rows},
            frozenset(_key(row) for row in rows if row["told_by"]) | _told(asked),
            frozenset({*present, ("all", "")}),
            (seen["ready_told"] + seen["ready_rebuilt"]) / seen["tries"] if seen["tries"] else 0.0,
            seen["runs"],
        )

    @classmethod
    def untold(cls, basis: Mapping[str, Answer]) -> WaitingWeek | None:
        """The week in which no try has a ready time and no run is told: all its values are None, whatever else was asked.
        None where `BASIS` tells of either. Most weeks of a lake that has task logs alone, or is new, are such."""
        ready = any(row["ready_told"] + row["ready_rebuilt"] for row in rows_of(basis, "try_waits"))
        return None if ready or rows_of(basis, "run_waits") else cls({}, frozenset(), frozenset(), 0.0, 0)

    def value(self, key: Key, *, like: WaitingWeek) -> float | None:
        """Hours waited for a limit; None where this week cannot tell them as well as `like` can."""
        scope, whose, limit = key
        has_tries = limit == RUNS or (self.known > 0 and self.known >= LEAST_KNOWN * like.known)
        has_runs = self.runs > 0 or not (limit == RUNS or (like.runs and limit in (SCHEDULER, REST)))
        if not has_tries or not has_runs or (scope, whose) not in self.present:
            return None
        if key in self.hours or key in self.told:
            return self.hours.get(key, 0.0)
        held = {one: hours for one, hours in self.hours.items() if one[:2] == key[:2] and one[2] not in OWN}
        rest = held.get((scope, whose, REST), 0.0)
        return 0.0 if rest <= MOST_UNATTRIBUTED * sum(held.values()) else None


def waiting_trends(weeks: Sequence[WaitingWeek]) -> Answer:
    """One row per limit of the deployment, of a DAG, of a pool; `weeks` oldest first, the report's last. `change` is worse,
    better, no evidence or not enough data; `hours_by_week` holds all weeks, null where one has no data."""
    now = weeks[-1]
    heard = {key for week in weeks for key in week.hours if key[:2] in now.present and key[2] not in OWN}
    known = {
        key for key in now.told if key[:2] in now.present and key[2] == POOL
    }  # also what nobody waited for
    keys = sorted(heard | known)
    rows: list[Row] = []
    for key in keys:
        hours = [week.value(key, like=now) for week in weeks]
        if not any(hours) and key not in known:
            continue
        moved = judge_weeks(hours)
        scope, whose, limit = key
        dag_id, pool = (whose, "") if scope == "dag" else ("", whose)
        values = (scope, dag_id, pool, limit, hours[-1], moved.previous, moved.usual, moved.weeks, moved.word,
                  moved.p_value, hours)  # fmt: skip
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    rows.sort(
        key=lambda row: (
            row["scope"],
            -(row["wait_hours"] or 0.0),
            row["dag_id"],
            row["pool"],
            row["waits_for"],
        )
    )
    return Answer(TRENDS, COLUMNS, tuple(rows))


def risen_since(
    hours_by_week: Sequence[float | None], many: float, few: float, week: Week
) -> dict[str, datetime]:
    """The first of the weeks in a row with `many` hours, where the week before is known and had at most `few`; of the report's
    week alone no more than the week is known. Hours are oldest first, the report's week last."""
    past = list(reversed(hours_by_week))
    high = list(takewhile(lambda hours: hours is not None and hours >= many, past))
    before = past[len(high)] if len(high) < len(past) else None
    if len(high) < 2 or before is None or before > few:
        return {}
    first = week.minus(len(high) - 1).from_at
    return {"changed_from": first, "changed_to": first + timedelta(days=7)}


def _key(row: Row) -> Key:
    return row["scope"], row["dag_id"] or row["pool"], row["waits_for"]


def _told(asked: Mapping[str, Answer]) -> frozenset[Key]:
    """Limits that would have shown themselves, had anybody waited: pools of known size, executors with gauges."""
    pools = {("pool", row["pool"], POOL) for row in rows_of(asked, "pool_sizes")}
    gauges = {("all", "", "executor")} if rows_of(asked, "executor_minutes") else set[Key]()
    return frozenset(pools | gauges | ({("all", "", POOL)} if pools else set()))
