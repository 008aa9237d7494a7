"""The verdict is a rule, not a feeling: worse, same, better, or cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from windsock.model import Answer, Finding, NoData, Verdict
from windsock.report.became import DAG_CODES
from windsock.report.formats import clean, moment, plural
from windsock.report.history import Gone
from windsock.report.page import Score

WORDS = {"worse": "worse", "same": "same", "better": "better", "cannot_tell": "cannot tell"}
GRAVE = ("warning", "critical")
OPEN = ("new", "worse", "still")
_INPUT = {"failures": "task logs", "parsing": "parse times", "pools": "pools", "silent": "run cadence"}
WATCHED = (*DAG_CODES, "WS112", "WS116", "WS117", "WS505", "WS533", "WS534")
"""Codes of what nobody sees by itself: told in the verdict's sentence though it is only to be watched."""
_WITHOUT_PAST = ("WS104", "WS108", "WS113")
MAX_CAUSE = 220
MAX_BESIDE = 140
MOST_LOST = 2


def is_grave(finding: Finding) -> bool:
    """Severity warning or above, and not accepted."""
    return finding.severity in GRAVE and finding.status in OPEN


def is_watched(finding: Finding) -> bool:
    """Only to be watched, and news."""
    return finding.severity == "watch" and finding.status in ("new", "worse")


def verdict(
    findings: Sequence[Finding],
    gone: Sequence[Gone],
    no_data: Sequence[NoData],
    scores: Sequence[Score],
    *,
    blind: str = "",
    no_runs: bool = False,
    seen_until: datetime | None = None,
    lost_in: str = "",
) -> tuple[Verdict, str, str]:
    """The verdict, the sentence of cause, and the number with its interval. A week that goes on, seen until then, is judged
    so far. `lost_in` names the DAGs that lost most runs."""
    word, cause, detail = _verdict(findings, gone, no_data, scores, blind, no_runs=no_runs, lost_in=lost_in)
    if seen_until is not None:
        head, _, rest = cause.partition(":")
        cause = f"{head} so far:{rest} The week is not over: seen until {moment(seen_until)}."
    return word, cause, detail


def _verdict(
    findings: Sequence[Finding],
    gone: Sequence[Gone],
    no_data: Sequence[NoData],
    scores: Sequence[Score],
    blind: str,
    *,
    no_runs: bool,
    lost_in: str,
) -> tuple[Verdict, str, str]:
    """`worse` when a new or worse finding of severity warning or above passed its own test; `better` when only
    improvements did; `cannot_tell` when `blind` says why the week cannot be judged, when no week before it is known, or when nothing
    was found and `no_runs` were there to judge. Then
    the sentence of cause, and the number with its interval; missing inputs qualify it."""
    bad = [one for one in findings if is_grave(one) and one.status in ("new", "worse")]
    good = [one.headline for one in findings if one.status in ("better", "recovered") and one.weeks == 1]
    good += [f"{one.headline}: gone" for one in gone if one.status == "recovered"]
    missing = sorted({_INPUT[one.section] for one in no_data if one.section in _INPUT})
    detail = _rate(scores) + (f" {_and(missing).capitalize()} not seen." if missing else "")
    worst = f"{_named(bad, MAX_CAUSE)}{_beside(findings)}"
    look = f" Look at: {worst}." if bad else ""
    if blind:
        return "cannot_tell", f"Cannot tell: {blind}.{look}", ""
    if _is_first(scores):
        return "cannot_tell", f"First week: nothing to compare it with yet.{look}", detail.strip()
    if bad:
        return "worse", f"Worse: {worst}.", detail.strip()
    still = sum(is_grave(one) for one in findings)
    tail = f"; {still} known {'problem is' if still == 1 else 'problems are'} still open" if still else ""
    if good:
        more = f", and {len(good) - 1:,} more" if len(good) > 1 else ""
        return (
            "better",
            f"Better: {clean(good[0], MAX_CAUSE)}{more}{tail}{_beside(findings)}.",
            detail.strip(),
        )
    if no_runs:
        return (
            "cannot_tell",
            f"Cannot tell: no run of a schedule or an asset began this week{tail}.",
            detail.strip(),
        )
    return "same", f"Same as before{_but(findings, scores, lost_in)}{tail}.", detail.strip()


