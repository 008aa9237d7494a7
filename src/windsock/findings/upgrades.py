"""The newest change of the deployment, and the figures of the days around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp

from windsock.findings import wording
from windsock.findings.context import sentence
from windsock.findings.methods.before_after import Moved, judge_days
from windsock.findings.rule import rows_of
from windsock.model import Answer, Row
from windsock.reviewed.meanings import Meaning, crossed

TOGETHER = timedelta(days=1)
"""Changes told within a day of the newest are one: none of them can be judged alone."""
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


def changes_judged(answers: Mapping[str, Answer]) -> list[Row]:
    """The newest change and those told with it, the version first."""
    rows = sorted(rows_of(answers, "changes_of_deployment"), key=lambda row: row["until_at"], reverse=True)
    order = ("version", "provider", "executor", "setting")
    return sorted(
        (row for row in rows if rows[0]["until_at"] - row["until_at"] < TOGETHER),
        key=lambda row: (order.index(row["kind"]), row["subject"]),
    )


def changes_told(rows: Sequence[Row]) -> list[str]:
    """Each as the ledger tells it: `Airflow 2.10.5 → 2.11.2, Wed 18 Nov 09:00 UTC`."""
    return [sentence({**row, "dag_id": "", "times": 1}) for row in rows]


def named(rows: Sequence[Row]) -> str:
    """`Airflow 2.10.5 → 2.11.2`, `setting core.parallelism 32 → 64 and 2 more`."""
    first = rows[0]
    kind = {"executor": "executor", "setting": f"setting {first['subject']}"}.get(
        first["kind"], first["subject"]
    )
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f"{kind} {first['before']} → {first['after']}{more}"


def moved(answers: Mapping[str, Answer], code: str, least_n: float) -> dict[str, Moved]:
    """Each figure's judgement, of all DAGs or of those with the same code; days with fewer than `least_n` do not count."""
    days: dict[tuple[str, bool], dict[date, float]] = {}
    for row in rows_of(answers, "days_around_change"):
        if row["code"] == ("all" if row["figure"] == "parse" else code) and row["n"] >= least_n:
            days.setdefault((row["figure"], row["is_after"]), {})[row["day"]] = row["value"]
    return {
        one.name: judge_days(
            days.get((one.name, False), {}), days.get((one.name, True), {}), least_shift=one.least
        )
        for one in FIGURES
    }


def same_share(answers: Mapping[str, Answer]) -> float:
    """The runs since the change that ran on the code of before, as a fraction."""
    after = [
        row
        for row in rows_of(answers, "days_around_change")
        if row["figure"] == "lost_runs" and row["is_after"]
    ]
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
