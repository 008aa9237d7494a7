"""What WS401, WS402 and WS408 share: a sustained step in a series of durations, inside the report week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from windsock.findings.methods.change_points import Change, find_changes
from windsock.findings.rule import Thresholds, threshold
from windsock.week import Week

QUARTER_DAY_S = 21600.0


@dataclass(frozen=True, slots=True)
class SlowerThresholds(Thresholds):
    """Tasks and runs are judged alike."""

    min_points: float = threshold(
        28, "six-hour medians, or single runs", "a week of a busy task, four of a daily one"
    )
    min_ratio: float = threshold(1.25, "times as long", "less is within what data grow by")
    min_extra_hours: float = threshold(
        1.0, "hours more in the week", "a step of a short task costs nobody anything"
    )
    alpha: float = threshold(0.001, "probability", "thousands of series are looked at in a week")


@dataclass(frozen=True, slots=True)
class Step:
    """The newest step of a series: still standing, and begun in the report week or the one before."""

    change: Change
    at: datetime
    earliest: datetime
    latest: datetime


def newest_step(
    times_s: Sequence[float], values: Sequence[float], limits: SlowerThresholds, week: Week
) -> Step | None:
    """The last change upwards; None when nothing changed, or longer ago than the week before the report's."""
    if len(values) < limits.min_points:
        return None
    step = newest_change(times_s, values, min_ratio=limits.min_ratio, alpha=limits.alpha, week=week)
    return step if step and step.change.ratio >= limits.min_ratio else None


def newest_change(
    times_s: Sequence[float], values: Sequence[float], *, min_ratio: float, alpha: float, week: Week
) -> Step | None:
    """The last change in either direction; None when nothing changed, or longer ago than the week before the report's."""
    times = np.asarray(times_s, dtype=float)
    found = find_changes(np.asarray(values, dtype=float), times_s=times, min_ratio=min_ratio, alpha=alpha)
    if not found:
        return None
    at, earliest, latest = (
        datetime.fromtimestamp(times[min(place, len(times) - 1)], UTC)
        for place in (found[-1].index, max(0, found[-1].first - 1), found[-1].last)
    )
    # a step needs days of points to be sure of: one of the week before is first seen now
    return Step(found[-1], at, earliest, latest) if at >= week.minus(1).from_at else None


def step_evidence(step: Step) -> dict[str, Any]:
    """From how long to how long, and when."""
    change = step.change
    return {
        "before_s": change.before,
        "after_s": change.after,
        "ratio": change.ratio,
        "changed_at": step.at,
        "changed_from": step.earliest,
        "changed_to": step.latest,
        "p_value": change.p_value,
    }
