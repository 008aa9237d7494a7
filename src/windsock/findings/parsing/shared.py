"""Files that all got slower at one moment have one cause outside of them: the machine, Python, an import they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from windsock.findings import wording
from windsock.model import Finding

LEAST_FILES = 5
LEAST_SHARE = 0.5
"""Of the files that the same source knows."""
OUTSTANDING = 1.5
"""Times the usual ratio: such a file has a cause of its own besides."""
ALL = "*"


def shared(findings: Sequence[Finding], judged: dict[str, int]) -> list[Finding]:
    """Fold the steps that one moment explains into one finding. `judged`: files by source."""
    made = list(findings)
    for source, files in sorted(judged.items()):
        mine = [one for one in made if one.evidence["source"] == source]
        together = _at_one_moment(mine)
        if not _are_many(together, files):
            continue
        usual = median(one.evidence["ratio"] for one in together)
        folded = [one for one in together if one.evidence["ratio"] <= OUTSTANDING * usual]
        made = [one for one in made if one not in folded]
        made.append(_folded(folded, files))
    return made


def passing(findings: Sequence[Finding], judged: dict[str, int]) -> list[Finding]:
    """Without the steps of so many files at one moment: a slow hour of the machine is no news of any file."""
    made = list(findings)
    for source, files in judged.items():
        together = _at_one_moment([one for one in made if one.evidence["source"] == source])
        made = [one for one in made if one not in together] if _are_many(together, files) else made
    return made


def _are_many(together: Sequence[Finding], files: int) -> bool:
    return len(together) >= max(LEAST_FILES, LEAST_SHARE * files)


def _at_one_moment(findings: Sequence[Finding]) -> list[Finding]:
    """Those whose intervals hold the moment that most intervals hold."""
    best: list[Finding] = []
    for at in sorted({one.evidence["changed_from"] for one in findings}):
        held = [one for one in findings if one.evidence["changed_from"] <= at <= one.evidence["changed_to"]]
        best = held if len(held) > len(best) else best
    return best


def _folded(together: Sequence[Finding], files: int) -> Finding:
    first = max(together, key=lambda one: one.rank)
    evidence = first.evidence
    start = max(one.evidence["changed_from"] for one in together)
    end = min(one.evidence["changed_to"] for one in together)
    ratio = median(one.evidence["ratio"] for one in together)
    hours = [one.evidence["more_parse_hours"] for one in together]
    names = sorted(one.subject["dag_file"] for one in together)
    before_s, after_s = (sum(one.evidence[key] for one in together) for key in ("before_s", "after_s"))
    return replace(
        first,
        id=f"{first.code}:{ALL}:",
        subject={"dag_file": ALL, "bundle_name": ""},
        headline=f"{len(together)} of {files} files parse {ratio:.1f} times as long since {wording.moment(start)}: "
        "one cause outside of the files",
        evidence={
            "changed_at": start,
            "changed_from": start,
            "changed_to": end,
            "before_s": before_s,
            "after_s": after_s,
            "ratio": ratio,
            "p_value": max(one.evidence["p_value"] for one in together),
            "suspect": None,
            "more_parse_hours": None if None in hours else sum(hours),
            "source": evidence["source"],
            "files": names,
        },
        advice="Look at what they share: an upgrade of Airflow, Python or a provider, a busier machine, slower storage, "
        "a module that they all import. Time-correlated only.",
        rank=sum(one.rank for one in together),
    )
