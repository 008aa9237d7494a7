"""What every cause of "why does it not run?" is: it speaks for one case, and counts itself over the week."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from windsock.findings.rule import Rule, rows_of
from windsock.model import Answer, Row

About = Literal[
    "missing from the UI",
    "not running",
    "task not running",
    "task failed",
    "log missing",
    "connection failing",
]
Likely = Literal["certain", "likely", "possible"]
"""certain: Airflow or a component says so itself. likely: what was seen has hardly another reason. possible: it fits."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked for; empty: any task, any run."""

    dag_id: str
    task_id: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One cause with its evidence in one case. `unknown` is what it cannot know and which input would tell; `next` is a
    command or a place to look at."""

    cause: str
    about: About
    likely: Likely
    headline: str
    next: str
    unknown: str = ""
    since: datetime | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Count:
    """How often a cause held in the week. `missing` names the input without which it cannot be seen."""

    things: int
    unit: str
    first_at: datetime | None = None
    dag_ids: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    missing: str = ""


class Cause:
    """One file, one cause."""

    name: ClassVar[str]
    words: ClassVar[str]
    about: ClassVar[About]
    questions: ClassVar[tuple[str, ...]]
    counted_by: ClassVar[tuple[str, ...]] = ()
    """Questions that only the count of the week reads."""
    codes: ClassVar[tuple[str, ...]] = ()
    """The findings that judge it."""

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        """What speaks for this cause in one case; nothing when nothing does."""
        raise NotImplementedError

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        """How often it held in the week."""
        raise NotImplementedError

    @classmethod
    def told(cls, likely: Likely, headline: str, *, next: str, **more: Any) -> Told:
        """One of its own."""
        return Told(cls.name, cls.about, likely, headline, next, **more)


THRESHOLDS = "thresholds_set"
"""The answer that holds the pipeline file's `[findings.CODE]`: code, threshold, value."""


def thresholds_answer(values: Mapping[str, Mapping[str, float]]) -> Answer:
    """`[findings.CODE]` in the shape that causes read."""
    rows: list[Row] = [
        {"code": code, "threshold": name, "value": value}
        for code, mine in values.items()
        for name, value in mine.items()
    ]
    return Answer(THRESHOLDS, ("code", "threshold", "value"), tuple(rows))


def limits_of(rule: type[Rule], answers: Mapping[str, Answer]) -> Any:
    """The thresholds of the finding that judges a cause, as the pipeline file sets them."""
    mine = [row for row in rows_of(answers, THRESHOLDS) if row["code"] == rule.code]
    return rule.limits({row["threshold"]: row["value"] for row in mine})


def of_dag(answers: Mapping[str, Answer], question: str, case: Case) -> list[Row]:
    """The rows of an answer that are of the case's DAG, and of its task where both name one."""
    return [
        row
        for row in rows_of(answers, question)
        if row["dag_id"] == case.dag_id
        and (not case.task_id or not row.get("task_id") or row["task_id"] == case.task_id)
    ]


def state_of(answers: Mapping[str, Answer], case: Case) -> Row | None:
    """What Airflow's own list says of the DAG."""
    return next(iter(of_dag(answers, "dag_states", case)), None)


def activity_of(answers: Mapping[str, Answer], case: Case) -> Row | None:
    """When and how it ran."""
    return next(iter(of_dag(answers, "dag_activity", case)), None)


def files_of(answers: Mapping[str, Answer], case: Case) -> tuple[str, ...]:
    """The files that the DAG is known to come from, the newest first."""
    rows = sorted(of_dag(answers, "dag_files", case), key=lambda row: row["last_at"], reverse=True)
    return tuple(dict.fromkeys(row["dag_file"] for row in rows))


def of_files(answers: Mapping[str, Answer], question: str, case: Case) -> list[tuple[Row, Likely]]:
    """Rows about the DAG's file. Where nobody names its file, one of the same name as the DAG is a possible one."""
    files = files_of(answers, case)
    found: list[tuple[Row, Likely]] = []
    for row in rows_of(answers, question):
        if any(is_same_file(row["dag_file"], one) for one in files):
            found.append((row, "certain"))
        elif not files and stem(row["dag_file"]) == case.dag_id:
            found.append((row, "possible"))
    return found


def is_same_file(one: str, other: str) -> bool:
    """Airflow 2 tells whole paths, Airflow 3 paths within the bundle, and logs either."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def stem(path: str) -> str:
    """`/opt/dags/orders.py` → `orders`."""
    return path.rpartition("/")[2].removesuffix(".py")


def dags_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Each DAG once, by name."""
    return tuple(sorted({str(row["dag_id"]) for row in rows if row["dag_id"]}))


def earliest(rows: Sequence[Row], name: str) -> datetime | None:
    """The first of these times; None without any."""
    return min((row[name] for row in rows if row[name]), default=None)
