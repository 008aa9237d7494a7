"""Timers in seconds, whatever their type letter claims. Which names lie, by wire form, as measured on 2.11.2 and 3.3.2:

- `dag_processing.last_duration`: 2.x milliseconds; 3.x **seconds** typed `ms`, in every form; DogStatsD seconds.
- `*.queued_duration`, `*.scheduled_duration`: milliseconds, but **seconds** in 2.x unless `timer_unit_consistency` is on.
- DogStatsD: timers around code (`scheduler.*`, `dagrun.dependency-check`, `serde.*`) are seconds. Durations that Airflow
  computes (`task.*`, `dagrun.*`) are seconds in 2.x and milliseconds in 3.x, or with `timer_unit_consistency`.
- A StatsD exporter divides every `ms` by 1000, so what was seconds is 1000 times too small there.

What the version would tell, the digits tell too: those durations are differences of times with microseconds, so in
milliseconds they never have more than three decimals, and in seconds only one in a thousand has so few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

LONGEST_PARSE_S = 60.0
"""No parse takes longer (Airflow kills the processor after 50 s), so a median above it is in milliseconds."""
SHORTEST_PARSE_S = 0.02
"""No fleet parses faster: a processor forks and imports. A median below it was divided by 1000 once too often."""

PARSE_TIME = "dag_processing.last_duration"
LATE = ("task.queued_duration", "task.scheduled_duration")


def is_computed(name: str) -> bool:
    """Durations that Airflow computes from two times, as against timers around code."""
    return name.startswith("task.") or (name.startswith("dagrun.") and name != "dagrun.dependency-check")


def votes(name: str, *, is_dog: bool) -> bool:
    """Whether the digits of this timer tell its unit."""
    return is_computed(name) and (is_dog or name in LATE)


def are_milliseconds(values: Iterable[float]) -> bool:
    """Whether no value is finer than a microsecond would be in milliseconds. No value at all: no."""
    seen = False
    for value in values:
        seen = True
        if abs(value * 1000 - round(value * 1000)) > 1e-5 * max(1.0, abs(value)):
            return False
    return seen


def statsd_factor(name: str, *, is_dog: bool, has_bundle: bool, digits_say_ms: bool) -> float:
    """Seconds per unit of a captured timer; for the parse time before the look at its median."""
    if name == PARSE_TIME:
        return 1.0 if is_dog or has_bundle else 0.001
    if is_dog and not is_computed(name):
        return 1.0
    if is_dog or name in LATE:
        return 0.001 if digits_say_ms else 1.0
    return 0.001


def are_parse_milliseconds(values_s: Iterable[float]) -> bool:
    """Whether the median of what were seconds is longer than any parse. Counted, for there may be millions."""
    above = below = 0
    least_above, most_below = float("inf"), -float("inf")
    for value in values_s:
        if value > LONGEST_PARSE_S:
            above, least_above = above + 1, min(least_above, value)
        else:
            below, most_below = below + 1, max(most_below, value)
    return above > below or (above == below > 0 and (least_above + most_below) / 2 > LONGEST_PARSE_S)


def exported_parse_factor(means_s: Sequence[float]) -> float:
    """Seconds per unit of an exporter's parse time, from the means of its files."""
    if not means_s:
        return 1.0
    middle = median(means_s)
    return 1000.0 if middle < SHORTEST_PARSE_S else 0.001 if middle > LONGEST_PARSE_S else 1.0


def exported_late_factor(name: str, observations: Sequence[float]) -> float:
    """The same for queue times, from single observations (an exporter's quantiles are such)."""
    if name not in LATE or not observations:
        return 1.0
    return 1.0 if are_milliseconds(one * 1000 for one in observations) else 1000.0
