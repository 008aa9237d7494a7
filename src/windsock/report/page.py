"""Everything a template may see. Frozen: what is on one artefact is on all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.model import Finding, NoData, Verdict


@dataclass(frozen=True, slots=True)
class Score:
    """One line of the scoreboard; the texts are formatted, `marks` is `worse`, `better` or empty."""

    name: str
    this_week: str
    previous_week: str
    median: str
    bars: tuple[float, ...]  # nine weeks, each as a fraction of the largest
    text: str  # the bars in words


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page: findings, a table, or why there is nothing to show."""

    key: str
    title: str
    findings: tuple[Finding, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    left_out: int = 0
    note: str = ""
    no_data: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One week of one deployment."""

    deployment: str
    base_url: str
    week: str
    window_from: str
    window_to: str
    verdict: Verdict
    verdict_sentence: str
    subject: str
    actions: tuple[Finding, ...]
    still_open: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    changes: tuple[Mapping[str, Any], ...]
    scoreboard: tuple[Score, ...]
    scores: tuple[Mapping[str, Any], ...]
    sections: tuple[Section, ...]
    no_data: tuple[NoData, ...]
    unjudged: tuple[str, ...]
    trust: tuple[tuple[str, str], ...]
    trust_values: Mapping[str, Any]
    owners: tuple[tuple[str, tuple[Finding, ...]], ...]
    version: str
