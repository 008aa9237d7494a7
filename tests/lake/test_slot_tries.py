"""`slot_tries`: ready times rebuilt from a real Airflow 3.3.2 whose `scheduled_dttm` was hidden, beside what it told."""

from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.support.airflow_server import DATA, read_csv
from tests.support.airflow_truth import at
from tests.support.csv_lakes import write_csv
from windsock.lake import Lake
from windsock.week import Week

Key = tuple[str, str, str, int, int]
WEEK = Week.parse("2026-W48")
HEAD = "dag_id,run_id,task_id,map_index,try_number,state,pool,queued_at,started_at,ended_at,anchor_at,object_url\n"


def ready_times(root: Path, *, hidden: bool) -> dict[Key, tuple[datetime | None, str | None, datetime]]:
    """Ready time, where it is from, and when the slot was taken; of the recording's database rows."""
    rows, runs = [], []
    for name in ("task_instance_history", "task_instance"):
        for row in read_csv(DATA / "db" / "airflow3" / f"{name}.csv"):
            if row["state"] and row["try_number"] != "0":
                rows.append(
                    {key: row[key] for key in ("dag_id", "run_id", "task_id", "state", "pool")}
                    | {"map_index": int(row["map_index"]), "try_number": int(row["try_number"]),
                       "priority_weight": int(row["priority_weight"]), "max_tries": int(row["max_tries"]),
                       "scheduled_at": None if hidden else at(row["scheduled_dttm"]), "queued_at": at(row["queued_dttm"]),
                       "started_at": at(row["start_date"]), "ended_at": at(row["end_date"]),
                       "anchor_at": at(row["start_date"]), "object_url": "db:x", "is_history": int("history" in name)}
                )  # fmt: skip
    for row in read_csv(DATA / "db" / "airflow3" / "dag_run.csv"):
        runs.append(
            {key: row[key] for key in ("dag_id", "run_id", "run_type")}
            | {"started_at": at(row["start_date"])}
        )
    for table, these in (("task_instances", rows), ("dag_runs", runs)):
        place = root / table / f"week={WEEK.monday}"
        place.mkdir(parents=True)
        pl.DataFrame(these, infer_schema_length=None).write_parquet(place / "x.parquet")
    conn = Lake.open(str(root), deployment="prod", create=True).connect(WEEK)
    found = conn.execute(
        "select dag_id, run_id, task_id, map_index, try_number, ready_at, ready_from, taken_at from slot_tries"
    ).fetchall()
    conn.close()
    return {row[:5]: row[5:] for row in found}


def test_rebuilt_ready_times_are_those_that_airflow_told(tmp_path: Path) -> None:
    told, rebuilt = (
        ready_times(tmp_path / "told", hidden=False),
        ready_times(tmp_path / "hidden", hidden=True),
    )
    assert {source for _, source, _ in told.values()} <= {"told", None}
    errors: dict[str, list[float]] = {}
    for key, (ready, source, _) in rebuilt.items():
        if ready and source and told[key][0]:
            errors.setdefault(source, []).append((ready - told[key][0]).total_seconds())  # type: ignore[operator]
    assert set(errors) == {"run", "upstream", "retry"}
    assert sum(map(len, errors.values())) >= 0.85 * len(told)
    # a scheduler's loop lies between an end and what it makes ready: seconds on this overloaded machine
    for source, these in errors.items():
        assert abs(median(these)) <= 5.0, (source, median(these))


def tries(lake: Path, rows: list[str], runs: str = "") -> dict[tuple[str, int], dict[str, Any]]:
    maker = duckdb.connect()
    maker.execute("set TimeZone = 'UTC'")
    lake.mkdir()
    for table, text in (("task_instances", HEAD + "\n".join(rows)), ("dag_runs", runs)):
        if text:
            (lake / f"{table}.csv").write_text(text)
            write_csv(maker, lake, table, lake / f"{table}.csv", foreign=True)
    conn = Lake.open(str(lake), deployment="prod", create=True).connect(WEEK)
    cursor = conn.execute("select * from slot_tries")
    names = [one[0] for one in cursor.description or ()]
    found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    conn.close()
    return {(row["task_id"], row["try_number"]): row for row in found}


