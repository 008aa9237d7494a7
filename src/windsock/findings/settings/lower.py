"""What a limit that nothing came near could be lowered to: an answer beside the setting, never a finding.

Told only where every input agrees that it can be known: somebody told the value, the busiest moment comes from the tries'
own times (never from gauges, which see a minute of many), five weeks have tries, and nearly none of them is without times
(or, for workers, without a host).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

from windsock.findings import wording
from windsock.findings.held_settings import Held, shown
from windsock.findings.settings.told import LITTLE, Answers, major_version, peaks

WEEKS = 5
"""A month holds its end, when most deployments are busiest: as WS610."""
ROOM = 1.5
UNSEEN = 0.02
"""Share of the tries that may be without times or host."""


def _of_tasks(answers: Answers) -> str:
    return "run" if major_version(answers).startswith("3") else "dag"


_GRAINS: Mapping[str, Callable[[Answers], str]] = {
    "max_active_tasks_per_dag": _of_tasks,
    "max_active_runs_per_dag": lambda _: "dag_runs",
    "worker_concurrency": lambda _: "host",
}
_RISKS = {
    "max_active_tasks_per_dag": "a DAG that fans out wider waits, first of all in a backfill; DAGs with a max_active_tasks of their "
    "own keep it",
    "max_active_runs_per_dag": "catching up after an outage takes longer; DAGs with a max_active_runs of their own keep it",
    "worker_concurrency": "with a worker gone the others take less of its work; tasks then wait in the queue",
}
_WHEN = {"worker_concurrency": "at the next start of the workers"}


def peak_of_weeks(setting: str, answers: Answers) -> tuple[int, int] | None:
    """The most that was at work at once in five weeks, and how many weeks: None where it cannot be known."""
    if setting not in _GRAINS:
        return None
    rows = peaks(answers, _GRAINS[setting](answers))
    tries = {row["week"]: row["tries"] for row in peaks(answers, "deployment")}
    if len(rows) < WEEKS or any(
        (row.get("unseen") or 0) > UNSEEN * tries.get(row["week"], 0) for row in rows
    ):
        return None
    return max(row["peak"] for row in rows), len(rows)


def lower(one: Held, answers: Answers) -> tuple[int, str] | None:
    """A lower value, and a sentence: the use, the risk, the way back. None where none is meant or nothing can be known."""
    known = peak_of_weeks(one.setting, answers)
    if known is None or not one.is_told or one.value is None or known[0] > LITTLE * one.value:
        return None
    proposed = ceil(ROOM * known[0])
    if proposed >= one.value:
        return None
    when = _WHEN.get(one.setting, "at the next parse")
    return proposed, (
        f"never reached: highest use {known[0]} of {shown(one.value)} in {wording.plural(known[1], 'week')}. {proposed} leaves half "
        f"as much again; the risk: {_RISKS[one.setting]}. The way back is {shown(one.value)} again, {when}"
    )
