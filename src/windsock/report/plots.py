"""What the plots show: plain numbers and a sentence that says the same. `charts.py` draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from windsock.intervals import wilson
from windsock.model import Finding, Row
from windsock.report.formats import clean, hours, moment, seconds, share
from windsock.week import Week

MAX_POINTS = 90  # a plot of this width shows no more
MAX_BARS = 12


@dataclass(frozen=True, slots=True)
class RatePlot:
    """Lost runs of one DAG by week; a week without runs has no point."""

    points: tuple[tuple[str, float, float, float] | None, ...]  # label, rate, low, high
    title: str
    text: str
    kind: str = "rate"


@dataclass(frozen=True, slots=True)
class StepPlot:
    """Parse time of one file over nine weeks, with the change marked. x is a fraction of the window."""

    points: tuple[tuple[float, float], ...]
    change: tuple[float, float] | None
    before_s: float
    after_s: float
    first: str
    last: str
    title: str
    text: str
    kind: str = "step"


@dataclass(frozen=True, slots=True)
class HeatPlot:
    """How full a pool was: seven days of 24 hours; None where nothing was sampled."""

    cells: tuple[tuple[tuple[float, float] | None, ...], ...]  # occupancy, share of samples full
    title: str
    text: str
    kind: str = "heat"


@dataclass(frozen=True, slots=True)
class CurvePlot:
    """Hours waited for a pool at other sizes."""

    points: tuple[tuple[int, float], ...]  # slots, wait hours; the first one is today's size
    title: str
    text: str
    kind: str = "curve"


@dataclass(frozen=True, slots=True)
class TimelinePlot:
    """When each incident began and ended inside the week. x is a fraction of the week."""

    bars: tuple[tuple[str, str, float, float, int], ...]  # label, anchor, from, to, tries
    title: str
    text: str
    kind: str = "timeline"


@dataclass(frozen=True, slots=True)
class WaitPlot:
    """Task-hours that ready tasks waited, by what they waited for."""

    bars: tuple[tuple[str, float, str], ...]  # label, hours, style: limit, other, unknown
    title: str
    text: str
    kind: str = "wait"


Plot = RatePlot | StepPlot | HeatPlot | CurvePlot | TimelinePlot | WaitPlot


def rate_plot(dag_id: str, days: Sequence[Row], week: Week) -> RatePlot | None:
    """Share of runs lost with its 95 % interval (Wilson), this week and the eight before."""
    weeks = [week.minus(n) for n in range(8, -1, -1)]
    counts = {one.monday: [0, 0] for one in weeks}
    for row in days:
        if row["dag_id"] == dag_id and row["week"] in counts:
            counts[row["week"]][0] += row["runs"]
            counts[row["week"]][1] += row["lost_runs"]
    points: list[tuple[str, float, float, float] | None] = []
    told = []
    for one in weeks:
        runs, lost = counts[one.monday]
        points.append((str(one)[5:], lost / runs, *wilson(lost, runs)) if runs else None)
        if runs:
            told.append(f"{str(one)[5:]} {lost} of {runs}")
    if sum(one is not None for one in points) < 2:
        return None
    return RatePlot(tuple(points), "Runs lost by week, with 95 % intervals", f"{', '.join(told)}.")


def step_plot(finding: Finding, samples: Sequence[Row], week: Week) -> StepPlot | None:
    """Parse times of the finding's file and source, thinned to medians over equal spans of time."""
    subject, evidence = finding.subject, finding.evidence
    mine = [
        (row["parsed_at"], float(row["parse_s"]))
        for row in samples
        if row["dag_file"] == subject.get("dag_file")
        and row["bundle_name"] == subject.get("bundle_name")
        and row["source"] == evidence.get("source", row["source"])
    ]
    start, end = week.minus(8).from_at, week.to_at
    if len(mine) < 2:
        return None
    start = max(start, min(at for at, _ in mine))

    def place(at: datetime) -> float:
        return float(min(1.0, max(0.0, (at - start) / (end - start))))

    bins: dict[int, list[tuple[float, float]]] = {}
    for at, value in mine:
        bins.setdefault(min(MAX_POINTS - 1, int(place(at) * MAX_POINTS)), []).append((place(at), value))
    points = tuple(
        (median(x for x, _ in group), median(y for _, y in group)) for _, group in sorted(bins.items())
    )
    before, after = float(evidence["before_s"]), float(evidence["after_s"])
    left, right = evidence.get("changed_from"), evidence.get("changed_to")
    change = (
        (place(left), place(right)) if isinstance(left, datetime) and isinstance(right, datetime) else None
    )
    when = f" between {moment(left)} and {moment(right)}" if change and left and right else ""
    return StepPlot(
        points,
        change,
        before,
        after,
        f"{start:%d %b}",
        f"{end:%d %b}",
        "Parse time, median over equal spans of time",
        f"{len(mine):,} parses: {seconds(before)} before, {seconds(after)} after the change{when}.",
    )


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def heat_plot(pool: str, hours_of_week: Sequence[Row]) -> HeatPlot | None:
    """Occupancy by weekday and hour; the sentence names the fullest hours."""
    cells: list[list[tuple[float, float] | None]] = [[None] * 24 for _ in range(7)]
    full: list[tuple[float, int, int]] = []
    for row in hours_of_week:
        if row["pool"] == pool and row["occupancy"] is not None:
            day, hour, share_full = int(row["weekday"]) - 1, int(row["hour"]), float(row["full_share"] or 0)
            cells[day][hour] = (float(row["occupancy"]), share_full)
            full.append((share_full, day, hour))
    if not full:
        return None
    worst = [one for one in sorted(full, key=lambda one: (-one[0], one[1], one[2])) if one[0] > 0][:3]
    told = ", ".join(f"{_DAYS[day]} {hour:02d}:00 ({share(part)} of samples)" for part, day, hour in worst)
    n = sum(one[0] > 0 for one in full)
    text = f"Full with tasks waiting in {n} of {len(full)} hours seen" + (f"; most: {told}." if told else ".")
    return HeatPlot(
        tuple(tuple(day) for day in cells),
        "Slots in use by weekday and hour, UTC; orange is full with tasks waiting",
        text,
    )


