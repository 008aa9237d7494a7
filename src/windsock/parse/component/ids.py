"""Which task instance a text speaks of, in the spellings that Airflow's messages use for one."""

from __future__ import annotations

import re
from dataclasses import dataclass

TI = re.compile(
    r"<TaskInstance: (?P<ids>\S+) (?P<run>\S+(?: \d\d:\d\d:\S+)?)(?: map_index=(?P<map>-?\d{1,9}))?(?: \[(?P<state>[^\]]*)\])?(?: ti_id=\S+)?>"
)
_NAMED = {
    name: re.compile(pattern)
    for name, pattern in (
        ("dag_id", r"\bdag_id='([^']*)'|'DAG Id': '([^']*)'"),
        ("task_id", r"\btask_id='([^']*)'|'Task Id': '([^']*)'"),
        ("run_id", r"\brun_id='([^']*)'|'Run Id': '([^']*)'"),
        ("map_index", r"\bmap_index=(-?\d{1,9})\b|'Map Index': '?(-?\d{1,9})"),
        ("try_number", r"\btry_number=(\d{1,9})\b"),
        ("hostname", r"\bhostname='([^']+)'|'Hostname': '([^']+)'"),
        ("queue", r"\bqueue='([^']+)'"),
    )
}


@dataclass(frozen=True, slots=True)
class Who:
    """A task instance. `joined` is `dag_id.task_id` where the text does not say which dot parts them."""

    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    try_number: int | None = None
    joined: str | None = None
    state: str | None = None
    hostname: str | None = None
    queue: str | None = None


def from_repr(text: str) -> Who | None:
    """`<TaskInstance: dag.task run map_index=0 [state]>`; before 2.2 a time stands for the run."""
    match = TI.search(text)
    return _who(match) if match else None


def all_from_reprs(text: str) -> list[Who]:
    """Every one of them, as in lists of orphaned or queued tasks."""
    return [_who(match) for match in TI.finditer(text)]


def _who(match: re.Match[str]) -> Who:
    index = int(match["map"]) if match["map"] else -1
    return Who(None, match["run"].replace(" ", "T"), None, index, None, match["ids"], match["state"])


def from_names(text: str) -> Who | None:
    """`dag_id='…', task_id='…', run_id='…', try_number=1, map_index=-1`, or `{'DAG Id': '…', 'Task Id': '…'}`."""
    found: dict[str, str] = {}
    for name, pattern in _NAMED.items():
        if match := pattern.search(text):
            found[name] = match[1] if match[1] is not None else match[2]
    if "dag_id" not in found or "task_id" not in found:
        return None
    return Who(
        found["dag_id"],
        found.get("run_id"),
        found["task_id"],
        int(found.get("map_index", -1)),
        int(found["try_number"]) if "try_number" in found else None,
        hostname=found.get("hostname"),
        queue=found.get("queue"),
    )


def from_path(text: str) -> Who | None:
    """`dag/run/task/map_index/try (ID 7)`, as triggers are named."""
    parts = text.rsplit("/", 3)
    if len(parts) != 4:
        return None
    dag, _, run = parts[0].partition("/")
    try:
        return Who(dag, run, parts[1], int(parts[2][:9]), int(parts[3].split(" ", 1)[0][:9]))
    except ValueError:
        return None


def parted(joined: str, dag_ids: set[str]) -> tuple[str, str]:
    """`dag_id.task_id` in two: by the longest DAG that this log knows, else at the first dot (tasks in groups have more)."""
    place = len(joined)
    while (place := joined.rfind(".", 0, place)) > 0:
        if joined[:place] in dag_ids:
            return joined[:place], joined[place + 1 :]
    dag, _, task = joined.partition(".")
    return dag, task
