"""Small fleets with known truth: runs of a DAG as the tries that a log tells of."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from benchmarks.fleet.records import Attempt

from windsock.week import Week

WEEK = Week.parse("2026-W47")
WEEKS = 5
FIRST = WEEK.minus(WEEKS - 1).from_at
KEY_ERROR = ("KeyError", "'amount'")
Endings = Sequence[str] | Callable[[datetime], str]


def since(days: float) -> datetime:
    """So many days after the report week's Monday; negative: before it."""
    return WEEK.from_at + timedelta(days=days)


def every(days: float, last: datetime, first: datetime = FIRST) -> list[datetime]:
    """When runs are due: so many days apart, the last one at `last`, the first one not before `first`."""
    dues = [last]
    while dues[-1] - timedelta(days=days) >= first:
        dues.append(dues[-1] - timedelta(days=days))
    return dues[::-1]


def runs(
    dag_id: str,
    dues: Sequence[datetime],
    ending: Endings = ("success",),
    *,
    error: tuple[str, str] = KEY_ERROR,
    tasks: Sequence[str] = ("load",),
    seconds: float = 60,
    prefix: str = "scheduled",
) -> Iterator[Attempt]:
    """One run for each due. `ending`: of each try of the first task, in order, or what to make of a due; further tasks run
    well, and only where the one before them did."""
    for due in dues:
        told = ending(due) if callable(ending) else " ".join(ending)
        endings, at, run_id = told.split(), due + timedelta(seconds=20), f"{prefix}__{due.isoformat()}"
        for place, task_id in enumerate(tasks):
            for number, one in enumerate(endings if place == 0 else ["success"], 1):
                about = error if one != "success" else ("", "")
                yield Attempt(dag_id, run_id, task_id, number, len(endings), at, seconds, one, about)
                at += timedelta(seconds=seconds + 300)
            if endings[-1] != "success":
                break


def calm(count: int = 6, weeks: int = WEEKS) -> list[Attempt]:
    """Daily DAGs that run well."""
    dues = every(1, since(6), WEEK.minus(weeks - 1).from_at)
    return [
        one for n in range(count) for one in runs(f"calm_{n}", [due + timedelta(hours=n) for due in dues])
    ]


def failing(*days: float) -> Callable[[datetime], str]:
    """`failed` for runs due at these days of the report week, else `success`."""
    lost = {since(day) for day in days}
    return lambda due: "failed" if due in lost else "success"
