"""A calm week: nothing to do and nothing changed. It is told in six lines, and one more each for what is noisy but known."""

from __future__ import annotations

from collections.abc import Sequence

from windsock.model import Finding, NoData
from windsock.report.formats import clean, hours, plural
from windsock.report.page import Change, Score
from windsock.report.specs import title_of

BROKEN = "WS103"  # DAGs that fail every run for weeks: noise that everybody knows, until somebody pauses them
BACKFILLS = "WS606"  # runs that are in no rate: the line of what is not judged counts them
MAX_NAMES = 3


def is_calm(changes: Sequence[Change], findings: Sequence[Finding]) -> bool:
    """Whether nothing is open but what was accepted, DAGs that have been broken for weeks, and work that is not judged."""
    known = {one.id for one in findings if one.code in (BROKEN, BACKFILLS) and one.status in ("new", "still")}
    return all(one.status == "accepted" or one.id in known for one in changes)


def calm_lines(
    scores: Sequence[Score],
    changes: Sequence[Change],
    findings: Sequence[Finding],
    *,
    no_data: Sequence[NoData],
    trust: Sequence[tuple[str, str]],
    unjudged: Sequence[str],
) -> tuple[str, ...]:
    """Six lines; a line for runs that are not judged and one for broken DAGs only where there are any."""
    by_key = {one.key: one for one in scores}
    lost, first, runs = by_key["lost_runs"], by_key["first_try_failed_runs"], by_key["runs"]
    accepted = sum(one.status == "accepted" for one in changes)
    missing = "; ".join(title_of(one) for one in no_data)
    seen = ", ".join(f"{name.lower()} {text}" for name, text in trust[1:7] if text != "no data")
    broken = _broken([one for one in findings if one.code == BROKEN and one.status in ("new", "still")])
    counted = "; ".join(one.removesuffix("; not judged") for one in unjudged)
    return (
        f"Runs: {runs.this_week}, {runs.median} in the median of four weeks.",
        f"Lost after all retries: {lost.this_week} ({lost.detail or 'no runs'}), {lost.median} before.",
        f"Failed in a first try: {first.this_week}, {first.median} before.",
        *([f"Not judged: {counted}."] if counted else []),
        *([broken] if broken else []),
        f"Open: nothing{' else' if broken else ''}. Accepted: {accepted or 'none'}.",
        f"No data for: {missing}. The page says why; windsock doctor says how to mend it."
        if missing
        else "No data: none missing.",
        f"Read: {seen}.",
    )


def _broken(findings: Sequence[Finding]) -> str:
    """All broken DAGs in one line, with what they cost; empty without any."""
    if not findings:
        return ""
    weeks = sorted({int(one.evidence["weeks"]) for one in findings})
    span = f"{weeks[0]} weeks" if len(weeks) == 1 else f"{weeks[0]} to {weeks[-1]} weeks"
    spent = hours(sum(float(one.evidence["hours"]) for one in findings))
    names = sorted(clean(one.subject["dag_id"], 60) for one in findings)
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    verb = "has" if len(names) == 1 else "have"
    return (
        f"Broken: {plural(len(names), 'DAG')} {verb} failed every run for {span}, {spent} of workers: "
        f"{', '.join(names[:MAX_NAMES])}{more}. Pause or fix."
    )
