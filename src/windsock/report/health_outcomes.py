"""Health indicators of what became of the work: the three failure rates, lateness, and what came near its timeout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from statistics import median

from windsock.intervals import bounds, wilson
from windsock.model import Answer, Row
from windsock.report.formats import chance, interval, number, plural, share
from windsock.report.marks import ALPHA, rate_moved
from windsock.week import Week

Line = tuple[str, str, str, str, str]
"""Indicator, this week, usual, judged, common threshold."""
NEAR = 0.8  # of a timeout, as WS404


def outcomes(answers: Mapping[str, Answer], week: Week) -> Iterator[Line]:
    """Always the same lines."""
    yield from _rates(answers, week)
    yield from _lateness(answers)
    yield from _timeouts(answers)


def rows_of(answers: Mapping[str, Answer], name: str) -> Sequence[Row]:
    """The rows of an answer; none when it was not asked."""
    return answers[name].rows if name in answers else ()


def blind(name: str, why: str, common: str) -> Line:
    """An indicator that nothing shows: never healthy."""
    return name, "no data", "", f"not judged: {why}", common


def _rates(answers: Mapping[str, Answer], week: Week) -> Iterator[Line]:
    weeks = {row["week"]: row for row in rows_of(answers, "scoreboard")}
    days: list[date] = [week.minus(n).monday for n in range(8, -1, -1)]
    parts = (
        ("first_try_failed_runs", "runs", "no_end_first_runs"),
        ("failures", "tries", "no_end_tries"),
        ("lost_runs", "runs", "no_end_runs"),
    )
    common = (
        "10 %: of 7 runs 1 is 14 %, and may be 0.4 to 58 %",
        "one number for all three hides what retries save",
        "5 %: an hourly DAG loses 8 of its 168 runs a week below it",
    )
    names = ("Runs with a failed first try", "Tries that failed", "Runs lost after retries")
    for name, (part, whole, no_end), misleads in zip(names, parts, common, strict=True):
        counts = [_pair(weeks.get(day), part, whole) for day in days]
        unknown = [int(weeks[day][no_end]) if day in weeks else 0 for day in days]
        now = counts[-1]
        if now is None or not now[1]:
            yield blind(name, "no task logs and no tries from API or database", misleads)
            continue
        past = [k / n for k, n in (one for one in counts[:-1] if one) if n]
        more = f"{number(unknown[-1])} without a known end, " if unknown[-1] else ""
        around = interval(*bounds(now[0], unknown[-1], now[1]))
        this = f"{number(now[0])} of {number(now[1])}, {more}{share(now[0] / now[1])} ({around})"
        sign, p = rate_moved(counts, unknown)
        judged = (
            "no change" if p >= ALPHA else f"{'higher' if sign > 0 else 'lower'} (by luck in {chance(p)})"
        )
        usual = f"{share(median(past))}, {plural(len(past), 'week')}" if past else "no data"
        yield name, this, usual, judged if len(past) >= 4 else "not judged: fewer than four weeks", misleads


def _pair(row: Row | None, part: str, whole: str) -> tuple[int, int] | None:
    return (int(row[part]), int(row[whole])) if row else None


def _lateness(answers: Mapping[str, Answer]) -> Iterator[Line]:
    name, common = "Runs that finish late", "the deadline alone: it says nothing until it is missed"
    finishes = [
        row for row in rows_of(answers, "run_finishes") if row["runs"] and row["p95_prev_s"] is not None
    ]
    missed = [row for row in rows_of(answers, "deadlines_missed") if row["samples"]]
    if not finishes and not missed:
        yield blind(name, "no earlier week to know when runs are due", common)
        return
    late, runs = sum(row["late_runs"] for row in finishes), sum(row["runs"] for row in finishes)
    told = [f"{number(late)} of {number(runs)} after the 95th percentile of their own past"] if runs else []
    told += [f"{number(sum(row['missed'] for row in missed))} deadlines missed"] if missed else []
    if not runs:
        judged = "not judged: no earlier week to know when runs are due"
    else:
        judged = "more than usual" if wilson(late, runs)[0] > 0.05 else "as usual"
    if any(row["missed"] for row in missed):
        judged = f"deadlines missed; {judged}"
    yield name, "; ".join(told), "5 % by definition" if runs else "no data", judged, common


def _timeouts(answers: Mapping[str, Answer]) -> Iterator[Line]:
    name, common = (
        "Ended by a timeout, or near it",
        "the limit itself: what ends well at 95 % of it fails next month",
    )
    rows = rows_of(answers, "timeouts")
    if not rows:
        yield blind(
            name, "limits show only in what they end, and no timeout ended anything in nine weeks", common
        )
        return
    ended = sum(row["timeouts"] for row in rows)
    near = sum(took_s > NEAR * row["limit_s"] for row in rows for took_s in row["good_s"])
    this = (
        f"{number(ended)} ended by one; {number(near)} ended well above {share(NEAR)} of it, "
        f"{plural(len(rows), 'known limit')}"
    )
    usual = f"{number(sum(row['timeouts_prev'] for row in rows) / 8)} a week ended by one"
    yield name, this, usual, "WS404 judges each", common