def curve_plot(evidence: Mapping[str, Any]) -> CurvePlot | None:
    """The what-if curve: hours waited at today's size and at others."""
    options = [one for one in evidence.get("options") or () if one.get("slots") is not None]
    now, wait = evidence.get("total_slots"), evidence.get("wait_hours")
    if not options or now is None or wait is None:
        return None
    points = [(int(now), float(wait))]
    points += [
        (int(one["slots"]), max(0.0, float(wait) - float(one.get("wait_hours_saved") or 0)))
        for one in options
        if int(one["slots"]) > int(now)
    ]
    if len(points) < 2:
        return None
    told = ", ".join(f"{hours(value)} at {slots}" for slots, value in points)
    return CurvePlot(tuple(points), "Hours waited at other sizes", f"{told}.")


def timeline_plot(findings: Sequence[tuple[Finding, str]], week: Week) -> TimelinePlot | None:
    """Incidents on the week's time line, in rank order."""

    def place(at: datetime) -> float:
        return min(1.0, max(0.0, (at - week.from_at) / (week.to_at - week.from_at)))

    bars, told = [], []
    for finding, anchor in findings[:MAX_BARS]:
        first, last = finding.evidence.get("first_at"), finding.evidence.get("last_at")
        if isinstance(first, datetime) and isinstance(last, datetime):
            tries = int(finding.evidence.get("tries") or 0)
            label = clean(finding.headline, 64)
            bars.append((label, anchor, place(first), place(last), tries))
            told.append(f"{label}: {moment(first)} to {moment(last)}")
    left_out = len(findings) - len(bars)
    more = f" {left_out} more are not drawn." if left_out else ""
    return (
        TimelinePlot(tuple(bars), "When each incident was seen", f"{'; '.join(told)}.{more}")
        if bars
        else None
    )
