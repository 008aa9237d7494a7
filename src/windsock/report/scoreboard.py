"""The scoreboard: nine measures of this week, last week and the median of four, each with its n."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from statistics import median
from typing import Any

from windsock.intervals import bounds
from windsock.model import Answer, Row
from windsock.report.formats import chance, hours, interval, number, plural, seconds, share, size, span
from windsock.report.marks import ALPHA, amount_moved, rate_moved
from windsock.report.page import Mark, Score
from windsock.report.parse_pass import one_pass
from windsock.week import Week

_RATES = (
    ("lost_runs", "Runs lost after all retries", "lost_runs", "runs", "no_end_runs"),
    (
        "first_try_failed_runs",
        "Runs with a failed first try",
        "first_try_failed_runs",
        "runs",
        "no_end_first_runs",
    ),
    ("failures", "Tries that failed", "failures", "tries", "no_end_tries"),
)
_AMOUNTS: tuple[tuple[str, str, Callable[[float | None], str], bool], ...] = (
    ("failed_hours", "Hours spent on failed tries", hours, True),
    ("late_s", "Start after due, 95th percentile", span, True),
    ("wait_hours", "Hours waited for pools", hours, True),
    ("parse_s", "Parsing every DAG file once", seconds, True),
    ("runs", "Runs", number, False),
    ("log_bytes", "Task logs", size, False),
)
_SUMS = ("failed_hours", "wait_hours", "runs", "log_bytes")
_QUESTION = {"late_s": "lateness_by_week", "wait_hours": "pools_of_week", "parse_s": "parse_time_by_week"}
MOST_UNSEEN = 0.1  # of this week's hours of waiting


def scoreboard(answers: Mapping[str, Answer], week: Week, *, is_going_on: bool = False) -> tuple[Score, ...]:
    """Rows in a fixed order; a measure without data says so, and is never zero. The sums of a week that goes on are not
    compared with those of whole weeks."""
    days = [week.minus(n).monday for n in range(8, -1, -1)]
    rows = {row["week"]: row for row in _rows(answers, "scoreboard")}
    late = {row["week"]: row["p95_s"] for row in _rows(answers, "lateness_by_week")}
    extra = {
        "late_s": late,
        "wait_hours": _waits(answers, days),
        "parse_s": one_pass(_rows(answers, "parse_time_by_week"), week),
    }
    scores = [_rate(*spec, [rows.get(day) for day in days]) for spec in _RATES]
    for key, name, form, is_cost in _AMOUNTS:
        source = extra.get(key)
        values = [
            source.get(day) if source is not None else (rows[day][key] if day in rows else None)
            for day in days
        ]
        detail = _waits_told(answers) if key == "wait_hours" else ""
        score = _amount(key, name, form, values, detail, is_cost=is_cost)
        scores.append(replace(score, mark="", why="") if is_going_on and key in _SUMS else score)
    return tuple(scores)


def _rows(answers: Mapping[str, Answer], name: str) -> Sequence[Row]:
    return answers[name].rows if name in answers else ()


def _waits(answers: Mapping[str, Answer], days: Sequence[date]) -> dict[date, float]:
    """Pools together, each from the one source that its nine weeks have in common. A week in which pools have no data that
    make up more than `MOST_UNSEEN` of this week's hours is a gap."""
    rows = [row for row in _rows(answers, "pools_of_week") if row["weeks_source"]]
    now = sum(row["hours_by_week"][-1] or 0.0 for row in rows)
    waits: dict[date, float] = {}
    for place, day in enumerate(days):
        seen = [row["hours_by_week"][place] for row in rows]
        unseen = sum(row["hours_by_week"][-1] or 0.0 for row in rows if row["hours_by_week"][place] is None)
        if any(one is not None for one in seen) and unseen <= MOST_UNSEEN * now:
            waits[day] = sum(one for one in seen if one is not None)
    return waits


_SEEN = {
    "gauges": "gauges, which see every task",
    "task intervals": "tries that tell their own times",
    "task intervals, ready times rebuilt": "tries that tell when they were queued",
}


def _waits_told(answers: Mapping[str, Answer]) -> str:
    """What the hours see: `1 pool by gauges, which see every task; 3 pools by tries that tell their own times`."""
    counts: dict[str, int] = {}
    for row in _rows(answers, "pools_of_week"):
        if row["weeks_source"]:
            counts[row["weeks_source"]] = counts.get(row["weeks_source"], 0) + 1
    return "; ".join(
        f"{plural(count, 'pool')} by {_SEEN.get(name, name)}" for name, count in sorted(counts.items())
    )


def _rate(key: str, name: str, part: str, whole: str, no_end: str, rows: Sequence[Row | None]) -> Score:
    counts = [(int(row[part]), int(row[whole])) if row else None for row in rows]
    values = [one[0] / one[1] if one and one[1] else None for one in counts]
    now = counts[-1]
    detail = ""
    if now and now[1]:
        unknown = int(rows[-1][no_end]) if rows[-1] else 0
        more = f", {unknown:,} without a known end" if unknown else ""
        around = interval(*bounds(now[0], unknown, now[1]))
        detail = f"{now[0]:,} of {now[1]:,}{more}; 95 % interval {around}"
    sign, p = rate_moved(counts, [int(row[no_end]) if row else 0 for row in rows])
    return _score(key, name, share, values, detail, _mark(sign, p, is_cost=True), _why(sign, p))


def _amount(
    key: str,
    name: str,
    form: Callable[[float | None], str],
    values: Sequence[float | None],
    detail: str,
    *,
    is_cost: bool,
) -> Score:
    sign, p = amount_moved(values)
    return _score(key, name, form, values, detail, _mark(sign, p, is_cost=is_cost), _why(sign, p))


def _mark(sign: int, p: float, *, is_cost: bool) -> Mark:
    if not sign or p >= ALPHA:
        return ""
    if not is_cost:
        return "changed"
    return "worse" if sign > 0 else "better"


def _why(sign: int, p: float) -> str:
    if not sign or p >= ALPHA:
        return ""
    return f"{'higher' if sign > 0 else 'lower'} than the weeks before; chance of this by luck: {chance(p)}"


def _score(
    key: str, name: str, form: Any, values: Sequence[float | None], detail: str, mark: Mark, why: str
) -> Score:
    past = [one for one in values[-5:-1] if one is not None]
    top = max((one for one in values if one is not None), default=0) or 1
    shown = [form(one) for one in values]
    return Score(
        key=key,
        name=name,
        value=values[-1],
        this_week=shown[-1],
        detail=detail,
        previous_week=shown[-2],
        median=form(median(past)) if past else "no data",
        bars=tuple(None if one is None else one / top for one in values),
        mark=mark,
        why=why,
        text=f"{name}, nine weeks: {', '.join(shown)}",
        question=_QUESTION.get(key, "scoreboard"),
    )
