"""WS117."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from shlex import quote
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.intervals import wilson
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a task counts as one whose first try does not work."""

    min_executions: float = threshold(5, "executions since then", "fewer do not make a habit")
    min_share: float = threshold(0.8, "fraction of a week's executions", "below it the first try does work")
    min_rate_low: float = threshold(
        0.5, "lower end of the 95 % interval of that fraction", "what may be less than half is no habit, yet"
    )
    min_saved_share: float = threshold(
        0.1, "fraction of failed first tries", "where retries save less, they have no chance (WS107)"
    )
    min_hours: float = threshold(0.5, "hours of delay and of workers this week", "below it nobody gains much")


class RetriedEveryTime(Rule):
    """A task's first try fails (nearly) every time, and a retry saves it.

    What it means: no run is lost, so nothing alerts, and no rate changes. But each run pays for a try that does not work and
    for the delay of the next one, and the first bad night has one try less to be saved by.
    How it is judged: back from this week, the weeks in which at least `min_share` of the executions (each map index is one)
    failed at their first try; all of them together have `min_executions`, an interval above `min_rate_low`, retries that
    save, and this week's cost is at least `min_hours`: the tries that failed, and the time from the start of each run's first try to
    the start of the one that worked.
    What to do: mend the first try. One error each time says that what the task needs is not ready when it starts: wait for it
    (a sensor, a later start) or mend it. Many errors say that the task is fragile.
    """

    code, name, section = "WS117", "retried-every-time", "retries"
    questions = ("first_tries_by_week",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        rows = rows_of(answers, "first_tries_by_week")
        for (dag_id, task_id), told in groupby(rows, key=lambda row: (row["dag_id"], row["task_id"])):
            weeks = list(told)
            if not weeks or weeks[-1]["week"] != week.monday:
                continue
            habit = _habit(weeks, limits.min_share)
            executions = sum(row["executions"] for row in habit or weeks)
            if executions < limits.min_executions:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if habit and _is_told(habit, executions, limits):
                verdicts.findings.append(cls._told(dag_id, task_id, habit, executions))
        return verdicts

    @classmethod
    def _told(cls, dag_id: str, task_id: str, habit: Sequence[Row], executions: int) -> Finding:
        now, failed = habit[-1], sum(row["failed_first"] for row in habit)
        low, high = wilson(failed, executions)
        saved = sum(row["saved"] for row in habit)
        since = wording.moment(habit[0]["first_at"])
        return cls.finding(
            subject={"dag_id": dag_id, "task_id": task_id},
            severity="watch",
            headline=f"{dag_id}.{task_id}: the first try failed in {failed} of {wording.plural(executions, 'execution')} since "
            f"{since}, a retry saved {'all' if saved == failed else saved} of them; this week that cost "
            f"{wording.hours(now['late_hours'])} of delay and {wording.hours(now['failed_hours'])} of workers",
            evidence={
                "executions": executions,
                "failed_first": failed,
                "saved": saved,
                "lost": sum(row["lost"] for row in habit),
                "rate": failed / executions,
                "rate_low": low,
                "rate_high": high,
                "first_at": habit[0]["first_at"],
                "weeks": len(habit),
                "late_hours": now["late_hours"],
                "failed_hours": now["failed_hours"],
                "late_s": now["late_s"],
                "errors": now["errors"],
                "error_signature": now["error_signature"],
                "error_firsts": now["error_firsts"],
                "blame": now["blame"],
            },
            advice=f"{_errors(now)} Then its retries are what they are meant for: windsock why {quote(dag_id)} {quote(task_id)}.",
            rank=_cost(now),
        )


def _habit(weeks: Sequence[Row], min_share: float) -> list[Row]:
    """The newest weeks, back to the last one in which the first try did work; oldest first."""
    habit: list[Row] = []
    for row in reversed(weeks):
        if row["failed_first"] < min_share * row["executions"]:
            break
        habit.insert(0, row)
    return habit


def _is_told(habit: Sequence[Row], executions: int, limits: Limits) -> bool:
    failed = sum(row["failed_first"] for row in habit)
    return bool(
        wilson(failed, executions)[0] >= limits.min_rate_low
        and sum(row["saved"] for row in habit) > limits.min_saved_share * failed
        and _cost(habit[-1]) >= limits.min_hours
    )


def _cost(row: Row) -> float:
    """Hours of delay and of workers."""
    return float(row["late_hours"] + row["failed_hours"])


TIMEOUT = "AirflowTaskTimeout"
"""What execution_timeout raises: the task began and did not end."""


def _errors(now: Row) -> str:
    """What to look at: one error, or that there are many."""
    late = f"{wording.span(now['late_s'])} later" if now["late_s"] is not None else "later"
    if now["error_signature"] is None:
        return f"No log tells why it fails; a try that began {late} (median) worked. Look at its log."
    of = f"{now['error_firsts']} of {now['failed_first']} failed with {now['error_signature']}"
    if now["errors"] == 1 and now["error_signature"].startswith(TIMEOUT):
        return f"{of}: it began, and hung; a try that began {late} (median) worked. Find what it hangs on."
    if now["errors"] == 1:
        return (
            f"{of}: what it needs is not ready when it starts, and was {late} (median). Wait for it (a sensor, a later start) or "
            "mend it."
        )
    return f"{of}, the others with {wording.plural(now['errors'] - 1, 'other error')}; a try that began {late} (median) worked. Mend it."