def _but(findings: Sequence[Finding], scores: Sequence[Score], lost_in: str) -> str:
    """What a week without a grave finding still says: which DAGs without a past of their own lose runs, and that the fleet
    as a whole lost more, where that passed the scoreboard's test."""
    watched = [one for one in findings if one.code in WATCHED and is_watched(one)]
    told = _named(watched, MAX_CAUSE)
    lost = next((one for one in scores if one.key == "lost_runs"), None)
    if lost is None or lost.mark != "worse":
        if any(map(is_watched, findings)):  # what is news passed its test, though it asks for nothing yet
            return f"; to watch: {told}" if told else ": nothing new to act on"
        return ": nothing new passed its test"
    if told and watched[0].code in _WITHOUT_PAST:
        return f" where there is a before, but the fleet lost more of its runs: {told}"
    if told:
        return f", DAG by DAG, but the fleet lost more of its runs; to watch: {told}"
    where = f": {lost_in}" if lost_in else ""
    return f", DAG by DAG and error by error, but the fleet as a whole lost more of its runs{where}"


def _beside(findings: Sequence[Finding]) -> str:
    """DAGs without a past that lose runs, beside something graver: they are in no action and in no subject."""
    told = _named([one for one in findings if one.code in DAG_CODES and is_watched(one)], MAX_BESIDE)
    return f"; to watch: {told}" if told else ""


def _named(findings: Sequence[Finding], length: int) -> str:
    """The first headline, and how many more; empty without any."""
    if not findings:
        return ""
    more = f", and {_others(len(findings) - 1)}" if len(findings) > 1 else ""
    return f"{clean(findings[0].headline, length)}{more}"


def most_lost(answers: Mapping[str, Answer]) -> str:
    """`59 of 504 in cont, 2 of 7 in orders and 3 more DAGs`: where the week's lost runs are; empty without any."""
    rows = answers["failure_rate_by_dag"].rows if "failure_rate_by_dag" in answers else ()
    lost = sorted(
        (row for row in rows if row["lost_runs"]), key=lambda row: (-row["lost_runs"], row["dag_id"])
    )
    told = [f"{row['lost_runs']:,} of {row['runs']:,} in {row['dag_id']}" for row in lost[:MOST_LOST]]
    more = f" and {plural(len(lost) - MOST_LOST, 'more DAG')}" if len(lost) > MOST_LOST else ""
    return clean(f"{', '.join(told)}{more}", MAX_CAUSE)


def _others(count: int) -> str:
    """Of findings: beside a headline that counts runs, a bare number would be read as more of them."""
    return f"{count:,} other {'problem' if count == 1 else 'problems'}"


def _is_first(scores: Sequence[Score]) -> bool:
    """This week has runs, and none of the eight before it has."""
    runs = next((one for one in scores if one.key == "runs"), None)
    return runs is not None and bool(runs.value) and not any(runs.bars[:-1])


def _rate(scores: Sequence[Score]) -> str:
    lost = next((one for one in scores if one.key == "lost_runs" and one.detail), None)
    if lost is None:
        return ""
    before = "" if lost.median == "no data" else f" Before: {lost.median}."
    return f" Runs lost: {lost.this_week} ({lost.detail}).{before}"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def subject(
    deployment: str,
    week: str,
    word: str,
    findings: Sequence[Finding],
    gone: Sequence[Gone],
    *,
    is_going_on: bool = False,
) -> str:
    """Constant prefix, so that mails thread; then the verdict and what is new."""
    new = [one for one in findings if is_grave(one) and one.status in ("new", "worse")]
    counts = (
        ("new incident", "new incidents", sum(one.code in ("WS110", "WS111") for one in new)),
        ("DAG silent", "DAGs silent", sum(one.code == "WS501" for one in new)),
        ("other problem", "other problems", sum(one.code not in ("WS110", "WS111", "WS501") for one in new)),
        (
            "recovered",
            "recovered",
            sum(one.status in ("better", "recovered") and one.weeks == 1 for one in findings)
            + sum(one.status == "recovered" for one in gone),
        ),
    )
    parts = [f"{n} {one if n == 1 else many}" for one, many, n in counts if n]
    tail = f". {', '.join(parts)}" if parts else ""
    return clean(
        f"Airflow {clean(deployment, 80)}, week {int(week[-2:])}: {word}{' so far' if is_going_on else ''}{tail}",
        200,
    )
