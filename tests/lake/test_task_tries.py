"""`task_tries`: what the log says, what the others know, and which tries count."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.csv_lakes import write_csv
from windsock.lake import Lake
from windsock.week import Week

KEY = "dag_id,run_id,task_id,map_index,try_number"
RUN = "scheduled__2026-11-16T00:00:00+00:00"


def tries(lake: Path, **tables: str) -> dict[tuple[str, str, int], dict[str, Any]]:
    """The view over a lake of these CSVs, by (run_id, task_id, try_number)."""
    maker = duckdb.connect()
    maker.execute("set TimeZone = 'UTC'")
    for table, text in tables.items():
        path = lake / f"{table}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        write_csv(maker, lake, table, path, foreign=True)
    conn = Lake.open(str(lake), deployment="prod", create=True).connect(Week.parse("2026-W47"))
    cursor = conn.execute("select * from task_tries")
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    conn.close()
    found = {(row["run_id"], row["task_id"], row["try_number"]): row for row in rows}
    assert len(found) == len(rows), "one row per try"
    return found


def logs(*rows: str) -> str:
    """`try_number,state,started_at,ended_at[,state_reason,dialect]` of one task."""
    head = f"{KEY},state,started_at,ended_at,state_reason,dialect,object_url\n"
    return head + "\n".join(
        f"d,{RUN},t,-1,{row}{',' * (5 - row.count(','))},s3://b/{n}" for n, row in enumerate(rows)
    )


def told(*rows: str) -> str:
    """`try_number,state,max_tries[,read_at]` of the same task."""
    head = f"{KEY},state,max_tries,read_at,object_url,anchor_at\n"
    return head + "\n".join(
        f"d,{RUN},t,-1,{row}{',' * (3 - row.count(','))},db:x,2026-11-16 00:00:00+00" for row in rows
    )


def states(found: dict[tuple[str, str, int], dict[str, Any]]) -> list[str]:
    return [row["state"] for _, row in sorted(found.items())]


@pytest.mark.parametrize(
    ("log", "other", "state"),
    [
        ("success", "failed", "success"),  # cleared while running: the log saw it end well
        ("unknown", "failed", "failed"),  # killed: only the scheduler knows
        ("deferred", "success", "success"),  # the log stops at the deferral
        ("up_for_retry", "failed", "failed"),  # given up by somebody after the log was written
        ("failed", "up_for_retry", "up_for_retry"),  # Airflow 3: waits for its retry
        ("failed", "skipped", "failed"),  # dagrun_timeout marks it skipped; it was killed all the same
        ("unknown", "running", "running"),
        ("unknown", "", "unknown"),
    ],
)
def test_the_log_wins_on_what_happened_and_the_others_on_what_it_cannot_know(
    tmp_path: Path, log: str, other: str, state: str
) -> None:
    found = tries(
        tmp_path,
        task_logs=logs(f"1,{log},2026-11-16 00:00:00+00,2026-11-16 00:01:00+00"),
        task_instances=told(f"1,{other},3"),
    )
    assert states(found) == [state]


def test_a_failure_is_a_retry_once_a_later_try_is_known(tmp_path: Path) -> None:
    found = tries(
        tmp_path,
        task_logs=logs(
            "1,failed,2026-11-16 00:00:00+00,2026-11-16 00:01:00+00",
            "2,failed,2026-11-16 00:06:00+00,2026-11-16 00:07:00+00",
        ),
    )
    assert states(found) == ["up_for_retry", "failed"]
    assert [(row["first_try"], row["last_try"], row["final_try"]) for _, row in sorted(found.items())] == [
        (True, False, False),
        (False, True, True),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # after a success
        ("1,success,2026-11-16 00:00:00+00,2026-11-16 00:01:00+00", "2,failed,2026-11-16 00:06:00+00,2026-11-16 00:07:00+00"),
        # Airflow 2 marked it FAILED: no retry was due
        ("1,failed,2026-11-16 00:00:00+00,2026-11-16 00:01:00+00,exception,airflow2", "2,success,2026-11-16 00:06:00+00,2026-11-16 00:07:00+00"),
        # more than a day later
        ("1,failed,2026-11-16 00:00:00+00,2026-11-16 00:01:00+00", "2,success,2026-11-17 00:01:01+00,2026-11-17 00:07:00+00"),
    ],
)  # fmt: skip
def test_a_cleared_try_is_no_first_execution(tmp_path: Path, first: str, second: str) -> None:
    found = tries(tmp_path, task_logs=logs(first, second))
    one, two = (row for _, row in sorted(found.items()))
    assert (one["is_cleared"], two["is_cleared"]) == (False, True)
    assert (one["is_judged"], two["is_judged"]) == (True, False)
    assert one["final_try"] and two["last_try"] and not two["final_try"]
    assert one["state"] == first.split(",")[1]  # what was lost stays lost


def test_max_tries_tells_a_clear_from_a_retry(tmp_path: Path) -> None:
    times = "2026-11-16 00:00:00+00,2026-11-16 00:01:00+00", "2026-11-16 00:06:00+00,2026-11-16 00:07:00+00"
    pair = logs(f"1,failed,{times[0]}", f"2,success,{times[1]}")
    cleared = tries(tmp_path / "a", task_logs=pair, task_instances=told("1,failed,0", "2,success,1"))
    assert cleared[RUN, "t", 2]["is_cleared"]
    retried = tries(tmp_path / "b", task_logs=pair, task_instances=told("1,failed,1", "2,success,1"))
    assert not retried[RUN, "t", 2]["is_cleared"]


def test_a_clear_of_a_run_from_before_the_view_is_known_by_its_date(tmp_path: Path) -> None:
    old = logs("2,failed,2026-11-16 00:00:00+00,2026-11-16 00:01:00+00").replace(
        RUN, "scheduled__2026-09-01T00:00:00+00:00"
    )
    (row,) = tries(tmp_path, task_logs=old).values()
    assert row["is_cleared"] and not row["is_judged"]


def test_the_newest_reading_wins_and_the_row_before_its_history(tmp_path: Path) -> None:
    found = tries(
        tmp_path,
        task_instances=f"{KEY},state,is_history,read_at,object_url,anchor_at\n"
        f"d,{RUN},t,-1,1,running,0,2026-11-16 01:00:00+00,db:x,2026-11-16\n"
        f"d,{RUN},t,-1,1,success,0,2026-11-17 01:00:00+00,db:x,2026-11-16\n"
        f"d,{RUN},t,-1,1,failed,1,2026-11-17 01:00:00+00,db:x,2026-11-16\n",
    )
    assert states(found) == ["success"]


@pytest.mark.parametrize(
    ("run_id", "told_type", "run_type"),
    [
        ("scheduled__2026-11-16", "", "scheduled"),
        ("backfill__2026-11-16", "", "backfill"),
        ("backfill_2020-01-01T00:00:00", "", "backfill"),  # 1.10
        ("manual__2026-11-16", "", "manual"),
        ("asset_triggered__x", "", "asset_triggered"),
        ("dataset_triggered__x", "", "dataset_triggered"),
        ("whatever", "", "scheduled"),
        ("scheduled__2026-11-16", "manual", "manual"),  # dag_runs knows better
    ],
)
def test_the_type_of_a_run(tmp_path: Path, run_id: str, told_type: str, run_type: str) -> None:
    tables = {
        "task_logs": logs("1,success,2026-11-16 00:00:00+00,2026-11-16 00:01:00+00").replace(RUN, run_id)
    }
    if told_type:
        tables["dag_runs"] = f"dag_id,run_id,run_type,anchor_at\nd,{run_id},{told_type},2026-11-16\n"
    (row,) = tries(tmp_path, **tables).values()
    assert row["run_type"] == run_type
    assert row["is_judged"] == (run_type in ("scheduled", "asset_triggered", "dataset_triggered"))


def test_keys_of_old_airflow_meet_their_run_by_its_logical_date(tmp_path: Path) -> None:
    old = logs("1,success,2026-11-16 00:00:00+00,2026-11-16 00:01:00+00").replace(
        RUN, "2026-11-15T00:00:00+00:00"
    )
    known = "scheduled__2026-11-15T00:00:00+00:00"
    runs = f"dag_id,run_id,run_type,logical_date,anchor_at\nd,{known},scheduled,2026-11-15 00:00:00+00,2026-11-15\n"
    (row,) = tries(tmp_path / "a", task_logs=old, dag_runs=runs).values()
    assert row["run_id"] == known
    (row,) = tries(
        tmp_path / "b", task_logs=old, task_instances=told("1,success,0").replace(RUN, known)
    ).values()
    assert (row["run_id"], row["has_log"]) == (known, True)


def test_a_try_belongs_to_the_week_of_its_start_by_the_log(tmp_path: Path) -> None:
    found = tries(
        tmp_path,
        task_logs=logs("1,success,2026-11-16 00:00:00+00,2026-11-16 00:01:00+00"),
        task_instances=told("1,success,0").replace("anchor_at", "started_at").replace("2026-11-16 00:00:00+00", "2026-11-15 23:59:59+00"),
    )  # fmt: skip
    assert str(found[RUN, "t", 1]["week"]) == "2026-11-16"


def test_two_objects_of_one_attempt_are_one_try(tmp_path: Path) -> None:
    head = f"{KEY},state,started_at,object_url,object_modified_at\n"
    found = tries(
        tmp_path,
        task_logs=head
        + f"d,{RUN},t,,1,failed,2026-11-16 00:00:00+00,s3://old,2026-11-16 00:00:00+00\n"
        + f"d,{RUN},t,-1,1,success,2026-11-16 00:00:00+00,s3://new,2026-11-16 01:00:00+00\n",
    )
    assert states(found) == ["success"]
