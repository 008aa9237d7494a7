"""Everything a template may see. Frozen and formatted: what is on one artefact is on all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from windsock.model import Finding, NoData, Verdict
from windsock.report.formats import days
from windsock.report.plots import Plot

Mark = Literal["", "worse", "better", "changed"]
MAX_NUMBER = 14  # characters; a cell with more is a sentence (`22 of 56, 39 %`)


@dataclass(frozen=True, slots=True)
class Score:
    """One line of the scoreboard. Texts are formatted; `mark` is set only where a test passed."""

    key: str
    name: str
    value: float | None  # this week's, as measured
    this_week: str
    detail: str  # n of m and the interval
    previous_week: str
    median: str
    bars: tuple[float | None, ...]  # nine weeks, each as a fraction of the largest
    mark: Mark
    why: str  # the test behind the mark, in words
    text: str  # the bars in words
    question: str


@dataclass(frozen=True, slots=True)
class Card:
    """One finding as it is shown."""

    id: str
    anchor: str
    code: str
    name: str
    severity: str
    status: str
    age: str  # "new", "still, week 3", "accepted until 2026-12-31 by ana: reason"
    headline: str
    advice: str
    facts: tuple[tuple[str, str], ...] = ()
    sample: str = ""
    different: tuple[str, ...] = ()  # what the newest failure has (`+`) and lacks (`-`) beside good logs
    suspect: str = ""
    changes: tuple[str, ...] = ()  # what else changed when it began, or in its week
    changes_when: str = ""  # at that time, this week: which of the two
    owner: str = ""
    apply: str = ""
    undo: str = ""
    question: str = ""
    link: str = ""
    plots: tuple[Plot, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what changed since the last report."""

    status: str
    id: str
    anchor: str  # empty when the finding is not on this page
    headline: str
    note: str = ""
    weeks: int = 1
    since_week: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)  # for the next report, while it cannot be seen


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `order` sorts it where the text would not."""

    text: str
    order: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A capped table; `left_out` counts what is not shown."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int
    question: str
    is_folded: bool = False

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Columns of short numbers: they are read from the right."""
        columns = zip(*self.rows, strict=True)
        return tuple(
            all(one.order is not None and len(one.text) <= MAX_NUMBER for one in column) for column in columns
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page: cards, plots, tables, or why there is nothing to show."""

    key: str
    title: str
    cards: tuple[Card, ...] = ()
    cards_left_out: int = 0
    plots: tuple[Plot, ...] = ()
    tables: tuple[Table, ...] = ()
    no_data: str = ""
    is_judged: bool = True  # rules speak here; otherwise it only tells

    @property
    def is_empty(self) -> bool:
        return not (self.cards or self.tables or self.plots)


@dataclass(frozen=True, slots=True)
class OwnerSlice:
    """What concerns one owner."""

    owner: str
    cards: tuple[Card, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One week of one deployment."""

    deployment: str
    week: str
    window_from: str
    window_to: str
    verdict: Verdict
    verdict_cause: str
    verdict_detail: str  # the number and its interval, inputs that were missing
    subject: str
    actions: tuple[Card, ...]
    alike: Mapping[str, tuple[str, ...]]  # id of an action -> ids of the other findings that it stands for
    still_open: int
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    scoreboard: tuple[Score, ...]
    scores: tuple[Mapping[str, Any], ...]
    sections: tuple[Section, ...]
    no_data: tuple[NoData, ...]
    unjudged: tuple[str, ...]
    trust: tuple[tuple[str, str], ...]
    trust_values: Mapping[str, Any]
    owners: tuple[OwnerSlice, ...]
    owner_ids: Mapping[str, tuple[str, ...]]  # owner -> finding ids of their slice, in rank order
    notes: tuple[str, ...]  # about acceptances and hidden names, for the trust box
    withheld: tuple[str, ...]
    version: str
    url: str = ""  # where readers find the page; empty when nobody said
    watched: tuple[Card, ...] = ()  # what is only to be watched, where one line stands for several findings
    last_report: str = ""  # the week of the report that this one is compared with; empty: there is none
    quiet: tuple[str, ...] = ()  # the few lines of a calm week; empty when there is something to say
    revised: bool = False
    revisions: tuple[str, ...] = ()

    @property
    def dates(self) -> str:
        """The week's days as people write them."""
        return days(self.window_from, self.window_to)

    @property
    def verdict_sentence(self) -> str:
        """Cause, number and interval."""
        return f"{self.verdict_cause} {self.verdict_detail}".strip()
