"""Whole weeks with one planted trouble of waiting or memory, from logs to report: each is told as what it is, once."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt, airflow2
from benchmarks.fleet.scheduler import logs_of

from tests.support.one_pool import Placed, through_pool
from tests.support.weeks import LOGS, put, put_logs, report_of
from windsock.lake import Lake
from windsock.model import Parsed, SourceObject
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")
WEEKS = 3
SLOTS = 4
POOL = "warehouse"
Tries = list[Attempt]


def nights(weeks: int = WEEKS) -> Iterator[datetime]:
    for day in range(7 * weeks):
        yield WEEK.minus(weeks - 1).from_at + timedelta(days=day, hours=2)


def shared_pool(wide: int) -> Tries:
    """Each night forty narrow tasks come one a minute into four slots and take three and a half minutes each; two tasks of `wide` slots stand
    beside them from the first minute on."""
    made = []
    for night in nights():
        luck = random.Random(night.isoformat())
        run = f"scheduled__{night.isoformat()}"
        for n in range(40):
            at = night + timedelta(minutes=n)
            made.append(
                Attempt(
                    f"load_{n % 4}",
                    run,
                    f"part_{n // 4}",
                    1,
                    1,
                    at,
                    luck.uniform(200, 230),
                    "success",
                    pool=POOL,
                )
            )
        for n in range(2):
            made.append(
                Attempt(f"merge_{n}", run, "merge", 1, 1, night + timedelta(minutes=5 + n), 300, "success",
                        pool=POOL, pool_slots=wide)
            )  # fmt: skip
    return made


def put_gauges(root: Path, placed: Sequence[Placed]) -> None:
    """A StatsD capture a day: the scheduler's heartbeat each quarter of an hour, the pool's gauges each five minutes."""
    for night in nights():
        lines = []
        for minute in range(-120, 22 * 60, 5):
            at = night + timedelta(minutes=minute)
            taken = [one.attempt for one in placed if one.attempt.queued_at and one.attempt.queued_at <= at]
            used = sum(one.pool_slots for one in taken if at < one.ended_at)
            waiting = sum(
                one.ready_at <= at < one.attempt.queued_at for one in placed if one.attempt.queued_at
            )
            gauges = {
                "running_slots": used,
                "open_slots": SLOTS - used,
                "queued_slots": 0,
                "scheduled_slots": waiting,
            }
            for name, value in gauges.items():
                lines.append(f"{at.timestamp():.0f} airflow.pool.{name}.{POOL}:{value}|g")
            lines.append(f"{at.timestamp():.0f} airflow.scheduler_heartbeat:1|c")
        put(
            root / "metrics" / f"{night:%Y-%m-%d}.statsd",
            "\n".join(lines).encode(),
            night + timedelta(hours=22),
        )


def tell(root: Path, placed: Sequence[Placed]) -> None:
    """What the database tells of the tries: ready, queued, pool and slots."""
    rows = [
        {
            "dag_id": one.attempt.dag_id,
            "run_id": one.attempt.run_id,
            "task_id": one.attempt.task_id,
            "map_index": -1,
            "try_number": 1,
            "state": "success",
            "pool": one.attempt.pool,
            "pool_slots": one.attempt.pool_slots,
            "queue": "default",
            "executor": "CeleryExecutor",
            "priority_weight": 1,
            "operator": "PythonOperator",
            "scheduled_at": one.ready_at,
            "queued_at": one.attempt.queued_at,
            "started_at": one.attempt.started_at,
            "ended_at": one.attempt.ended_at,
            "anchor_at": one.attempt.started_at,
            "source": "db",
        }
        for one in placed
    ]
    now = WEEK.to_at + timedelta(hours=1)
    lake = Lake.open(str(root / "lake"), deployment="prod", create=True)
    with lake.writer(shard=0, holder="test", now=now) as writer:
        obj = SourceObject("db:prod", "prod", 1, now, "1")
        writer.add(obj, Parsed("db", {"task_instances": rows}), kind="db", parser_version="1")
        writer.checkpoint()


def of_codes(body: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    told: dict[str, list[dict[str, Any]]] = {}
    for one in body["findings"]:
        told.setdefault(one["code"], []).append(one)
    return told


@pytest.fixture(scope="module", params=(3, 1), ids=("wide", "narrow"))
def pool_week(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[int, dict[str, Any], str]:
    root = tmp_path_factory.mktemp("pool")
    placed = list(through_pool(shared_pool(request.param), SLOTS))
    put_logs(root, [one.attempt for one in placed])
    put_gauges(root, placed)
    tell(root, placed)
    return request.param, *report_of(root, WEEK, LOGS + "[sources.metrics]\nurl = 'metrics'\n")


def test_a_full_pool_is_told_once_and_says_whose_waiting_it_is(
    pool_week: tuple[int, dict[str, Any], str],
) -> None:
    wide, body, mail = pool_week
    (one,) = body["findings"]
    assert (one["code"], one["subject"]) == ("WS301", {"pool": POOL})
    said = "hours are of tasks of 3 slots, which those of one slot pass by: let them take fewer (pool_slots)"
    assert (said in one["advice"] and said in mail) == (wide == 3)
    assert bool(one["evidence"]["wide_hours"]) == (wide == 3)


def test_the_hours_told_are_those_that_the_fleet_waited(pool_week: tuple[int, dict[str, Any], str]) -> None:
    wide, body, _ = pool_week
    waits = [
        (one.attempt, (one.attempt.queued_at - one.ready_at).total_seconds() / 3600)
        for one in through_pool(shared_pool(wide), SLOTS)
        if one.attempt.queued_at and one.attempt.queued_at >= WEEK.from_at
    ]
    (one,) = body["findings"]
    assert one["evidence"]["wait_hours"] == pytest.approx(sum(hours for _, hours in waits), rel=0.05)
    if wide == 3:
        of_wide = sum(hours for attempt, hours in waits if attempt.pool_slots == 3)
        assert one["evidence"]["wide_hours"] == pytest.approx(of_wide, rel=0.05)


# --- starts


def late_starts(times: float) -> Tries:
    """Six hourly DAGs for nine weeks; from Wednesday on their workers take `times` as long to start a task."""
    made = []
    for n in range(9 * 7 * 24):
        due = WEEK.minus(8).from_at + timedelta(hours=n)
        luck = random.Random(n)
        run = f"scheduled__{(due - timedelta(hours=1)).isoformat()}"
        for k in range(6):
            queued = due + timedelta(seconds=20 + k)
            late = luck.lognormvariate(2.0, 0.3) * (times if due >= WEEK.from_at + timedelta(days=2) else 1)
            began = queued + timedelta(seconds=late)
            one = Attempt(f"hourly_{k}", run, "load", 1, 2, began, luck.lognormvariate(4, 0.2), "success")
            made.append(replace(one, queued_at=queued, run_started_at=due, host=f"worker-{(n + k) % 3}"))
    return made


@pytest.mark.parametrize(("times", "is_told"), [(5.0, True), (1.0, False)])
def test_workers_that_start_tasks_later_are_told_since_when_and_by_how_much(
    tmp_path: Path, times: float, is_told: bool
) -> None:
    tries = late_starts(times)
    for one in tries:
        put(tmp_path / "logs" / one.key, airflow2(one), one.ended_at)
    for key, data, at in logs_of(tries):
        put(tmp_path / "components" / key, data, at)
    body, mail = report_of(tmp_path, WEEK, LOGS + "[sources.component_logs]\nurl = 'components'\n")
    assert [one["code"] for one in body["findings"]] == (["WS636"] if is_told else [])
    assert body["verdict"] == "same"
    said = "nothing new to act on" if is_told else "nothing new passed its test"
    assert body["verdict_sentence"].startswith(f"Same as before: {said}. ")
    if is_told:
        (one,) = body["findings"]
        said = "Tasks of queue default (CeleryExecutor) start 5.0 times as late after they were queued since Wed 18 Nov 00:00 UTC"
        assert one["headline"].startswith(said) and said in mail
        late = [
            (one.started_at - one.queued_at).total_seconds() * (1 - 1 / times) / 3600
            for one in tries
            if one.queued_at and one.started_at >= WEEK.from_at + timedelta(days=2)
        ]
        assert one["evidence"]["extra_hours"] == pytest.approx(sum(late), rel=0.1)


# --- memory


def crowded(kills: str) -> Tries:
    """Every two hours a task that needs much memory, for five weeks. In the last one eight reports run beside it at two, four and
    six o'clock; it is killed then (`crowded`), or as often at any hour (`anywhere`)."""
    made = []
    for n in range(5 * 7 * 12):
        due = WEEK.minus(4).from_at + timedelta(hours=2 * n)
        luck, run = random.Random(n), f"scheduled__{(due - timedelta(hours=2)).isoformat()}"
        is_last, is_crowded = due >= WEEK.from_at, due >= WEEK.from_at and due.hour in (2, 4, 6)
        at, host = due + timedelta(seconds=30), f"worker-{n % 2}"
        is_killed = (
            is_crowded and luck.random() < 0.6 if kills == "crowded" else is_last and luck.random() < 0.15
        )
        fit = Attempt("features", run, "fit", 1, 2, at + timedelta(minutes=1), 900, "success", host=host)
        if is_killed:
            made.append(replace(fit, seconds=400, ending="killed"))
            fit = replace(
                fit, try_number=2, started_at=at + timedelta(minutes=20), host=f"worker-{(n + 1) % 2}"
            )
        made.append(fit)
        for k in range(8 if is_crowded else 2):
            began, took = at + timedelta(seconds=k), luck.uniform(700, 1000)
            made.append(Attempt(f"report_{k}", run, "draw", 1, 2, began, took, "success", host=host))
    return made


@pytest.mark.parametrize("kills", ["crowded", "anywhere"])
def test_a_task_that_is_killed_in_company_is_told_so_and_one_that_needs_memory_is_not(
    tmp_path: Path, kills: str
) -> None:
    for one in crowded(kills):
        put(tmp_path / "logs" / one.key, airflow2(one), one.ended_at)
    body, mail = report_of(tmp_path, WEEK)
    (one,) = (one for one in body["findings"] if one["severity"] == "warning")
    killed = [one for one in crowded(kills) if one.ending == "killed" and one.started_at >= WEEK.from_at]
    assert one["code"] == "WS510" and one["evidence"]["tries"] == len(killed)
    said = "8 other tries ran on its host when it was killed (median)"
    assert (said in one["advice"] and said in mail) == (kills == "crowded")
    assert "Raise the task's memory limit" in one["advice"]
    # the same tries are not told a second time as what retries save
    assert [one["code"] for one in body["findings"]] == ["WS510"]
