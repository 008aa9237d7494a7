"""The values that stages hand each other. Frozen, plain, and named once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

Row = dict[str, Any]
"""One row of a table in `windsock.schema`; missing columns are null."""

Kind = Literal["attempt", "trigger", "scheduler_job"]
"""Whose log of an attempt an object is."""
Severity = Literal["info", "watch", "warning", "critical"]
Status = Literal["new", "still", "worse", "better", "recovered", "accepted"]
Blame = Literal["user_code", "data", "external", "infrastructure", "airflow"]
BLAMES: Mapping[str, str] = {
    "user_code": "user code",
    "data": "data",
    "external": "external service",
    "infrastructure": "infrastructure",
    "airflow": "Airflow",
    "unknown": "unknown",
}
"""Where a failure comes from, in the words of the report."""
Verdict = Literal["worse", "same", "better", "cannot_tell"]


# what each object of a pull is told by is a Struct: a frozen dataclass takes eight times as long to make


class SourceObject(msgspec.Struct, frozen=True, gc=False):
    """One object as a listing shows it. `path` is relative to the source's root, `url` is the whole address. `parts` is of
    how many objects it is made that an export cut one log into (`windsock.sources.parts`); 0: it is one as it lies there."""

    url: str
    path: str
    size: int
    modified_at: datetime
    etag: str
    parts: int = 0


class LogKey(msgspec.Struct, frozen=True, gc=False):
    """What the key of a log object says. `run_id` is the ISO timestamp for layouts of 1.10 to 2.2."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    kind: Kind = "attempt"
    logical_date: datetime | None = None
    layout: str = "2.3+"


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of a table, in whole columns (a `pyarrow.Table`) that objects which were read together share."""

    table: Any
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """An object that was understood: rows by table, and further rows of these tables as columns. `partial` says what of
    it could not be read."""

    kind: str
    rows: Mapping[str, Sequence[Row]]
    partial: str | None = None
    columns: Mapping[str, Sequence[Slice]] = {}


@dataclass(frozen=True, slots=True)
class Ignored:
    """An object that is known not to be ours to read (a trigger log, a folder marker); counted, not rejected."""

    kind: str


@dataclass(frozen=True, slots=True)
class Reject:
    """An object that should have been readable and was not. `reason` is a short code, `detail` a sentence."""

    kind: str
    reason: str
    detail: str = ""


UNREAD = (
    "vanished",
    "forbidden",
    "archived",
    "key_denied",
    "unreachable",
    "store_error",
    "unreadable",
    "wrong_length",
    "changed",
    "missing_part",
)
"""Reasons of rejects whose bytes were never seen: what an earlier pull read of the object stays in the lake."""

Outcome = Parsed | Ignored | Reject


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question returned: rows in the question's own order. No rounding, no wording."""

    question: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """What a finding cost in its week, in units that all rules share; None: the rule does not count it."""

    runs_lost: float | None = None  # lost, or never begun
    worker_hours: float | None = None  # spent for nothing, or more than before
    delayed_hours: float | None = None  # of waiting, or of runs that ended later


MAX_ADVICE = 600
"""Characters of advice that cards keep: what a rule says to do fits, however long its names are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged statement. `id` is stable over weeks: code plus the subject's values."""

    id: str
    code: str
    name: str
    severity: Severity
    subject: Mapping[str, str]
    headline: str
    evidence: Mapping[str, Any]
    advice: str
    question: str
    status: Status = "new"
    since_week: str = ""
    weeks: int = 1
    owner: str = ""
    rank: float = 0.0  # impact in the rule's own measure; larger is more important
    unchanged_weeks: int = 0  # since it was last new, worse or back
    told_rank: float = 0.0  # its impact at that time
    impact: Impact = Impact()
    note: str = ""  # who accepted it and until when; that an acceptance ended


@dataclass(frozen=True, slots=True)
class NoData:
    """A section of the report whose input is missing, and why."""

    section: str
    why: str
    is_partial: bool = False
    """The section shows something all the same, from other inputs."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """All rules over one week: what was found, what could not be judged."""

    findings: tuple[Finding, ...]
    no_data: tuple[NoData, ...]
    judged: Mapping[str, int] = field(default_factory=dict)  # rule code -> subjects judged
    not_enough: Mapping[str, int] = field(default_factory=dict)  # rule code -> subjects with too little data
