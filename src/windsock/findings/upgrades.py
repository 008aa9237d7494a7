"""Each change of the deployment in a fortnight, and the figures of the days around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import exp
from statistics import mean

from windsock.findings import wording
from windsock.findings.context import sentence
from windsock.findings.methods.before_after import Moved, judge_days
from windsock.findings.rule import rows_of
from windsock.model import Answer, Row
from windsock.reviewed.meanings import Meaning, crossed

_ORDER = ("version", "provider", "executor", "setting")
_MEANINGS = ("what", "before", "after", "look_at", "since_version", "source", "from_version", "to_version")


@dataclass(frozen=True, slots=True)
class Figure:
    """One daily figure. `least` is the shift that is worth a word; `is_ratio`: it is the logarithm of a ratio."""

    name: str
    title: str
    least: float
    is_ratio: bool

    def told(self, shift: float) -> str:
        """`1.4 times as long`, `3.2 percentage points more`."""
        if self.is_ratio:
            return f"{exp(shift):.2g} times"
        return f"{abs(shift) * 100:.1f} points {'more' if shift > 0 else 'less'}"


FIGURES = (
    Figure("lost_runs", "runs lost", 0.02, False),
    Figure("first_failed_runs", "runs with a failed first try", 0.03, False),
    Figure("duration", "durations", 0.14, True),
    Figure("wait", "waiting", 0.26, True),
    Figure("parse", "parse time", 0.18, True),
)
"""What is looked at; the smallest shifts: two and three runs in a hundred, 15 %, 30 %, and 20 % longer."""


@dataclass(frozen=True, slots=True)
class Event:
    """Changes that no three whole days part: none of them can be judged alone. The version stands first.

    `days`: rows of `days_around_change` of this event. `earlier_until`: when the event before it was told, if there is one.
    """

    changes: tuple[Row, ...]
    days: tuple[Row, ...]
    earlier_until: datetime | None


def events(answers: Mapping[str, Answer]) -> list[Event]:
    """The events that `days_around_change` parts, oldest first."""
    days: dict[tuple[datetime, datetime], list[Row]] = {}
    for row in rows_of(answers, "days_around_change"):
        days.setdefault((row["first_at"], row["since_at"]), []).append(row)
    found: list[Event] = []
    earlier: datetime | None = None
    for (first_at, since_at), rows in sorted(days.items(), key=lambda one: one[0]):
        changes = [
            row
            for row in rows_of(answers, "changes_of_deployment")
            if first_at <= row["until_at"] <= since_at
        ]
        changes.sort(key=lambda row: (_ORDER.index(row["kind"]), row["until_at"], row["subject"]))
        if changes:
            found.append(Event(tuple(changes), tuple(rows), earlier))
        earlier = since_at
    return found


def changes_told(rows: Sequence[Row]) -> list[str]:
    """Each as the ledger tells it: `Airflow 2.10.5 → 2.11.2, Wed 18 Nov 09:00 UTC`."""
    return [sentence({**row, "dag_id": "", "times": 1}) for row in rows]


def named(rows: Sequence[Row]) -> str:
    """`Airflow 2.10.5 → 2.11.2 and setting core.parallelism 32 → 64`; of more than two `and 2 more`."""
    told = [_named(row) for row in rows[:2]]
    if len(rows) > 2:
        told[1:] = [f"{len(rows) - 1} more"]
    return " and ".join(told)


def _named(row: Row) -> str:
    kind = {"executor": "executor", "setting": f"setting {row['subject']}"}.get(row["kind"], row["subject"])
    return f"{kind} {row['before']} → {row['after']}"


def moved(event: Event, code: str, least_n: float) -> dict[str, Moved]:
    """Each figure's judgement, of all DAGs or of those with the same code; days with fewer than `least_n` do not count."""
    return {
        one.name: judge_days(
            _days(event, one.name, code, least_n, is_after=False),
            _days(event, one.name, code, least_n, is_after=True),
            least_shift=one.least,
        )
        for one in FIGURES
    }


def _days(event: Event, figure: str, code: str, least_n: float, *, is_after: bool) -> dict[date, float]:
    return {
        row["day"]: row["value"]
        for row in event.days
        if row["figure"] == figure
        and row["code"] == ("all" if figure == "parse" else code)
        and row["n"] >= least_n
        and row["is_after"] is is_after
    }


def had_begun(event: Event, found: Mapping[str, Moved], code: str, least_n: float) -> set[str]:
    """Figures whose move the days since the event before show already, or cannot rule out: it is not this one's alone.

    They show it where their mean is nearer to the days after than to the days before: of two steps of that size, the earlier
    one is the likelier then.
    """
    if event.earlier_until is None:
        return set()
    shared = set()
    for name, judged in found.items():
        if judged.word not in ("worse", "better"):
            continue
        days = _days(event, name, code, least_n, is_after=False)
        between = [value for day, value in days.items() if day > event.earlier_until.date()]
        before = [value for day, value in days.items() if day <= event.earlier_until.date()]
        after = _days(event, name, code, least_n, is_after=True).values()
        if not between or not before:
            shared.add(name)
            continue
        part, whole = mean(between) - mean(before), mean(after) - mean(before)
        if abs(whole - part) <= abs(part):
            shared.add(name)
    return shared


def same_share(event: Event) -> float:
    """The runs since the change that ran on the code of before, as a fraction."""
    after = [row for row in event.days if row["figure"] == "lost_runs" and row["is_after"]]
    whole = sum(row["n"] for row in after if row["code"] == "all")
    return sum(row["n"] for row in after if row["code"] == "same") / whole if whole else 0.0


def lines(found: Mapping[str, Moved]) -> list[str]:
    """`durations: worse, 1.4 times; 4 days since, 48 before`."""
    told = []
    for one in FIGURES:
        judged = found[one.name]
        size = f", {one.told(judged.shift)}" if judged.word != "not enough data" else ""
        days = f"{wording.plural(judged.days_after, 'day')} since, {judged.days_before} before"
        told.append(f"{one.title}: {judged.word}{size}; {days}")
    return told


def meanings_answer(answers: Mapping[str, Answer], meanings: Sequence[Meaning]) -> Answer:
    """What the newest upgrade of Airflow changed the meaning of; no rows without one."""
    rows: list[Row] = []
    for row in rows_of(answers, "changes_of_deployment"):
        if row["kind"] == "version" and row["subject"] == "Airflow" and not rows:
            rows += [
                dict(zip(_MEANINGS, (one.what, one.before, one.after, one.look_at, one.since_version, one.source,
                                     row["before"], row["after"]), strict=True))
                for one in crossed(meanings, row["before"], row["after"])
            ]  # fmt: skip
    return Answer("meanings_of_upgrade", _MEANINGS, tuple(rows))