@pytest.mark.parametrize(("url", "holds"), [("db:x", True), ("api:y", True), ("s3://b/scheduler.log", False)])
def test_only_api_and_database_say_that_a_try_is_still_open(tmp_path: Path, url: str, holds: bool) -> None:
    at_ten = "2026-11-24 10:00:00+00"
    found = tries(tmp_path / "lake", [f"d,r,t,-1,1,running,p,{at_ten},{at_ten},,{at_ten},{url}"])
    assert (found["t", 1]["given_back_at"] == WEEK.to_at) == holds


def test_a_try_that_came_back_from_a_deferral_has_no_ready_time(tmp_path: Path) -> None:
    run = "dag_id,run_id,run_type,started_at\nd,r,scheduled,2026-11-24 09:59:00+00"
    row = "d,r,t,-1,1,success,p,2026-11-24 10:30:00+00,2026-11-24 10:00:00+00,2026-11-24 10:31:00+00,2026-11-24 10:00:00+00,db:x"
    (found,) = tries(tmp_path / "lake", [row], run).values()
    assert (found["ready_at"], found["ready_from"]) == (None, None)


def legs(
    lake: Path, *, counts_deferred: bool = False, away: str, queued: str = "10:51:00"
) -> list[tuple[str, str, Any, bool]]:
    """From, until, ready and whether it is the last: one try from ten to eleven, of a log and of a database."""
    logs = "dag_id,run_id,task_id,map_index,try_number,state,started_at,ended_at,away,object_url\n"
    logs += f'd,r,t,-1,1,success,2026-11-24 10:00:00+00,2026-11-24 11:00:00+00,"{away}",x'
    told = "dag_id,run_id,task_id,map_index,try_number,state,pool,scheduled_at,queued_at,started_at,ended_at,anchor_at,object_url\n"
    told += (
        "d,r,t,-1,1,success,p,2026-11-24 10:50:00+00,"
        f"2026-11-24 {queued}+00,2026-11-24 10:00:00+00,2026-11-24 11:00:00+00,2026-11-24 10:00:00+00,db:x"
    )
    fact = f"seen_at,key,value\n2026-11-24 00:00:00+00,pool.p.include_deferred,{counts_deferred}"
    lake.mkdir()
    maker = duckdb.connect()
    maker.execute("set TimeZone = 'UTC'")
    for table, text in (("task_logs", logs), ("task_instances", told), ("deployments", fact)):
        (lake / f"{table}.csv").write_text(text)
        write_csv(maker, lake, table, lake / f"{table}.csv", foreign=True)
    conn = Lake.open(str(lake), deployment="prod", create=True).connect(WEEK)
    rows = conn.execute(
        "select taken_at, given_back_at, ready_at, is_last_leg from slot_legs order by taken_at"
    ).fetchall()
    conn.close()
    return [(f"{row[0]:%H:%M}", f"{row[1]:%H:%M}", row[2] and f"{row[2]:%H:%M}", row[3]) for row in rows]


def span(kind: str, left: str, back: str) -> str:
    return f"{kind}/2026-11-24T{left}:00+00:00/2026-11-24T{back}:00+00:00"


def test_a_try_holds_its_slot_only_while_one_of_its_processes_lives(tmp_path: Path) -> None:
    away = f"[{span('deferred', '10:02', '10:20')}, {span('deferred', '10:25', '10:52')}]"
    assert legs(tmp_path / "lake", away=away) == [
        ("10:00", "10:02", None, False),
        ("10:20", "10:25", None, False),
        ("10:51", "11:00", "10:50", True),  # scheduled and queued are those of the last process
    ]


def test_a_queue_time_from_before_the_last_leave_is_of_another_process(tmp_path: Path) -> None:
    away = f"[{span('deferred', '10:02', '10:52')}]"
    assert legs(tmp_path / "lake", away=away, queued="09:59:00") == [
        ("10:00", "10:02", None, False),
        ("10:52", "11:00", None, True),
    ]


@pytest.mark.parametrize(
    ("kinds", "held"),
    [
        (("deferred", "deferred"), [("10:00", "11:00")]),
        (("deferred", "up_for_reschedule"), [("10:00", "10:25"), ("10:51", "11:00")]),
    ],
)
def test_a_pool_that_counts_deferred_tasks_keeps_their_slots(
    tmp_path: Path, kinds: tuple[str, str], held: list[tuple[str, str]]
) -> None:
    away = f"[{span(kinds[0], '10:02', '10:20')}, {span(kinds[1], '10:25', '10:52')}]"
    found = legs(tmp_path / "lake", counts_deferred=True, away=away)
    assert [row[:2] for row in found] == held
    assert [row[3] for row in found] == [False] * (len(held) - 1) + [True]
