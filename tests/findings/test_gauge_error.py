"""Full hours by gauges beside full hours by brute force: the error said is the error made, at every poll interval."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tests.findings.test_occupancy import put
from windsock.lake import Lake
from windsock.questions import ask, load_questions
from windsock.week import Week

WEEK = Week.parse("2026-W47")
QUESTION = load_questions(Path(__file__).parents[2] / "sql")["pool_full_share"]
SLOTS = 4


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    conn = Lake.open(str(tmp_path_factory.mktemp("lake")), deployment="p", create=True).connect(WEEK)
    yield conn
    conn.close()


def pool_week(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of tasks in a pool of four slots that never refuses; full is four or more at work (a day of it)."""
    count = int(rng.integers(300, 3000))
    starts = np.sort(rng.uniform(0, 86_400, count))
    return starts, starts + rng.lognormal(np.log(4 * 86_400 / count * rng.uniform(0.4, 1.0)), 0.8, count)


def level(starts: np.ndarray, ends: np.ndarray, moments: np.ndarray) -> np.ndarray:
    return np.searchsorted(starts, moments, side="right") - np.searchsorted(
        np.sort(ends), moments, side="right"
    )


def full_hours(starts: np.ndarray, ends: np.ndarray) -> float:
    """Brute force: every moment at which anything changes."""
    cuts = np.unique(np.concatenate(([0.0, 86_400.0], starts, ends[ends < 86_400])))
    return float(np.sum(np.diff(cuts)[level(starts, ends, cuts[:-1]) >= SLOTS])) / 3600


@pytest.mark.parametrize("every_s", [60, 300])
def test_the_error_that_gauges_say_holds_the_truth_in_nineteen_weeks_of_twenty(
    lake: duckdb.DuckDBPyConnection, every_s: int
) -> None:
    inside, sizes = [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        starts, ends = pool_week(rng)
        moments = np.arange(rng.uniform(0, every_s), 86_400, every_s)
        used = np.minimum(level(starts, ends, moments), SLOTS)
        rows = [
            {"pool": "p", "sampled_at": WEEK.from_at + timedelta(seconds=float(at)), "total_slots": SLOTS,
             "open_slots": SLOTS - int(n), "running_slots": int(n), "queued_slots": 0, "scheduled_slots": 1,
             "source": "metric"}
            for at, n in zip(moments, used, strict=True)
        ]  # fmt: skip
        put(lake, "pool_samples", rows, {"pool": "p"})
        (row,) = ask(lake, QUESTION).rows
        inside.append(abs(row["full_hours"] - full_hours(starts, ends)) <= row["full_error_hours"] + 0.02)
        sizes.append(row["full_error_hours"] / row["busy_hours"])
    assert np.mean(inside) >= 0.93
    assert np.median(sizes) <= {60: 0.03, 300: 0.06}[every_s], "an error so wide would say nothing"


def test_a_pool_that_was_never_full_has_no_error(lake: duckdb.DuckDBPyConnection) -> None:
    row = {"pool": "p", "sampled_at": WEEK.from_at, "total_slots": 4, "open_slots": 3, "running_slots": 1,
           "queued_slots": 0, "scheduled_slots": 0, "source": "metric"}  # fmt: skip
    put(lake, "pool_samples", [row], {"pool": "p"})
    (told,) = ask(lake, QUESTION).rows
    assert (told["full_hours"], told["full_error_hours"]) == (0.0, 0.0)
