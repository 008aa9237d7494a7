"""One row per pool: which input told it, with which error, and its nine weeks; beside a recorded Airflow's own rows."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.airflow_server import load, serve
from tests.support.airflow_truth import truth
from tests.test_pull_airflow import WEEK as RECORDED
from tests.test_pull_airflow import pipeline_file, pull
from windsock import pipeline
from windsock.findings.pools.options import GAUGES, INTERVALS, REBUILT
from windsock.findings.pools.week import UNREADY, pools_of_week
from windsock.model import Answer, Row
from windsock.report.scoreboard import scoreboard
from windsock.report.specs import SPECS
from windsock.week import Week

WEEK = Week.parse("2026-W47")


def gauges(**changes: Any) -> Row:
    return {"pool": "p", "samples": 900, "total_slots": 4, "full_share": 0.3, "full_hours": 30.0, "full_error_hours": 2.0, "busy_hours": 100.0,
            "full_share_all": 0.2, "wait_hours": 9.0, "p50_slots": 2, "p95_slots": 4, "peak_slots": 4,
            "deferred_hours": 1.5} | changes  # fmt: skip


def intervals(**changes: Any) -> Row:
    return {"pool": "p", "tries": 400, "total_slots": 4, "full_share": 0.25, "full_share_all": 0.15, "busy_hours": 101.0,
            "wait_hours": 12.0, "p50_slots": 2, "p95_slots": 4, "peak_slots": 4, "ready_known": 1.0,
            "ready_told": 1.0} | changes  # fmt: skip


def one(**rows: Sequence[Row]) -> Row:
    (row,) = pools_of_week({name: Answer(name, (), tuple(these)) for name, these in rows.items()}, WEEK).rows
    return row


def bound(hours: float, waits_for: str = "pool") -> Row:
    return {"scope": "pool", "pool": "p", "dag_id": "", "waits_for": waits_for, "hours": hours}


def weeks(*hours: float | None) -> Row:
    return {"scope": "pool", "pool": "p", "dag_id": "", "waits_for": "pool", "hours_by_week": list(hours)}


def seen(back: int, hours: float, seen_hours: float = 168.0) -> Row:
    return {"pool": "p", "week": WEEK.minus(back).monday, "seen_hours": seen_hours, "wait_hours": hours}


def test_tasks_own_times_speak_before_gauges_and_are_exact() -> None:
    row = one(
        pool_full_share=[gauges()],
        pool_occupancy=[intervals()],
        waiting_by_limit=[bound(7.0), bound(5.0, "executor")],
    )
    assert (row["source"], row["full_share"], row["full_error_share"], row["wait_hours"]) == (
        INTERVALS,
        0.25,
        0.0,
        7.0,
    )
    assert row["deferred_hours"] == 1.5  # which only gauges tell


@pytest.mark.parametrize(
    ("occupancy", "source"),
    [
        ([], GAUGES),
        ([intervals(ready_known=0.5)], GAUGES),
        ([intervals(ready_told=0.0)], REBUILT),
        (
            [intervals(gauge_mean_slots=1.0, sweep_mean_slots=1.3)],
            GAUGES,
        ),  # deferred tasks taken for busy ones
        (
            [intervals(gauge_mean_slots=1.0, sweep_mean_slots=0.89, full_hours=27.9)],
            GAUGES,
        ),  # tries are missing
        ([intervals(gauge_mean_slots=1.0, sweep_mean_slots=0.9, full_hours=27.9)], INTERVALS),
        (
            [intervals(gauge_mean_slots=1.0, sweep_mean_slots=0.89, full_hours=28.0)],
            INTERVALS,
        ),  # within the error
    ],
)
def test_the_row_says_which_input_it_is_from(occupancy: list[Row], source: str) -> None:
    row = one(pool_full_share=[gauges()], pool_occupancy=occupancy)
    assert row["source"] == source
    assert row["full_error_share"] == (0.02 if source == GAUGES else 0.0)


def test_one_look_a_week_is_no_gauge_and_what_was_waited_stays_unknown() -> None:
    look = gauges(samples=1, full_share=None, busy_hours=0.0, wait_hours=0.0, full_error_hours=0.0)
    row = one(
        pool_full_share=[look],
        pool_occupancy=[intervals(ready_known=0.1)],
        pool_wait_by_week=[seen(0, 0.0, 0.0)],
    )
    assert (row["source"], row["full_share"], row["wait_hours"]) == (UNREADY, 0.25, None)
    assert row["hours_by_week"] == [None] * 9 and row["weeks_source"] == ""


def test_nine_weeks_are_of_one_source_and_short_weeks_are_gaps() -> None:
    exact = [None, None, None, None, 5.0, 6.0, 5.0, 6.0, 7.0]
    of_gauges = [seen(0, 9.0, 100.0), seen(1, 8.0, 49.0), *(seen(n, 8.0) for n in range(2, 9))]
    row = one(
        pool_full_share=[gauges()],
        pool_occupancy=[intervals()],
        waiting_trends=[weeks(*exact)],
        pool_wait_by_week=of_gauges,
    )
    assert (row["hours_by_week"], row["weeks_source"]) == (exact, INTERVALS)
    exact[4] = None  # three weeks are no habit; the gauges know seven
    row = one(
        pool_full_share=[gauges()],
        pool_occupancy=[intervals()],
        waiting_trends=[weeks(*exact)],
        pool_wait_by_week=of_gauges,
    )
    assert (row["hours_by_week"], row["weeks_source"]) == ([8.0] * 7 + [None, 9.0], GAUGES)


def board(*rows: Row) -> Any:
    given = {"pools_of_week": Answer("", (), rows)}
    return next(score for score in scoreboard(given, WEEK) if score.key == "wait_hours")


def told(hours: list[float | None], source: str = GAUGES) -> Row:
    return {"pool": "p", "hours_by_week": hours, "weeks_source": source}


def test_the_scoreboard_adds_pools_up_and_says_from_what() -> None:
    score = board(told([1.0] * 9), told([2.0] * 9, INTERVALS), told([None] * 9, ""))
    assert score.value == 3.0 and score.this_week.startswith("3")
    assert score.detail == "1 pool by gauges, which see every task; 1 pool by tries that tell their own times"


def test_a_week_without_the_pools_that_matter_is_a_gap_of_the_scoreboard() -> None:
    score = board(told([1.0] * 7 + [None, 10.0]), told([1.0] * 9, INTERVALS))
    assert score.previous_week == "no data"
    score = board(told([1.0] * 7 + [None, 1.0]), told([9.0] * 9, INTERVALS))
    assert score.previous_week.startswith("9")  # a tenth is missing


def test_the_page_s_table_shows_the_error_beside_the_share() -> None:
    (grid,) = next(spec for spec in SPECS if spec.key == "pools").grids
    row = one(pool_full_share=[gauges()])
    cells = {name: make(row).text for name, make in grid.columns}
    assert (cells["Full, of busy hours"], cells["Told by"]) == ("30 % ± 2 points", "gauges")


def brute_force(major: int, pool: str) -> tuple[float, int, float]:
    """Busy hours, peak and slot hours from the recorded rows, between every two moments at which anything changes."""
    held: list[tuple[datetime, datetime, int]] = []
    for key, row in truth(major).items():
        start: Any = row["queued_at"] or row["started_at"]
        end: Any = row["ended_at"] or (
            RECORDED.to_at if row["state"] in ("running", "queued", "restarting") else None
        )
        if row["pool"] == pool and key[4] > 0 and start and end and end > start and end > RECORDED.from_at:
            held.append((max(start, RECORDED.from_at), min(end, RECORDED.to_at), int(str(row["pool_slots"]))))
    cuts = sorted({moment for span in held for moment in span[:2]})
    busy, peak, slot_s = 0.0, 0, 0.0
    for begin, end in pairwise(cuts):
        used = sum(slots for since, until, slots in held if since <= begin and end <= until)
        lasts = (end - begin).total_seconds()
        busy, peak, slot_s = busy + lasts * (used > 0), max(peak, used), slot_s + lasts * used
    return busy / 3600, peak, slot_s / 3600


@pytest.mark.parametrize("major", [2, 3])
def test_a_recorded_airflow_s_pools_are_what_its_own_rows_come_to(tmp_path: Path, major: int) -> None:
    with serve(load(major)) as airflow:
        config = pipeline_file(tmp_path, api=airflow.url)
        pull(config)
        found = {
            row["pool"]: row
            for row in pipeline.ask(config, question="pools_of_week", sql="", week=RECORDED).rows
        }
        (mean,) = (
            row["mean_slots"]
            for row in pipeline.ask(config, question="pool_occupancy", sql="", week=RECORDED).rows
            if row["pool"] == "default_pool"
        )
    busy, peak, slot_hours = brute_force(major, "default_pool")
    row = found["default_pool"]
    assert busy > 0.1
    assert row["busy_hours"] == pytest.approx(busy, abs=1e-9)
    assert row["peak_slots"] == peak
    assert mean * busy == pytest.approx(slot_hours, abs=1e-9)
    assert row["source"] == (INTERVALS if major == 3 else UNREADY)
