"""Each pool's week in one row, from its tasks' own times where they are known, else from gauges; and which it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from windsock.findings import wording
from windsock.findings.methods.week_amounts import MIN_WEEKS, judge_weeks
from windsock.findings.pools import options
from windsock.findings.pools.options import Measured
from windsock.findings.rule import rows_of
from windsock.findings.waiting import TRENDS
from windsock.model import Answer, Row
from windsock.week import Week

NAME = "pools_of_week"
TITLE = "How full was each pool this week, how long was it waited for, who filled it, and what tells so?"
QUESTIONS = (*options.QUESTIONS, "pool_users", "pool_wait_by_week")
UNREADY = "task intervals, waiting not told"
COLUMNS = ("pool", "source", "total_slots", "full_share", "full_error_share", "full_share_all", "busy_hours", "p50_slots", "p95_slots",
           "peak_slots", "wait_hours", "dag_ids", "dag_shares", "dag_slots", "deferred_hours", "change", "usual_hours", "hours_by_week",
           "weeks_source")  # fmt: skip
WEEKS = 9
FILLERS = 3  # DAGs named
LEAST_SEEN = 0.5


def pools_of_week(answers: Mapping[str, Answer], week: Week) -> Answer:
    """One row per pool, the longest waiting first. `full_error_share`: half the width of the 95 % interval of `full_share`, 0
    where intervals are exact. `hours_by_week` are nine weeks of waiting from `weeks_source`, null where one has no data."""
    gauges = {row["pool"]: row for row in rows_of(answers, "pool_full_share")}
    # one look at a pool a week, as a weekly pull takes it, says nothing of a week
    found = [
        one
        for one in options.measured(answers)
        if one.source != options.GAUGES or one.row["full_share"] is not None
    ]
    known = {one.pool for one in found}
    found += [
        Measured(row["pool"], UNREADY, int(row["total_slots"]), int(row["tries"]), row)
        for row in rows_of(answers, "pool_occupancy")
        if row["pool"] not in known and row["total_slots"]
    ]
    rows: list[Row] = []
    for one in found:
        row, looked = one.row, gauges.get(one.pool, {})
        error = row.get("full_error_hours", 0.0) if one.source == options.GAUGES else 0.0
        hours, told_by = _weeks(answers, one, week)
        moved = judge_weeks(hours)
        values = (
            one.pool, one.source, one.slots_now, row["full_share"],
            error / row["busy_hours"] if error and row["busy_hours"] else error, row.get("full_share_all"), row["busy_hours"],
            row.get("p50_slots"), row.get("p95_slots"), row.get("peak_slots"),
            None if one.source == UNREADY else options.waited(answers, one), *_filled(answers, one.pool),
            looked.get("deferred_hours"), moved.word, moved.usual, hours, told_by,
        )  # fmt: skip
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    rows.sort(key=lambda row: (-(row["wait_hours"] or 0.0), row["pool"]))
    return Answer(NAME, COLUMNS, tuple(rows))


def fillers(answers: Mapping[str, Answer], pool: str) -> list[str]:
    """The DAGs that held most of a pool's slot hours, wide tasks told apart."""
    return [
        f"{dag_id} {wording.percent(share)}" + (f" ({slots} slots a task)" if slots > 1 else "")
        for dag_id, share, slots in zip(*_filled(answers, pool), strict=True)
    ]


def _filled(answers: Mapping[str, Answer], pool: str) -> tuple[list[str], list[float], list[int]]:
    mine = [row for row in rows_of(answers, "pool_users") if row["pool"] == pool and row["share"]]
    most = sorted(mine, key=lambda row: -row["share"])[:FILLERS]
    return [row["dag_id"] for row in most], [row["share"] for row in most], [row["slots"] for row in most]


def _weeks(answers: Mapping[str, Answer], one: Measured, week: Week) -> tuple[list[float | None], str]:
    """Nine weeks of one kind: intervals where this week has them, unless gauges alone know enough weeks for a habit."""
    exact = next(
        (
            list(row["hours_by_week"])
            for row in rows_of(answers, TRENDS)
            if (row["scope"], row["pool"], row["waits_for"]) == ("pool", one.pool, "pool")
        ),
        [None] * (WEEKS - 1) + [0.0],
    )
    exact = [None] * (WEEKS - len(exact)) + exact
    of_gauges = _gauge_weeks(answers, one.pool, week)
    if one.source in (options.INTERVALS, options.REBUILT) and (
        _count(exact) >= MIN_WEEKS or _count(exact) >= _count(of_gauges)
    ):
        return exact, one.source
    return of_gauges, options.GAUGES if any(hours is not None for hours in of_gauges) else ""


def _count(hours: Sequence[float | None]) -> int:
    """Weeks of the past with data."""
    return sum(one is not None for one in hours[:-1])


def _gauge_weeks(answers: Mapping[str, Answer], pool: str, week: Week) -> list[float | None]:
    """A week that was looked at for less than half as long as this one is a gap."""
    mine = {row["week"]: row for row in rows_of(answers, "pool_wait_by_week") if row["pool"] == pool}
    least = LEAST_SEEN * (mine[week.monday]["seen_hours"] if week.monday in mine else 0.0)
    told: dict[date, float] = {
        day: row["wait_hours"]
        for day, row in mine.items()
        if row["seen_hours"] and row["seen_hours"] >= least
    }
    return [told.get(week.monday - timedelta(weeks=n)) for n in range(WEEKS - 1, -1, -1)]
