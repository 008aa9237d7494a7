"""When did a finding begin? By what its rule measured; nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from windsock.model import Finding
from windsock.week import Week

DAY, WEEK = timedelta(days=1), timedelta(days=7)
Evidence = Mapping[str, Any]
Span = tuple[datetime, datetime]

_BETWEEN = (
    ("began_at", "began_at"),
    ("changed_from", "changed_to"),
    ("came_at", "first_at"),
    ("last_seen_at", "lost_at"),
    ("good_until", "first_at"),
    ("well_at", "since"),
    ("unseen_at", "first_at"),
    ("last_run_at", "first_at"),
    ("paused_at", "paused_at"),
    ("from_at", "from_at"),
    ("since", "since"),
)
"""The last moment at which all was well and the first at which it was not, as rules name them; the first pair that is there."""

_DATED = ("WS111", "WS502", "WS521", "WS530", "WS632")
"""Their `first_at` is the event itself, not the first sight of something that may be older than the week."""

_WEEKLY = ("WS115", "WS522", "WS630")
"""Their `first_at` is the first sight of the week, and how it was before is not asked."""

_BEFORE = {
    "WS110": "tries_prev",
    "WS203": "kills_prev",
    "WS404": "timeouts_prev",
    "WS405": "held_prev",
    "WS406": "prev",
    "WS510": "tries_prev",
    "WS511": "without_log_prev",
    "WS512": "no_end_prev",
    "WS513": "prev",
    "WS514": "prev",
    "WS515": "unheard_prev",
    "WS516": "prev",
    "WS517": "with_errors_prev",
    "WS523": "missing_prev",
    "WS524": "tries_prev",
    "WS634": "tries_prev",
}
"""What counts the same in the weeks before: where there was any, the first one of the week is no beginning."""


def _silent_dag(evidence: Evidence) -> Span:
    """From its last run until the next one was due, by the number of runs that it usually has in a week."""
    return evidence["last_at"], evidence["last_at"] + WEEK / max(1.0, evidence["median_runs"])


def _nothing_started(evidence: Evidence) -> Span:
    """From the newest start until a longer time than ever had passed."""
    return evidence["newest_at"], evidence["newest_at"] + timedelta(seconds=evidence["longest_gap_s"] or 0)


def _no_timeout(evidence: Evidence) -> Span | None:
    """A single try that hung began when it started; of several nobody knows what they share."""
    at = evidence["longest_at"]
    return (at, at) if evidence["tries_too_long"] == 1 else None


_OWN: dict[str, Callable[[Evidence], Span | None]] = {
    "WS407": _no_timeout,
    "WS501": _silent_dag,
    "WS531": _nothing_started,
}


def began_at(finding: Finding, week: Week) -> Span | None:
    """Between when and when a finding began; both are the same where its first sign is all that is known.

    None where only the week is known: nothing dates it, or its first sign of the week need not be its first.
    """
    evidence = finding.evidence
    if finding.code in _OWN:
        return _OWN[finding.code](evidence)
    for first, last in _BETWEEN:
        one, other = evidence.get(first), evidence.get(last)
        if isinstance(one, datetime) and isinstance(other, datetime):
            return min(one, other), other
    if isinstance(first_at := evidence.get("first_at"), datetime) and _is_first(finding, first_at, week):
        return first_at, first_at
    return _day(evidence.get("since"))


def _is_first(finding: Finding, first_at: datetime, week: Week) -> bool:
    """Whether the first sign that is told is the first there was: none before the week, or a day of the week without any."""
    if finding.code in _DATED + _WEEKLY:
        return finding.code in _DATED
    before = finding.evidence.get(_BEFORE.get(finding.code, ""))
    if before is not None:
        return not before
    return first_at < week.from_at or first_at >= week.from_at + DAY


def _day(since: Any) -> Span | None:
    if not isinstance(since, str):
        return None
    try:
        at = datetime.combine(date.fromisoformat(since[:10]), time(), UTC)
    except ValueError:
        return None
    return at, at + DAY
