"""A try or a run told by several inputs: the newest telling decides, and what it leaves open the others fill."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.views import views_over
from windsock.lake import Lake
from windsock.model import Parsed, Row, SourceObject
from windsock.week import Week

AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
IDS = {"dag_id": "d", "run_id": "scheduled__2026-11-18T00:00:00+00:00"}
TRY = IDS | {"task_id": "t", "map_index": -1, "try_number": 1, "anchor_at": AT}


def minute(count: int) -> datetime:
    return AT + timedelta(minutes=count)


# What each of them says of one try that ran from minute 2 to 5: as in the answers and lines of the corpora.
LINE = TRY | {"state": "success", "executor": "CeleryExecutor", "pool": "default_pool", "operator": "PythonOperator",
              "queue": "big", "queued_at": minute(1), "started_at": minute(2), "ended_at": minute(5), "told_at": minute(5),
              "source": "component_log"}  # fmt: skip
ANSWER = TRY | {"state": "success", "hostname": "worker-1", "pool": "default_pool", "pool_slots": 2, "queue": "big",
                "scheduled_at": minute(0), "queued_at": minute(1), "started_at": minute(2), "ended_at": minute(5),
                "source": "api", "object_url": "api:https://airflow"}  # fmt: skip
BEST = {"executor": "CeleryExecutor", "operator": "PythonOperator", "hostname": "worker-1", "pool_slots": 2,
        "scheduled_at": minute(0), "queue": "big", "state": "success"}  # fmt: skip


def tell(lake: Lake, name: str, table: str, row: Row, *, now: datetime) -> None:
    with lake.writer(shard=0, holder="test", now=now) as writer:
        obj = SourceObject(f"s3://b/{name}", name, 1, now, f"{now}")
        parsed = Parsed("x", {table: [dict(row)]})
        writer.add(obj, parsed, kind="component_log", parser_version="1")
        writer.checkpoint()


def rows(lake: Lake, sql: str) -> list[dict[str, Any]]:
    assert lake.store.local_root is not None
    cursor = views_over(lake.store.local_root, Week.of(AT)).execute(sql)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(str(tmp_path / "lake"), deployment="prod", create=True)


@pytest.mark.parametrize(
    "order", [one for n in (2, 3) for one in itertools.product("LA", repeat=n) if len(set(one)) == 2]
)
def test_whoever_is_read_first_and_read_again_each_column_is_the_best_known(
    lake: Lake, order: tuple[str, ...]
) -> None:
    """The scheduler's log names the executor, which the API answers only where a task sets one; host and slots only the API."""
    for n, who in enumerate(order):
        name, row = ("scheduler.log", LINE) if who == "L" else ("answer", ANSWER)
        tell(lake, name, "task_instances", row, now=minute(60 + n))
    (stored,) = rows(lake, "select * from task_instances")
    assert {name: stored[name] for name in BEST} == BEST
    assert stored["source"] == "api"  # asked after the line was written
    (seen,) = rows(lake, "select * from task_tries")
    assert {name: seen[name] for name in BEST} == BEST


def test_tellings_in_two_weeks_are_joined_by_the_view(lake: Lake) -> None:
    """An answer from before the try began stands in the week of its queueing."""
    early = ANSWER | {
        "state": "queued",
        "started_at": None,
        "ended_at": None,
        "anchor_at": AT - timedelta(weeks=1),
    }
    tell(lake, "answer", "task_instances", early | {"told_at": minute(1)}, now=minute(61))
    tell(lake, "scheduler.log", "task_instances", LINE, now=minute(62))
    assert len(rows(lake, "select * from task_instances")) == 2
    (seen,) = rows(lake, "select * from task_tries")
    assert (seen["hostname"], seen["pool_slots"], seen["executor"]) == ("worker-1", 2, "CeleryExecutor")
    assert (seen["state"], seen["ended_at"]) == ("success", minute(5))


@pytest.mark.parametrize(
    ("newest", "column", "value"),
    [
        (
            {"state": "queued", "executor": "LocalExecutor"},
            "executor",
            "LocalExecutor",
        ),  # it speaks for itself
        ({"state": "running", "started_at": minute(2)}, "ended_at", None),  # an end of another state
        ({"state": "queued", "queued_at": minute(7)}, "started_at", None),  # it has not begun again
        ({"state": "success", "started_at": minute(9)}, "ended_at", None),  # an end before the start
        ({"state": "failed", "started_at": minute(2)}, "ended_at", minute(5)),
        (
            {"state": "failed", "started_at": minute(0)},
            "queued_at",
            None,
        ),  # its queueing belongs to another start
        ({"state": "success"}, "started_at", minute(2)),
    ],
)
def test_an_older_telling_fills_only_what_fits_the_newest_state(
    lake: Lake, newest: Row, column: str, value: object
) -> None:
    tell(lake, "scheduler.log", "task_instances", LINE, now=minute(60))
    tell(lake, "answer", "task_instances", TRY | {"object_url": "api:a"} | newest, now=minute(61))
    (stored,) = rows(lake, "select * from task_instances")
    assert (stored["state"], stored[column]) == (newest["state"], value)


def test_a_run_told_to_have_timed_out_keeps_its_type_dates_and_commit(lake: Lake) -> None:
    """The scheduler's line of a timeout names the run and nothing else."""
    answer = IDS | {"state": "running", "run_type": "scheduled", "logical_date": minute(-720), "run_after": minute(0),
                    "started_at": minute(1), "bundle_version": "abc", "anchor_at": minute(0), "told_at": minute(2)}  # fmt: skip
    line = IDS | {"state": "failed", "ended_at": minute(9), "told_at": minute(9), "source": "component_log"}
    for name, row in (("answer", answer), ("scheduler.log", line)):
        tell(lake, name, "dag_runs", row, now=minute(60))
    (run,) = rows(lake, "select * from known_runs")
    told = (run["state"], run["run_type"], run["bundle_version"], run["started_at"], run["ended_at"])
    assert told == ("failed", "scheduled", "abc", minute(1), minute(9))
