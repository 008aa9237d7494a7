"""Whole weeks that no rate shows: each tells what happened, once, and in the verdict's sentence."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import put_logs, report_of
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")
WEEKS = 5
FIRST = WEEK.minus(WEEKS - 1).from_at
ERRORS = [("ReadTimeout", "upstream did not answer"), ("ValueError", "bad row 17")]
Tries = list[Attempt]


def runs(
    dag_id: str, every_h: int, *, chance: float = 0.03, tasks: tuple[str, ...] = ("extract", "load")
) -> Iterator[Attempt]:
    """A DAG whose tries fail now and then, and are tried again."""
    luck = random.Random(dag_id)
    for n in range(WEEKS * 168 // every_h):
        due = FIRST + timedelta(hours=n * every_h)
        at = due + timedelta(seconds=20)
        for task_id in tasks:
            seconds = 120 * luck.lognormvariate(0, 0.15)
            if luck.random() < chance:
                yield Attempt(
                    dag_id,
                    f"scheduled__{due.isoformat()}",
                    task_id,
                    1,
                    2,
                    at,
                    60,
                    "retry",
                    luck.choice(ERRORS),
                )
                at += timedelta(seconds=360)
                yield Attempt(dag_id, f"scheduled__{due.isoformat()}", task_id, 2, 2, at, seconds, "success")
            else:
                yield Attempt(dag_id, f"scheduled__{due.isoformat()}", task_id, 1, 2, at, seconds, "success")
            at += timedelta(seconds=seconds + 5)


def fleet() -> Tries:
    every = {
        **{f"hourly_{n}": 1 for n in range(2)},
        **{f"six_{n}": 6 for n in range(4)},
        **{f"daily_{n}": 24 for n in range(8)},
    }
    return [one for dag_id, hours in every.items() for one in runs(dag_id, hours)]


def since(day: float) -> Any:
    return WEEK.from_at + timedelta(days=day)


def slow_network() -> Tries:
    return [replace(one, seconds=one.seconds * 2.5) if one.started_at >= since(4) else one for one in fleet()]


def deleted_folder() -> Tries:
    gone = {f"daily_{n}" for n in range(5)}
    return [one for one in fleet() if not (one.dag_id in gone and one.started_at >= since(0))]


def new_and_broken() -> Tries:
    new = [
        replace(one, dag_id="brand_new")
        for one in fleet()
        if one.dag_id == "hourly_1" and one.task_id == "load"
    ]
    return [
        *fleet(),
        *(
            replace(one, ending="failed", error=("KeyError", "'amount'"))
            for one in new
            if one.started_at >= since(1)
        ),
    ]


def new_and_shaky() -> Tries:
    return [one for one in new_and_broken() if one.dag_id != "brand_new"] + [
        replace(one, ending="success", error=("", "")) if one.started_at.hour % 2 else one
        for one in new_and_broken()
        if one.dag_id == "brand_new"
    ]


def month_end() -> Tries:
    dues = [since(2) - timedelta(days=30), since(2)]
    return [*fleet(), *(
        Attempt("month_end", f"scheduled__{due.isoformat()}", "book", 1, 1, due, 300, ending, ("ValueError", "no rates"))
        for due, ending in zip(dues, ("success", "failed"), strict=True)
    )]  # fmt: skip


def branch_never_taken() -> Tries:
    return [
        one
        for one in fleet()
        if not (one.dag_id == "hourly_1" and one.task_id == "load" and one.started_at >= since(3))
    ]


def saved_each_time() -> Tries:
    made: Tries = []
    for one in fleet():
        if (
            one.dag_id == "hourly_1"
            and one.task_id == "load"
            and one.try_number == 1
            and one.started_at >= since(1)
        ):
            made.append(
                replace(one, seconds=3, ending="retry", error=("OperationalError", "deadlock detected"))
            )
            one = replace(
                one,
                try_number=2,
                started_at=one.started_at + timedelta(seconds=8),
                ending="success",
                error=("", ""),
            )
        made.append(one)
    return list({(one.key): one for one in made}.values())


@pytest.mark.parametrize(
    ("plant", "verdict", "sentence", "actions", "codes"),
    [
        (slow_network, "worse", "tasks in", 1, {"WS401"}),
        (deleted_folder, "worse", "5 DAGs did not run this week (usually 35 runs): daily_0, daily_1, daily_2 and 2 more", 1, {"WS501"}),
        (new_and_broken, "same", "brand_new is new and has never succeeded", 0, {"WS104"}),
        (new_and_shaky, "same", "brand_new is new and loses runs: 72 of 144 runs", 0, {"WS108"}),
        (month_end, "same", "month_end lost its newest run, of Wed 18 Nov 00:00 UTC; the next one comes 30 days after it", 0, {"WS109"}),
        (branch_never_taken, "same", "load of hourly_1 has not run since Wed 18 Nov", 0, {"WS505"}),
        (saved_each_time, "same", "hourly_1.load: the first try failed in 1", 0, {"WS117"}),
        (fleet, "same", "Same as before: nothing new passed its test.", 0, set()),
    ],
    ids=lambda one: one.__name__ if callable(one) else "",
)  # fmt: skip
def test_a_strange_week(
    tmp_path: Path, plant: Callable[[], Tries], verdict: str, sentence: str, actions: int, codes: set[str]
) -> None:
    put_logs(tmp_path, plant())
    body, mail = report_of(tmp_path, WEEK)
    assert body["verdict"] == verdict
    assert sentence in body["verdict_sentence"] and body["verdict_sentence"] in " ".join(mail.split())
    assert len(body["actions"]) == actions
    assert {one["code"] for one in body["findings"]} == codes


def test_a_first_week_s_strays_are_no_incident(tmp_path: Path) -> None:
    put_logs(tmp_path, [one for one in fleet() if one.started_at >= since(3)])
    body, _ = report_of(tmp_path, WEEK)
    assert (body["verdict"], body["findings"]) == ("cannot_tell", [])
