"""The verdict is a rule, not a feeling: worse, same, better, or cannot tell."""

from __future__ import annotations

from collections.abc import Sequence

from windsock.model import Finding, NoData, Verdict

WORDS = {"worse": "worse", "same": "same", "better": "better", "cannot_tell": "cannot tell"}
_INPUT = {"failures": "task logs", "parsing": "parse times", "pools": "pools", "silent": "run cadence"}


def verdict(findings: Sequence[Finding], no_data: Sequence[NoData], *, log_rows: int) -> tuple[Verdict, str]:
    """`worse` when a new or worse finding of severity warning or above passed its own test; `better` when only
    improvements did; `cannot_tell` only when there are no task logs to judge. Missing inputs qualify the sentence."""
    bad = [
        one for one in findings if one.severity in ("warning", "critical") and one.status in ("new", "worse")
    ]
    good = [one for one in findings if one.status in ("better", "recovered")]
    missing = sorted({_INPUT[one.section] for one in no_data if one.section in _INPUT})
    qualified = f"; {' and '.join(missing)} not seen" if missing else ""
    if log_rows == 0:
        return "cannot_tell", "Cannot tell: no task logs of this week were read."
    if bad:
        more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
        return "worse", f"Worse: {bad[0].headline}{more}{qualified}."
    still = sum(one.status == "still" and one.severity in ("warning", "critical") for one in findings)
    if good:
        return "better", f"Better: {good[0].headline}{qualified}."
    tail = f"; {still} known {'problem is' if still == 1 else 'problems are'} still open" if still else ""
    return "same", f"Same as before: nothing new passed its test{tail}{qualified}."
