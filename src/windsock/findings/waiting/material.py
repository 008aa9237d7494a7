"""Answers → columns: tries, runs, holds and limits of one week, in whole microseconds since Monday 00:00 UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from windsock.findings.methods.spans import Ints, Spans
from windsock.findings.rule import rows_of
from windsock.model import Answer, Row
from windsock.week import Week

MINUTE_US = 60_000_000
UNKNOWN = np.iinfo(np.int64).min
"""A moment that nobody tells."""


def micros(seconds: Iterable[Any]) -> Ints:
    """Seconds, None where unknown, as whole microseconds."""
    values = np.array(list(seconds), dtype=float)
    told = ~np.isnan(values)
    found = np.full(len(values), UNKNOWN, np.int64)
    found[told] = np.rint(values[told] * 1e6).astype(np.int64)
    return found


@dataclass(frozen=True, slots=True)
class Tries:
    """Every try that held a slot in the week, as columns. `dag`, `task`, `run` and `pool` are places in the lists of names;
    `ready_us` and `started_us` may be UNKNOWN."""

    dag_ids: list[str]
    tasks: list[tuple[str, str]]  # dag_id, task_id
    pools: list[str]
    is_per_run: NDArray[np.bool_]  # by DAG
    dag: Ints
    task: Ints
    run: Ints
    pool: Ints
    slots: Ints
    ready_us: Ints
    taken_us: Ints
    started_us: Ints
    given_back_us: Ints

    def dag_of_run(self) -> Ints:
        """The DAG of each run."""
        found = np.zeros(int(self.run.max(initial=-1)) + 1, np.int64)
        found[self.run] = self.dag
        return found

    def dag_of_task(self) -> Ints:
        """The DAG of each task."""
        places = {name: place for place, name in enumerate(self.dag_ids)}
        return np.array([places[dag_id] for dag_id, _ in self.tasks], np.int64)


def tries_of(answers: Mapping[str, Answer]) -> Tries | None:
    """The tries of `try_waits`; None when there is none."""
    rows = [row for row in rows_of(answers, "try_waits") if row["taken_s"]]
    if not rows:
        return None
    dag_ids = sorted({row["dag_id"] for row in rows})
    tasks = sorted({(row["dag_id"], row["task_id"]) for row in rows})
    pools = sorted({row["pool"] for row in rows})
    dags, task_places = _places(dag_ids), _places(tasks)
    pool_places = _places(pools)
    lengths = [len(row["taken_s"]) for row in rows]

    def per_try(values: Iterable[int]) -> Ints:
        return np.repeat(np.array(list(values), np.int64), lengths)

    def joined(name: str) -> list[Any]:
        return [value for row in rows for value in row[name]]

    dag = per_try(dags[row["dag_id"]] for row in rows)
    run_no = np.array(joined("run_no"), np.int64)
    _, run = np.unique(dag * (int(run_no.max()) + 1) + run_no, return_inverse=True)
    is_per_run = np.zeros(len(dag_ids), bool)
    for row in rows:
        is_per_run[dags[row["dag_id"]]] |= bool(row["is_per_run"])
    return Tries(
        dag_ids,
        tasks,
        pools,
        is_per_run,
        dag,
        per_try(task_places[(row["dag_id"], row["task_id"])] for row in rows),
        np.asarray(run, np.int64),
        per_try(pool_places[row["pool"]] for row in rows),
        np.array(joined("slots"), np.int64),
        *(micros(joined(name)) for name in ("ready_s", "taken_s", "started_s", "given_back_s")),
    )


@dataclass(frozen=True, slots=True)
class Runs:
    """Every run that was active or waited in the week, as columns; `dag` is a place in the list of names."""

    dag_ids: list[str]
    dag: Ints
    waits: NDArray[np.bool_]
    due_us: Ints
    created_us: Ints
    started_us: Ints
    ended_us: Ints


def runs_of(answers: Mapping[str, Answer]) -> Runs | None:
    """The runs of `run_waits`; None when there is none."""
    rows = rows_of(answers, "run_waits")
    if not rows:
        return None
    lengths = [len(row["started_s"]) for row in rows]
    columns = {
        name: micros(value for row in rows for value in row[name])
        for name in ("due_s", "created_s", "started_s", "ended_s")
    }
    return Runs(
        [row["dag_id"] for row in rows],
        np.repeat(np.arange(len(rows)), lengths),
        np.array([value for row in rows for value in row["waits"]], bool),
        *columns.values(),
    )


def limits_of(
    answers: Mapping[str, Answer], name: str
) -> tuple[dict[str, tuple[int, str]], tuple[int, str] | None]:
    """dag_id → (limit, who told it), and the deployment's own."""
    mine = {
        row["dag_id"]: (int(row["limit_value"]), str(row["told_by"]))
        for row in rows_of(answers, "known_limits")
        if row["name"] == name
    }
    return {dag_id: told for dag_id, told in mine.items() if dag_id}, mine.get("")


def hold_spans(rows: Iterable[Row], groups: Mapping[Any, int], key: Any) -> Spans:
    """Minutes in which the scheduler told a hold, by the group that `key` names."""
    group, start = [], []
    for row in rows:
        place = groups.get(key(row), -1)
        if place >= 0:
            group += [place] * len(row["minute_s"])
            start += list(row["minute_s"])
    starts = micros(start)
    return Spans.of(np.array(group, np.int64), starts, starts + MINUTE_US) if group else Spans.none()


def silences(answers: Mapping[str, Answer], week: Week) -> Spans:
    """When the scheduler is known to have been silent."""
    rows = [
        row
        for row in rows_of(answers, "heartbeat_gaps")
        if row["component"] == "scheduler"
        and (row["frozen_looks"] or row["seen_minutes"])
        and row["gap_s"] >= 3 * row["usual_gap_s"]
    ]
    since, until = (
        micros((row[name] - week.from_at).total_seconds() for row in rows) for name in ("from_at", "until_at")
    )
    return Spans.of(np.zeros(len(rows), np.int64), since, until) if rows else Spans.none()


def executor_full(answers: Mapping[str, Answer]) -> Spans:
    """Minutes in which no executor slot was open, by the gauges. Several executors do not tell whose slots a task wants."""
    rows = rows_of(answers, "executor_minutes")
    mine = next((row for row in rows if not row["executor"]), rows[0] if len(rows) == 1 else None)
    if mine is None:
        return Spans.none()
    full = micros(
        minute
        for minute, slots in zip(mine["minute_s"], mine["open_slots"], strict=True)
        if slots is not None and slots <= 0
    )
    return Spans.of(np.zeros(len(full), np.int64), full, full + MINUTE_US)


def _places(names: Iterable[Any]) -> dict[Any, int]:
    return {name: place for place, name in enumerate(names)}
