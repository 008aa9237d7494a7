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
