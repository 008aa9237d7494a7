"""`[scope] renamed` as names of today: DAGs and tasks, through any number of renames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from windsock.errors import ConfigError


def names_of_today(renamed: Mapping[str, str], path: Path) -> dict[str, str]:
    """Old DAG → today's, through any number of renames. One old name cannot have become two, nor a name itself."""
    return _last_names([(new, old) for new, old in renamed.items() if "/" not in new], path)


def tasks_of_today(renamed: Mapping[str, str], path: Path) -> dict[str, str]:
    """`dag_id/task_id` of a renamed task, its DAG as today's → today's task_id. A pair of tasks is told as
    `dag_id/new_task_id` = `task_id`; no id of Airflow has a slash."""
    dags = names_of_today(renamed, path)
    pairs: dict[str, list[tuple[str, str]]] = {}
    for new, old in renamed.items():
        dag_id, slash, task_id = new.partition("/")
        if slash and not (dag_id and task_id and old and "/" not in task_id + old):
            raise ConfigError(
                f'{path}: [scope] renamed has {new!r} = {old!r}; a task is "dag_id/new_task_id" = "old_task_id"'
            )
        if slash:
            pairs.setdefault(dags.get(dag_id, dag_id), []).append((task_id, old))
    return {
        f"{dag_id}/{old}": new
        for dag_id, told in pairs.items()
        for old, new in _last_names(told, path).items()
    }


def _last_names(pairs: Iterable[tuple[str, str]], path: Path) -> dict[str, str]:
    newer: dict[str, str] = {}
    for new, old in pairs:
        if old in newer:
            raise ConfigError(
                f"{path}: [scope] renamed says that {old!r} became {newer[old]!r} and {new!r}; name one"
            )
        newer[old] = new
    found = {}
    for old in newer:
        today, steps = newer[old], 0
        while today in newer and steps <= len(newer):
            today, steps = newer[today], steps + 1
        if today in newer:
            raise ConfigError(
                f"{path}: [scope] renamed goes in a circle at {old!r}; leave out the name that is gone"
            )
        found[old] = today
    return found
