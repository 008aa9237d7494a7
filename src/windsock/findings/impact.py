"""What each finding cost this week, in units that all rules share, so that they can be ranked beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite

from windsock.model import Finding, Impact

_OF: Mapping[str, tuple[str, str, str]] = {
    "WS101": ("excess_failures", "", ""),
    "WS103": ("week_runs", "week_hours", ""),
    "WS104": ("week_runs", "", ""),
    "WS105": ("excess_failures", "", ""),
    "WS106": ("week_runs", "", ""),
    "WS108": ("week_lost", "", ""),
    "WS109": ("week_runs", "", ""),
    "WS110": ("lost_runs", "wasted_hours", ""),
    "WS111": ("lost_runs", "wasted_hours", ""),
    "WS113": ("week_runs", "", ""),
    "WS116": ("lost", "", ""),
    "WS117": ("", "failed_hours", "late_hours"),
    "WS118": ("excess_failures", "", ""),
    "WS201": ("", "more_parse_hours", ""),
    "WS301": ("", "", "wait_hours"),
    "WS304": ("", "", "excess_hours"),
    "WS310": ("", "", "wait_hours"),
    "WS312": ("", "slot_hours", ""),
    "WS401": ("", "extra_hours", ""),
    "WS402": ("", "", "later_hours"),
    "WS403": ("", "", "later_hours"),
    "WS501": ("median_runs", "", ""),
    "WS502": ("missing", "", ""),
    "WS510": ("lost_runs", "wasted_hours", ""),
    "WS513": ("timed_out", "", ""),
    "WS524": ("lost_runs", "", ""),
    "WS530": ("late_runs", "", "late_hours"),
    "WS533": ("runs", "", "waited_hours"),
    "WS604": ("", "prepare_hours", ""),
    "WS630": ("lost_runs", "", ""),
    "WS632": ("lost_runs", "lost_hours", ""),
    "WS634": ("lost", "", ""),
    "WS636": ("", "", "extra_hours"),
}
"""Code → names of the evidence that counts runs lost, hours of workers, hours of delay; a rule that is not here counts
neither. Above the usual where the rule knows what is usual."""
ROOTS = ("WS531", "WS530", "WS511")
"""What explains most of the rest: a scheduler that stood still, machines that vanished."""


def with_impact(finding: Finding) -> Finding:
    """The finding with what it cost, as far as its evidence tells."""
    runs, worker, delayed = (_number(finding, name) for name in _OF.get(finding.code, ("", "", "")))
    return replace(finding, impact=Impact(runs, worker, delayed))


def place(finding: Finding) -> tuple[float, ...]:
    """Within one severity: roots, then runs lost, then hours (of workers and of delay together); most first."""
    root = ROOTS.index(finding.code) if finding.code in ROOTS else len(ROOTS)
    one = finding.impact
    hours = (one.worker_hours or 0.0) + (one.delayed_hours or 0.0)
    # sums of many threads differ in their last bits from run to run
    return root, -round(one.runs_lost or 0.0, 3), -round(hours, 3)


def _number(finding: Finding, name: str) -> float | None:
    value = finding.evidence.get(name) if name else None
    return float(value) if isinstance(value, int | float) and isfinite(value) else None
